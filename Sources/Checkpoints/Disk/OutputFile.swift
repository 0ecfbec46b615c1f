internal import Hashing

/// A file being written and hashed in one pass.
struct OutputFile: ~Copyable {
    private let disk: Disk
    private let path: String
    private let descriptor: Descriptor
    private var hash = SHA256()
    private var byteCount = 0

    init(creating path: String, on disk: Disk) throws(CheckpointError) {
        self.disk = disk
        self.path = path
        descriptor = try disk.create(path)
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
        for start in stride(from: 0, to: bytes.count, by: disk.pieceByteCount) {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + disk.pieceByteCount, bytes.count)])
            hash.update(piece)
            try disk.write(piece, to: descriptor, at: path)
        }
        byteCount += bytes.count
    }

    mutating func write(_ bytes: [UInt8]) throws(CheckpointError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(CheckpointError) in try write(UnsafeRawBufferPointer(bytes)) }
    }

    /// Returns when all bytes have reached the disk.
    consuming func finish() throws(CheckpointError) -> FileRecord {
        try disk.synchronize(descriptor, at: path)
        return FileRecord(name: Path.name(of: path), byteCount: byteCount, sha256: hash.finalize())
    }
}

extension Disk {
    /// Writes a file under a hidden name beside it, makes it durable and then gives it its own name: what had the name is
    /// replaced as a whole or left as it is.
    func replaceFile(
        at path: String, _ fill: (inout OutputFile) throws(CheckpointError) -> Void
    ) throws(CheckpointError) -> FileRecord {
        let partial = Path.partial(of: path)
        do {
            var file = try OutputFile(creating: partial, on: self)
            try fill(&file)
            let record = try file.finish()
            try rename(partial, to: path)
            try synchronizeFolder(Path.folder(of: path))
            return FileRecord(name: Path.name(of: path), byteCount: record.byteCount, sha256: record.sha256)
        } catch {
            // The first failure is the one to report; what is left has a hidden name.
            try? remove(partial)
            throw error
        }
    }
}
