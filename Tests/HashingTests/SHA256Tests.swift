import Foundation
import Hashing
import Testing

/// FIPS 180-4; the vectors of `officialVectors` are NIST's examples.
@Suite struct SHA256Tests {
    private static let officialVectors = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    /// Lengths around the padding's and the block's edges, from Python's `hashlib`.
    private static let patternVectors = [
        (55, "8aa994584139d128848eeebc4e815639ba5ab6e6e39574195a63ac4f14f7c43b"),
        (56, "ad574708f75c044c9b85de64cb568ee7711ff4f36448c6242f053ba8f6cc2b63"),
        (63, "280ed3e8ff1df845b2e7dfe6ac6cee817bef20e783cc65abc41b818b4d2fe076"),
        (64, "c6ab9724ade5b6a7a1edfffb12f3aa9181351355af8fd08c919952ad211339dd"),
        (65, "788367c73c7ddf4c53f65e68cc0d943e6227ab55b0e78ba63ace822b1c6301c0"),
        (3_000_000, "d781aa722f790c57bfd4fc25860267cfeb4ed410f07230aa41809a4c6c6246f1"),
    ]

    @Test(arguments: officialVectors)
    func agreesWithFIPS180(text: String, digest: String) {
        #expect(SHA256.hash(of: Array(text.utf8)).description == digest)
        var hash = SHA256()
        hash.update(text)
        #expect(hash.finalize().description == digest)
    }

    @Test(arguments: patternVectors)
    func agreesWithHashlib(byteCount: Int, digest: String) {
        #expect(SHA256.hash(of: pattern(byteCount)).description == digest)
    }

    @Test func textCountsAsUTF8() {
        var hash = SHA256()
        hash.update("größe")
        #expect(hash.finalize().description == "d353a2671b67afff0941ae456e5c76e9394bd6579774ae7542a6185fb9843384")
    }

    @Test(arguments: [1, 7, 64, 1000])
    func piecesDoNotMatter(pieceByteCount: Int) {
        let bytes = pattern(4099)
        var hash = SHA256()
        for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
            hash.update(Array(bytes[start..<min(start + pieceByteCount, bytes.count)]))
            hash.update([UInt8]())
        }
        #expect(hash.finalize() == SHA256.hash(of: bytes))
    }

    @Test func anUnfinishedHashIsDropped() {
        var hash = SHA256()
        hash.update("never asked for")
    }

    @Test(arguments: patternVectors)
    func hashesAFile(byteCount: Int, digest: String) throws {
        let path = NSTemporaryDirectory() + "hashing-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(pattern(byteCount)).write(to: URL(fileURLWithPath: path))
        #expect(try SHA256.hash(ofFile: path).description == digest)
    }

    @Test func aFileThatCannotBeReadIsNamed() {
        let missing = #expect(throws: UnreadableFile.self) { try SHA256.hash(ofFile: "/nowhere/at/all") }
        #expect(missing?.errorNumber == ENOENT)
        #expect(missing?.description == "/nowhere/at/all: cannot be read: No such file or directory")

        let folder = #expect(throws: UnreadableFile.self) { try SHA256.hash(ofFile: NSTemporaryDirectory()) }
        #expect(folder?.errorNumber == EISDIR)
    }
}

/// Byte i is 31·i + 7 modulo 256, as when the expected figures were made.
func pattern(_ byteCount: Int) -> [UInt8] {
    (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 * 31 + 7) }
}
