/// Where a value was written.
public enum Place: Hashable, Sendable, CustomStringConvertible {
    /// A whole file.
    case file(String)
    /// Line and column count from 1; columns count Unicode scalars.
    case position(file: String, line: Int, column: Int)
    /// An override, as it was given after `--set`.
    case override(String)

    public var description: String {
        switch self {
        case .file(let file): file
        case .position(let file, let line, let column): "\(file):\(line):\(column)"
        case .override(let text): "--set \(text)"
        }
    }

    /// Files come before overrides, lines in their order.
    var rank: (Int, Int, Int) {
        switch self {
        case .file: (0, 0, 0)
        case .position(_, let line, let column): (0, line, column)
        case .override: (1, 0, 0)
        }
    }
}
