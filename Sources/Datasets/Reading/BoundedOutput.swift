/// The unpacked size that a file's first bytes announce; nil while they are too few, an error if they are no header.
typealias AnnouncedSize = ([UInt8]) throws(DatasetError) -> Int?

/// The unpacked bytes of a file, with a limit that the file's own header may lower.
struct BoundedOutput {
    /// Bytes kept beyond the announced size, so that the reader can say how many are too many.
    static let slack = 64 << 10

    private(set) var bytes: [UInt8] = []
    /// What error texts call the file.
    private let name: String
    private var limit: Int
    /// What the file can unpack to at most: a header's claim beyond it reserves no memory.
    private let possibleByteCount: Int
    private var announcedSize: AnnouncedSize?

    init(name: String, limit: Int, possibleByteCount: Int, announcedSize: AnnouncedSize? = nil) {
        self.name = name
        self.limit = limit
        self.possibleByteCount = possibleByteCount
        self.announcedSize = announcedSize
    }

    mutating func reserve(_ byteCount: Int) {
        bytes.reserveCapacity(min(byteCount, possibleByteCount, limit))
    }

    mutating func append(_ block: UnsafeRawBufferPointer) throws(DatasetError) {
        guard block.count <= limit - bytes.count else { throw .tooLarge(path: name, limit: limit) }
        bytes.append(contentsOf: block)
        guard let size = try announcedSize?(bytes) else { return }
        announcedSize = nil
        reserve(size)
        limit = min(limit, max(size, bytes.count) + Self.slack)
    }
}
