/// What is wrong with a .npy file.
public enum NPYFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes that should have been `93 NUMPY`.
    case magic([UInt8])
    case version(major: UInt8, minor: UInt8)
    /// The file ends within its header.
    case headerTruncated(byteCount: Int, expected: Int)
    /// The header's text breaks off from what NumPy writes.
    case header(offset: Int, expected: String)
    case elementType(String)
    case fortranOrder
    case dimensions([Int], allowed: ClosedRange<Int>)
    /// Labels are one number per row.
    case labelDimensions([Int])
    case empty(dimensions: [Int])
    case tooLarge(dimensions: [Int], limit: Int)
    case truncated(byteCount: Int, expected: Int)
    case trailingBytes(byteCount: Int, expected: Int)
    /// Classification with labels that are not whole numbers.
    case fractionalLabels(NPYElement)
    case notFinite(row: Int, element: Int, offset: Int, value: String)
    case unknownLabel(row: Int, label: String, known: [String])
    case tooManyClasses(limit: Int)

    public var description: String {
        switch self {
        case .magic(let bytes):
            "is no .npy file: it starts with the bytes \(hexadecimal(bytes)), expected 93 4e 55 4d 50 59 (“\\x93NUMPY”)"
        case .version(let major, let minor):
            "byte 6: version \(major).\(minor) of the .npy format, expected 1.0, 2.0 or 3.0"
        case .headerTruncated(let byteCount, let expected):
            "is truncated: the header needs \(expected) bytes, the file ends at byte \(byteCount)"
        case .header(let offset, let expected):
            "byte \(offset): expected \(expected), as NumPy writes the header"
        case .elementType(let type):
            "holds elements of type '\(type)', expected one of " + NPYElement.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
                + "; write it with numpy.save(FILE, array.astype('float32'))"
        case .fortranOrder:
            "is stored in Fortran order, expected C order; write it with numpy.save(FILE, numpy.ascontiguousarray(array))"
        case .dimensions(let dimensions, let allowed):
            "has the shape \(dimensions), expected \(allowed.lowerBound) to \(allowed.upperBound) dimensions, the first counting the rows"
        case .labelDimensions(let dimensions):
            "has the shape \(dimensions), expected [rows]: are features and labels swapped?"
        case .empty(let dimensions):
            "holds no data: its shape is \(dimensions)"
        case .tooLarge(let dimensions, let limit):
            "announces the shape \(dimensions), more than the \(limit) bytes that a table may have"
        case .truncated(let byteCount, let expected):
            "is truncated: its header announces \(expected) bytes, it ends at byte \(byteCount)"
        case .trailingBytes(let byteCount, let expected):
            "its header announces \(expected) bytes, but it has \(byteCount): what starts at byte \(expected) does not belong there"
        case .fractionalLabels(let element):
            "holds labels of type '\(element.rawValue)': classification needs whole numbers, array.astype('int64'); "
                + "is `task: regression` meant?"
        case .notFinite(let row, let element, let offset, let value):
            "byte \(offset): row \(row), element \(element) (both counted from 0) is \(value): data must be finite 32-bit numbers"
        case .unknownLabel(let row, let label, let known):
            "row \(row) (counted from 0) has the label \(label), which does not occur in the training source; known are \(listed(known))"
        case .tooManyClasses(let limit):
            "has more than \(limit) different labels; is `task: regression` meant?"
        }
    }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}
