internal import Hashing

/// Reads files one after the other and hashes every byte as it lies on disk.
struct SourceFiles: ~Copyable {
    /// Where relative paths start.
    private let folder: String
    private var hash = SHA256()

    init(folder: String) {
        self.folder = folder
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
        while count > 0 {
            let filled = UnsafeRawBufferPointer(rebasing: piece[..<count])
            hash.update(filled)
            try unpacker.take(filled)
            count = try file.read(into: piece)
        }
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
