public import Hashing

/// A file of a data set and the hash of its bytes as they lie on disk.
public struct FileDigest: Codable, Equatable, Sendable {
    public var path: String
    public var sha256: Digest

    public init(path: String, sha256: Digest) {
        self.path = path
        self.sha256 = sha256
    }
}

/// Reads files one after the other and hashes every byte as it lies on disk.
struct SourceFiles: ~Copyable {
    /// Where relative paths start.
    private let folder: String
    private var hash = SHA256()
    private let listsFiles: Bool
    /// Every file whose contents were read, in order; empty unless they are wanted.
    private(set) var digests: [FileDigest] = []

    /// - Parameter listsFiles: whether every file is hashed by itself too.
    init(folder: String, listsFiles: Bool = false) {
        self.folder = folder
        self.listsFiles = listsFiles
    }

    /// The contents of a file, unpacked if it starts as gzip does.
    mutating func contents(
        of path: String, limit: Int = DatasetLimits.byteCount, announcedSize: AnnouncedSize? = nil
    ) throws(DatasetError) -> [UInt8] {
        try contents(of: InputFile(path: resolved(path), name: path), limit: limit, announcedSize: announcedSize)
    }

    mutating func contents(
        of file: borrowing InputFile, limit: Int = DatasetLimits.byteCount, announcedSize: AnnouncedSize? = nil
    ) throws(DatasetError) -> [UInt8] {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: InputFile.pieceByteCount, alignment: 64)
        defer { piece.deallocate() }
        var count = try file.read(into: piece)
        var unpacker = Unpacker(
            head: Array(piece[..<min(count, GzipInflater.magic.count)]), packedByteCount: file.byteCount, name: file.path, limit: limit,
            announcedSize: announcedSize)
        var own = SHA256()
        while count > 0 {
            let filled = UnsafeRawBufferPointer(rebasing: piece[..<count])
            hash.update(filled)
            if listsFiles { own.update(filled) }
            try unpacker.take(filled)
            count = try file.read(into: piece)
        }
        if listsFiles { digests.append(FileDigest(path: file.path, sha256: own.finalize())) }
        return try unpacker.finish()
    }

    /// Hashes a file that others read.
    mutating func passOver(_ path: String) throws(DatasetError) {
        let file = try InputFile(path: resolved(path), name: path)
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: InputFile.pieceByteCount, alignment: 64)
        defer { piece.deallocate() }
        while true {
            let count = try file.read(into: piece)
            guard count > 0 else { break }
            hash.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
        }
    }

    /// The digest over all files so far, one behind the other.
    consuming func finalize() -> Digest {
        hash.finalize()
    }

    private func resolved(_ path: String) -> String {
        path.hasPrefix("/") || folder.isEmpty ? path : "\(folder)/\(path)"
    }
}
