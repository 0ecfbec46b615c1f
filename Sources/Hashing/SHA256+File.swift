internal import Glibc

extension SHA256 {
    /// Large enough that the calls cost nothing beside the hash.
    private static let pieceByteCount = 1 << 20

    /// The digest of a file's contents; throws `UnreadableFile`.
    public static func hash(ofFile path: String) throws(UnreadableFile) -> Digest {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw UnreadableFile(path: path, errorNumber: errno) }
        defer { close(descriptor) }

        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceByteCount, alignment: 64)
        defer { piece.deallocate() }
        var hash = SHA256()
        while true {
            let count = read(descriptor, piece.baseAddress, piece.count)
            if count > 0 {
                hash.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
            } else if count == 0 {
                return hash.finalize()
            } else if errno != EINTR {
                throw UnreadableFile(path: path, errorNumber: errno)
            }
        }
    }
}
