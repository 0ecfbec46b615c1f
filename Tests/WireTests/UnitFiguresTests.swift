import Testing
import Wire

/// Protocol.md §3, `layer-units`.
@Suite struct UnitFiguresTests {
    private static let layers: [UnitFigures] = [
        .alive([1, 0, 0, 1, 1, 0, 0, 0, 0, 1]), .outside(0x0102_0304_0506_0708), .wins([7, 0, UInt64.max]), .alive([]),
    ]

    private func decode(_ bytes: [UInt8], expected: Int) throws(WireError) -> [UnitFigures] {
        // What libzmq hands out may begin at any address.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 16)
        defer { memory.deallocate() }
        let shifted = UnsafeMutableRawBufferPointer(rebasing: memory[1...])
        shifted.copyBytes(from: bytes)
        return try UnitFigures.decode(UnsafeRawBufferPointer(shifted), expected: expected)
    }

    @Test func theBytesAreTheCommittedOnes() throws {
        #expect(UnitFigures.encode(Self.layers) == (try fixture("units")))
    }

    @Test func whatIsWrittenIsReadBack() throws {
        #expect(try decode(UnitFigures.encode(Self.layers), expected: Self.layers.count) == Self.layers)
        #expect(try decode([], expected: 0).isEmpty)
    }

    @Test func everyTruncationIsRefused() {
        let bytes = UnitFigures.encode(Self.layers)
        for count in bytes.indices {
            #expect(throws: WireError.self) { try decode(Array(bytes[..<count]), expected: Self.layers.count) }
        }
    }

    @Test func anotherNumberOfLayersIsRefused() {
        let bytes = UnitFigures.encode(Self.layers)
        #expect(throws: WireError.malformed("5 octets behind the figures of units")) { try decode(bytes, expected: 3) }
        #expect(throws: WireError.self) { try decode(bytes, expected: 5) }
    }

    @Test func unknownKindsAndHugeCountsAreRefused() {
        #expect(throws: WireError.malformed("figures of units of kind 3 with 1 numbers")) { try decode([3, 1, 0, 0, 0], expected: 1) }
        for kind: UInt8 in 0...2 {
            #expect(throws: WireError.self) { try decode([kind, 0xFF, 0xFF, 0xFF, 0xFF, 0], expected: 1) }
        }
    }

    @Test func shardsAreJoinedInAnyOrder() {
        let shards: [[UnitFigures]] = [
            [.alive([1, 0, 0]), .outside(3), .wins([1, 2])], [.alive([0, 0, 1]), .outside(4), .wins([5, 0])],
            [.alive([0, 0, 1]), .outside(0), .wins([0, 9])],
        ]
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let sum = (0..<3).map { layer in order.map { shards[$0][layer] }.reduce(nil as UnitFigures?) { $0?.joined(with: $1) ?? $1 } }
            #expect(sum == [.alive([1, 0, 1]), .outside(7), .wins([6, 11])])
        }
    }

    @Test func otherFormsAreNotJoined() {
        #expect(UnitFigures.alive([1, 0]).joined(with: .alive([1])) == nil)
        #expect(UnitFigures.alive([1, 0]).joined(with: .outside(1)) == nil)
        #expect(UnitFigures.wins([1, 2]).joined(with: .wins([1, 2, 3])) == nil)
    }
}
