/// A single value as it was written.
struct Scalar {
    var text: String
    /// Neither quoted nor tagged as text, so that it may mean a number, a truth value or nothing.
    var isPlain: Bool

    /// What a plain scalar means in YAML 1.2's core schema.
    enum Meaning {
        case null
        case flag(Bool)
        /// nil: more than 64 bits.
        case integer(isNegative: Bool, magnitude: UInt64?)
        case number(Double)
        /// `.inf` and `.nan`.
        case notFinite
        case text(String)
    }

    var meaning: Meaning {
        guard isPlain else { return .text(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .flag(true)
        case "false", "False", "FALSE": return .flag(false)
        case ".nan", ".NaN", ".NAN": return .notFinite
        default: return Self.number(text) ?? .text(text)
        }
    }

    var summary: String {
        switch meaning {
        case .null: "nothing"
        case .flag(let flag): "\(flag)"
        case .integer, .number, .notFinite: Scalar.shortened(text)
        case .text: "the text \(Scalar.quoted(Scalar.shortened(text)))"
        }
    }

    private static func number(_ text: String) -> Meaning? {
        var digits = Substring(text)
        let isNegative = digits.first == "-"
        if isNegative || digits.first == "+" { digits.removeFirst() }
        if [".inf", ".Inf", ".INF"].contains(digits) { return .notFinite }
        if digits.isEmpty { return nil }
        if digits.utf8.allSatisfy(isDigit) { return .integer(isNegative: isNegative, magnitude: UInt64(digits)) }
        for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
            // The letter check keeps out a second sign, which the conversion would accept.
            let body = digits.dropFirst(2)
            guard let first = body.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-") else { return nil }
            guard body.utf8.allSatisfy({ Character(UnicodeScalar($0)).hexDigitValue.map { $0 < radix } ?? false }) else { return nil }
            return .integer(isNegative: false, magnitude: UInt64(body, radix: radix))
        }
        guard isDecimal(digits), let value = Double(text) else { return nil }
        return value.isFinite ? .number(value) : .notFinite
    }

    /// `[0-9]+(\.[0-9]*)?` or `\.[0-9]+`, then `([eE][-+]?[0-9]+)?`.
    private static func isDecimal(_ text: Substring) -> Bool {
        var rest = text.utf8
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            let fraction = rest.prefix(while: isDigit)
            if whole.isEmpty && fraction.isEmpty { return false }
            rest = rest.dropFirst(fraction.count)
        } else if whole.isEmpty {
            return false
        }
        guard let marker = rest.first else { return true }
        guard marker == UInt8(ascii: "e") || marker == UInt8(ascii: "E") else { return false }
        rest = rest.dropFirst()
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        return !rest.isEmpty && rest.allSatisfy(isDigit)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
