/// Cuts text of LIBSVM's format into lines and tokens; blank lines and comments do not count.
struct LibSVMScanner {
    /// Whether every line starts with a label.
    enum Labels {
        case required
        case optional
    }

    struct Token {
        var range: Range<Int>
        var place: LibSVMFault.Place
    }

    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var lineStart = 0

    /// Largest index that is read; far beyond any table.
    private static let largestIndex = 1 << 40

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The first token of the next line that has any; nil at the end.
    mutating func nextRow() -> Token? {
        while offset < bytes.count {
            if let token = nextToken() { return token }
            guard offset < bytes.count else { return nil }
            // A line end: \n, \r\n or \r.
            let isReturn = bytes[offset] == UInt8(ascii: "\r")
            offset += 1
            if isReturn, offset < bytes.count, bytes[offset] == UInt8(ascii: "\n") { offset += 1 }
            line += 1
            lineStart = offset
        }
        return nil
    }

    /// The next token of the line; nil at its end.
    mutating func nextToken() -> Token? {
        while offset < bytes.count, isBlank(bytes[offset]) { offset += 1 }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "#") {
            while offset < bytes.count, !endsLine(bytes[offset]) { offset += 1 }
        }
        guard offset < bytes.count, !endsLine(bytes[offset]) else { return nil }
        let start = offset
        while offset < bytes.count, !isBlank(bytes[offset]), !endsLine(bytes[offset]), bytes[offset] != UInt8(ascii: "#") { offset += 1 }
        return Token(range: start..<offset, place: LibSVMFault.Place(line: line, column: start - lineStart + 1))
    }

    func text(_ token: Token) -> String { shown(token.range) }

    func isPair(_ token: Token) -> Bool { bytes[token.range].contains(UInt8(ascii: ":")) }

    func number(_ range: Range<Int>) -> DecimalNumber { DecimalNumber(bytes, range) }

    /// What a label is called: `+1` and `1.0` are both 1.
    func className(_ token: Token) -> String? {
        guard let value = DecimalNumber.double(String(decoding: bytes[token.range], as: UTF8.self)) else { return nil }
        return Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    func pair(_ token: Token) throws(LibSVMFault) -> (index: Int, value: Float) {
        guard let colon = bytes[token.range].firstIndex(of: UInt8(ascii: ":")) else { throw .pair(token.place, text: text(token)) }
        let name = bytes[token.range.lowerBound..<colon]
        if name.elementsEqual("qid".utf8) { throw .queryID(token.place) }
        var index = 0
        for byte in name {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), index <= Self.largestIndex else {
                throw .index(token.place, text: shown(name.startIndex..<name.endIndex))
            }
            index = index * 10 + Int(byte - UInt8(ascii: "0"))
        }
        guard !name.isEmpty else { throw .index(token.place, text: "") }
        let range = colon + 1..<token.range.upperBound
        switch DecimalNumber(bytes, range) {
        case .finite(let value): return (index, value)
        case .notFinite: throw .notFinite(token.place, text: shown(range))
        case .notANumber: throw .value(token.place, text: shown(range))
        }
    }

    private func shown(_ range: Range<Int>) -> String {
        let text = String(decoding: bytes[range].prefix(40), as: UTF8.self)
        return range.count > 40 ? text + "…" : text
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    private func endsLine(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
}
