import Testing

@testable import Datasets

@Suite struct UnpackerTests {
    /// Unpacks bytes handed over in pieces of `pieceLength`.
    private func unpacked(
        _ bytes: [UInt8], pieceLength: Int = 1 << 18, limit: Int = DatasetLimits.byteCount
    ) throws(DatasetError) -> [UInt8] {
        var unpacker = Unpacker(head: Array(bytes.prefix(2)), packedByteCount: bytes.count, name: "f", limit: limit)
        for start in stride(from: 0, to: bytes.count, by: pieceLength) {
            let piece = Array(bytes[start..<min(start + pieceLength, bytes.count)])
            var failure: DatasetError?
            piece.withUnsafeBytes { buffer in
                do throws(DatasetError) { try unpacker.take(buffer) } catch { failure = error }
            }
            if let failure { throw failure }
        }
        return try unpacker.finish()
    }

    @Test(arguments: [1, 2, 7, 1 << 18])
    func membersFollowEachOtherWhereverThePiecesEnd(pieceLength: Int) throws {
        let text = try unpacked(try fixture("two-members.gz"), pieceLength: pieceLength)
        #expect(String(decoding: text, as: UTF8.self) == "hello world\n")
    }

    @Test func outputMayExceedOneBlockOfTheInflater() throws {
        let bytes = try unpacked(try fixture("bomb.idx.gz"))
        #expect(bytes.count == 12 + 4 << 20)
    }

    @Test(arguments: [[], [0x1F], [0x1F, 0x8C, 3], Array("plain text".utf8)] as [[UInt8]])
    func whatIsNoGzipPassesThrough(bytes: [UInt8]) throws {
        #expect(try unpacked(bytes) == bytes)
    }

    @Test func everyCutOfAMemberIsTruncated() throws {
        let whole = try fixture("labels.idx.gz")
        for length in 2..<whole.count {
            let error = #expect(throws: DatasetError.self) { try unpacked(Array(whole[..<length])) }
            guard case .gzip("f", .truncated) = error else {
                Issue.record("a cut at \(length) gives \(String(describing: error))")
                continue
            }
        }
    }

    @Test func aChangedByteIsFoundByTheCheckSum() throws {
        var bytes = try fixture("labels.idx.gz")
        // In the CRC, which is the fourth word from the end of a file of one member.
        bytes[bytes.count - 6] ^= 1
        let error = #expect(throws: DatasetError.self) { try unpacked(bytes) }
        #expect(error == .gzip(path: "f", .corrupt(reason: "incorrect data check", unpackedByteCount: 11)))
    }

    @Test(arguments: [[0], [1, 2, 3, 4], [0x1F], [0x1F, 0x8B]] as [[UInt8]])
    func bytesBehindTheLastMemberAreRefused(garbage: [UInt8]) throws {
        let whole = try fixture("two-members.gz")
        let error = #expect(throws: DatasetError.self) { try unpacked(whole + garbage, pieceLength: 5) }
        #expect(error == .gzip(path: "f", .trailingBytes(offset: whole.count)))
    }

    @Test func nothingBeyondTheLimitIsUnpacked() throws {
        let bomb = try fixture("bomb.idx.gz")
        #expect(throws: DatasetError.tooLarge(path: "f", limit: 1_000_000)) { try unpacked(bomb, limit: 1_000_000) }
        #expect(throws: DatasetError.tooLarge(path: "f", limit: 3)) { try unpacked([1, 2, 3, 4], limit: 3) }
    }
}
