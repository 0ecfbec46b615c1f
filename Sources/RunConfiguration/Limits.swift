/// Bounds on what is read, so that no file can stall or fill the coordinator before its first problem is printed.
enum Limits {
    /// Bytes. A net of thousands of layers takes a tenth of it.
    static let fileByteCount = 1 << 20
    /// Values of a document after aliases are expanded: aliases of aliases grow without bound.
    static let valueCount = 100_000
    /// Maps and lists inside each other.
    static let depth = 64
    /// Keys written twice that are reported before reading stops: each costs another pass over the text.
    static let duplicateKeyCount = 8
}
