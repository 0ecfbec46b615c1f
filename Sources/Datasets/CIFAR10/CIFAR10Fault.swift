/// What is wrong with a file of CIFAR-10's binary version.
public enum CIFAR10Fault: Error, Equatable, Sendable, CustomStringConvertible {
    case empty
    /// The file ends within a row.
    case truncated(row: Int, offset: Int, byteCount: Int)
    case label(row: Int, offset: Int, value: UInt8)
    case unknownLabel(row: Int, label: String, known: [String])

    public var description: String {
        switch self {
        case .empty:
            "holds no rows: expected 1 label byte and 3072 pixel bytes per row"
        case .truncated(let row, let offset, let byteCount):
            "is truncated: row \(row) (counted from 0) starts at byte \(offset) and needs 3073 bytes (1 label, 3072 pixels), "
                + "the file ends at byte \(byteCount); is it the binary version of CIFAR-10?"
        case .label(let row, let offset, let value):
            "byte \(offset): expected the label of row \(row) (counted from 0), 0 to 9, found \(value); "
                + "is it the binary version of CIFAR-10?"
        case .unknownLabel(let row, let label, let known):
            "row \(row) (counted from 0) has the label \(label), which does not occur in the training source; known are \(listed(known))"
        }
    }
}
