/// What is wrong with an IDX file.
public enum IDXFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes that should have been `00 00 type dimensions`.
    case magic([UInt8])
    case elementType(UInt8)
    case dimensionCount(Int, allowed: ClosedRange<Int>)
    /// The file ends within its header.
    case headerTruncated(byteCount: Int, expected: Int)
    case empty(dimensions: [Int])
    case tooLarge(dimensions: [Int], limit: Int)
    case truncated(byteCount: Int, expected: Int)
    case trailingBytes(byteCount: Int, expected: Int)
    /// Classification with labels that are not whole numbers.
    case fractionalLabels(IDXElement)
    case notFinite(row: Int, element: Int, value: String)
    case unknownLabel(row: Int, label: String, known: [String])
    case tooManyClasses(limit: Int)

    public var description: String {
        switch self {
        case .magic(let bytes):
            "is no IDX file: it starts with the bytes \(bytes.map(hexadecimal).joined(separator: " ")), "
                + "IDX starts with 00 00, an element type and the number of dimensions"
        case .elementType(let code):
            "byte 2 names the IDX element type 0x\(hexadecimal(code)); known are "
                + IDXElement.allCases.map { "0x\(hexadecimal($0.rawValue)) (\($0))" }.joined(separator: ", ")
        case .dimensionCount(let count, let allowed):
            allowed.count == 1
                ? "has \(count) dimensions, labels have \(allowed.lowerBound): are features and labels swapped?"
                : "has \(count) dimensions, allowed are \(allowed.lowerBound) to \(allowed.upperBound), the first counting the rows"
        case .headerTruncated(let byteCount, let expected):
            "is truncated: the header needs \(expected) bytes, the file has \(byteCount)"
        case .empty(let dimensions):
            "holds no data: its dimensions are \(dimensions)"
        case .tooLarge(let dimensions, let limit):
            "announces dimensions of \(dimensions), more than the \(limit) bytes that a table may have"
        case .truncated(let byteCount, let expected):
            "is truncated: its header announces \(expected) bytes, it ends at byte \(byteCount)"
        case .trailingBytes(let byteCount, let expected):
            "its header announces \(expected) bytes, but it has \(byteCount): what starts at byte \(expected) does not belong there"
        case .fractionalLabels(let element):
            "holds labels of type \(element): classification needs whole numbers; is `task: regression` meant?"
        case .notFinite(let row, let element, let value):
            "row \(row), element \(element) (both counted from 0) is \(value): data must be finite"
        case .unknownLabel(let row, let label, let known):
            "row \(row) (counted from 0) has the label \(label), which does not occur in the training source; known are \(listed(known))"
        case .tooManyClasses(let limit):
            "has more than \(limit) different labels; is `task: regression` meant?"
        }
    }
}

/// Two lower-case digits.
private func hexadecimal(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
}

/// The first names of a list, for an error text.
func listed(_ names: [String], first count: Int = 20) -> String {
    let shown = names.prefix(count).map { "“\($0)”" }.joined(separator: ", ")
    return names.count > count ? "\(shown) and \(names.count - count) more" : shown
}
