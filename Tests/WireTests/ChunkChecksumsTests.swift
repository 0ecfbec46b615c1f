import Testing
import Wire

@Suite struct ChunkChecksumsTests {
    private static let checksums: [UInt64] = [0, 1, .max, 0x0123_4567_89AB_CDEF]

    private func encoded(_ checksums: [UInt64]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xAA, count: ChunkChecksums.byteCount(chunkCount: checksums.count))
        bytes.withUnsafeMutableBytes { ChunkChecksums.encode(checksums, into: $0) }
        return bytes
    }

    @Test func checksumsSurviveTheWire() throws {
        let decoded = try encoded(Self.checksums).withUnsafeBytes { bytes throws(WireError) in
            try ChunkChecksums.decode(bytes, chunkCount: 4)
        }
        #expect(decoded == Self.checksums)
    }

    @Test(arguments: [0, 3, 5, 1 << 20])
    func anotherNumberOfChunksIsRefused(chunks: Int) {
        #expect(throws: WireError.bodyLength(32, expected: chunks * 8)) {
            try encoded(Self.checksums).withUnsafeBytes { bytes throws(WireError) in
                try ChunkChecksums.decode(bytes, chunkCount: chunks)
            }
        }
    }
}
