import Foundation
import Wire

/// Bytes of `Fixtures/<name>.hex`.
func fixture(_ name: String) throws -> [UInt8] {
    let url = Bundle.module.bundleURL.appendingPathComponent("Fixtures/\(name).hex")
    return try String(contentsOf: url, encoding: .utf8).split(whereSeparator: \.isWhitespace).map { text in
        guard let byte = UInt8(text, radix: 16) else { throw CocoaError(.fileReadCorruptFile) }
        return byte
    }
}

extension DataHeader {
    var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0xAA, count: Self.byteCount)
        bytes.withUnsafeMutableBytes { encode(into: $0) }
        return bytes
    }
}

func decodeHeader(_ bytes: [UInt8]) throws(WireError) -> DataHeader {
    try readingUnaligned(bytes) { raw throws(WireError) in try DataHeader(decoding: raw) }
}

func decodeControl<Message: Decodable>(_ type: Message.Type, _ bytes: [UInt8]) throws(WireError) -> Message {
    try readingUnaligned(bytes) { raw throws(WireError) in try ControlCodec.decode(type, from: raw) }
}

func decodeFigures(_ bytes: [UInt8], expectedRows: [Int]) throws(WireError) -> [BlockFigures] {
    try readingUnaligned(bytes) { raw throws(WireError) in try BlockFigures.decode(raw, expectedRows: expectedRows) }
}

func decodeFigures(_ bytes: [UInt8], expectedRows: [Int], classes: Int?) throws(WireError) -> ShardFigures {
    try readingUnaligned(bytes) { raw throws(WireError) in try ShardFigures.decode(raw, expectedRows: expectedRows, classes: classes) }
}

/// What libzmq hands out may begin at any address.
private func readingUnaligned<Result>(
    _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(WireError) -> Result
) throws(WireError) -> Result {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 16)
    defer { memory.deallocate() }
    let shifted = UnsafeMutableRawBufferPointer(rebasing: memory[1...])
    shifted.copyBytes(from: bytes)
    return try body(UnsafeRawBufferPointer(shifted))
}

/// A control message with this text in place of its JSON.
func controlMessage(_ json: String) -> [UInt8] {
    Array("DNNc".utf8) + [4, 0, 0, 0] + Array(json.utf8)
}

/// Pseudo-random bytes (splitmix64) that depend on the seed alone.
struct RandomBytes {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}
