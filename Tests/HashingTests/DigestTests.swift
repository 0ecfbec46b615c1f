import Foundation
import Hashing
import Testing

@Suite struct DigestTests {
    private let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    @Test func writesWhatItRead() throws {
        let digest = try #require(Digest(hex: text))
        #expect(digest.description == text)
        #expect(digest.bytes.count == Digest.byteCount)
        #expect(digest.bytes.first == 0xba && digest.bytes.last == 0xad)
        #expect(Digest(bytes: digest.bytes) == digest)
        #expect(Digest(hex: text.uppercased()) == digest)
    }

    @Test(arguments: [
        "", "ba7816bf", String(repeating: "0", count: 63), String(repeating: "0", count: 65), String(repeating: "g", count: 64),
        "+" + String(repeating: "0", count: 63), String(repeating: "é", count: 32), " " + String(repeating: "0", count: 63),
    ])
    func otherTextIsNoDigest(_ text: String) {
        #expect(Digest(hex: text) == nil)
    }

    @Test func otherLengthsAreNoDigest() {
        #expect(Digest(bytes: [UInt8](repeating: 0, count: 31)) == nil)
        #expect(Digest(bytes: [UInt8](repeating: 0, count: 33)) == nil)
    }

    @Test func isTextInJSON() throws {
        let digest = try #require(Digest(hex: text))
        let json = try JSONEncoder().encode([digest])
        #expect(String(decoding: json, as: UTF8.self) == "[\"\(text)\"]")
        #expect(try JSONDecoder().decode([Digest].self, from: json) == [digest])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([Digest].self, from: Data("[\"12\"]".utf8)) }
    }
}
