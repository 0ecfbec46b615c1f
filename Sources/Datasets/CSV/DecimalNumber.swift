/// Reads decimal numbers from UTF-8 bytes: correctly rounded, independent of any locale.
///
/// Accepted: an optional sign, digits with an optional point, an optional exponent. Nothing else that `Float("…")` or C would take.
enum DecimalNumber: Equatable {
    case finite(Float)
    /// A NaN, an infinity, or beyond the largest Float.
    case notFinite
    case notANumber

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        guard let decimal = Decimal(bytes, range) else {
            self = Self.namesNonFinite(bytes[range]) ? .notFinite : .notANumber
            return
        }
        let value = decimal.exactFloat ?? Float(String(decoding: bytes[range], as: UTF8.self))
        guard let value, value.isFinite else {
            self = .notFinite
            return
        }
        self = .finite(value)
    }

    /// The finite number that a whole text is; nil for any other text.
    static func double(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        guard Decimal(bytes, bytes.indices) != nil, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    private static func namesNonFinite(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count <= "-infinity".utf8.count else { return false }
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? String(text.dropFirst()) : text
        return ["nan", "inf", "infinity"].contains(unsigned)
    }
}

/// ±mantissa · 10^exponent, as it was written.
private struct Decimal {
    /// 10^0…10^22 are exact in Double.
    private static let powers: [Double] = (0..<22).reduce(into: [1]) { powers, index in powers.append(powers[index] * 10) }

    private var isNegative = false
    private var mantissa: UInt64 = 0
    private var exponent = 0
    /// Whether `mantissa` holds all digits.
    private var isWhole = true

    /// Nil if the bytes are not of the form.
    init?(_ bytes: [UInt8], _ range: Range<Int>) {
        var at = range.lowerBound
        func byte() -> UInt8 { at < range.upperBound ? bytes[at] : 0 }

        if byte() == UInt8(ascii: "-") || byte() == UInt8(ascii: "+") {
            isNegative = byte() == UInt8(ascii: "-")
            at += 1
        }
        var digitCount = 0
        while let digit = Self.digit(byte()) {
            take(digit, isFraction: false)
            digitCount += 1
            at += 1
        }
        if byte() == UInt8(ascii: ".") {
            at += 1
            while let digit = Self.digit(byte()) {
                take(digit, isFraction: true)
                digitCount += 1
                at += 1
            }
        }
        guard digitCount > 0 else { return nil }
        if byte() | 0x20 == UInt8(ascii: "e") {
            at += 1
            let isSmall = byte() == UInt8(ascii: "-")
            if isSmall || byte() == UInt8(ascii: "+") { at += 1 }
            guard Self.digit(byte()) != nil else { return nil }
            var written = 0
            while let digit = Self.digit(byte()) {
                // Far beyond any float; keeps the number itself from overflowing.
                if written < 1 << 20 { written = written * 10 + Int(digit) }
                at += 1
            }
            exponent += isSmall ? -written : written
        }
        guard at == range.upperBound else { return nil }
    }

    /// The nearest Float where that is certain without big arithmetic; nil otherwise.
    ///
    /// Mantissa and power are exact doubles, so their product or quotient is the nearest Double (Clinger 1990). Rounding that to Float is
    /// the nearest Float unless the Double lies halfway between two of them. All of them lie within Float's normal range.
    var exactFloat: Float? {
        guard isWhole, mantissa <= 1 << 53, abs(exponent) < Self.powers.count else { return nil }
        let power = Self.powers[abs(exponent)]
        let double = exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
        let droppedBits = double.bitPattern & (1 << 29 - 1)
        guard droppedBits != 1 << 28 else { return nil }
        return isNegative ? -Float(double) : Float(double)
    }

    private mutating func take(_ digit: UInt8, isFraction: Bool) {
        // 18 digits always fit.
        if mantissa < 100_000_000_000_000_000 {
            mantissa = mantissa * 10 + UInt64(digit)
            if isFraction { exponent -= 1 }
        } else {
            isWhole = false
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        let value = byte &- UInt8(ascii: "0")
        return value < 10 ? value : nil
    }
}
