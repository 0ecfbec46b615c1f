extension SafetensorsFile {
    /// The rule of the format that a file breaks.
    public enum Defect: Error, Hashable, Sendable, CustomStringConvertible {
        case truncated(found: Int, needed: Int)
        case trailingBytes(Int)
        case headerTooLong(UInt64)
        case badHeader(offset: Int, expected: String)
        case duplicateKey(String)
        case unknownKey(tensor: String, key: String)
        case missingKey(tensor: String, key: String)
        case unknownType(tensor: String, type: String)
        case tooLarge(tensor: String, shape: [Int])
        case wrongByteCount(tensor: String, found: Int, expected: Int)
        case gapOrOverlap(tensor: String, begin: Int, expected: Int)

        public var description: String {
            switch self {
            case .truncated(let found, let needed):
                "it ends after \(found) bytes, \(needed) are needed"
            case .trailingBytes(let count):
                "\(count) bytes behind the last tensor belong to nothing"
            case .headerTooLong(let byteCount):
                "its header would have \(byteCount) bytes, at most \(SafetensorsHeader.maximumByteCount) are allowed"
            case .badHeader(let offset, let expected):
                "byte \(offset) of its header: expected \(expected)"
            case .duplicateKey(let key):
                "its header has “\(key)” twice"
            case .unknownKey(let tensor, let key):
                "tensor “\(tensor)” has an unknown key “\(key)”; known are dtype, shape and data_offsets"
            case .missingKey(let tensor, let key):
                "tensor “\(tensor)” has no “\(key)”"
            case .unknownType(let tensor, let type):
                "tensor “\(tensor)” has the unknown type “\(type)”; known are "
                    + ElementType.allCases.map(\.rawValue).joined(separator: ", ")
            case .tooLarge(let tensor, let shape):
                "tensor “\(tensor)” of shape \(shape) has more bytes than can be counted"
            case .wrongByteCount(let tensor, let found, let expected):
                "tensor “\(tensor)” has \(found) bytes, its shape and type need \(expected)"
            case .gapOrOverlap(let tensor, let begin, let expected):
                "tensor “\(tensor)” begins at byte \(begin), but the one before it ends at byte \(expected)"
            }
        }
    }
}
