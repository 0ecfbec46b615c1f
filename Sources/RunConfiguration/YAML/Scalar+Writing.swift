extension Scalar {
    /// A text in double quotes, so written that every YAML reader gives it back.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where isWrittenAsIs(scalar): result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result + "\""
    }

    /// A key in a problem's text: as it is if it looks like one, else in quotes, so that it neither breaks a line nor vanishes.
    static func shown(key: String) -> String {
        let isPlain = key.utf8.count <= longestShown && key.allSatisfy { $0.isLetter || $0.isNumber || "_-<>$".contains($0) }
        return isPlain && !key.isEmpty ? key : quoted(shortened(key))
    }

    static func shortened(_ text: String) -> String {
        text.count > longestShown ? text.prefix(longestShown - 1) + "…" : text
    }

    private static var longestShown: Int { 60 }

    /// The shortest decimal that reads back as the same number; whole numbers without a point.
    static func decimal(_ value: Double) -> String {
        let largestPlain = 1e16
        return value == value.rounded() && abs(value) < largestPlain ? "\(Int64(value))" : "\(value)"
    }

    /// YAML's printable characters, less line breaks, no-break space and byte order mark. Those left out have at most four digits.
    private static func isWrittenAsIs(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA1...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
}
