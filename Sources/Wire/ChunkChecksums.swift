/// The body of an audit report: a checksum for every chunk of a gradient, u64 each, little-endian, in ascending order of chunk.
public enum ChunkChecksums {
    public static func byteCount(chunkCount: Int) -> Int { chunkCount * MemoryLayout<UInt64>.size }

    public static func encode(_ checksums: [UInt64], into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count == byteCount(chunkCount: checksums.count), "checksums need exactly their size")
        for (chunk, checksum) in checksums.enumerated() {
            bytes.storeBytes(of: checksum.littleEndian, toByteOffset: byteCount(chunkCount: chunk), as: UInt64.self)
        }
    }

    public static func decode(_ bytes: UnsafeRawBufferPointer, chunkCount: Int) throws(WireError) -> [UInt64] {
        guard bytes.count == byteCount(chunkCount: chunkCount) else {
            throw .bodyLength(bytes.count, expected: byteCount(chunkCount: chunkCount))
        }
        return (0..<chunkCount).map {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: byteCount(chunkCount: $0), as: UInt64.self))
        }
    }
}
