import Testing
import Wire

@Suite struct BlockFiguresTests {
    static let blocks = [
        BlockFigures(rows: 32, correct: 32, topFive: 31, loss: 0.1, squaredError: 0),
        BlockFigures(rows: .max, correct: 0, loss: .infinity, squaredError: .leastNonzeroMagnitude),
        BlockFigures(rows: 0, correct: 0, loss: -0.0, squaredError: .greatestFiniteMagnitude),
    ]

    private func encoded(_ blocks: [BlockFigures]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xAA, count: blocks.count * BlockFigures.byteCount)
        bytes.withUnsafeMutableBytes { BlockFigures.encode(blocks, into: $0) }
        return bytes
    }

    @Test func figuresSurviveTheWire() throws {
        let expected = Self.blocks.map { Int($0.rows) }
        #expect(try decodeFigures(encoded(Self.blocks), expectedRows: expected) == Self.blocks)
        #expect(try decodeFigures([], expectedRows: []).isEmpty)
    }

    /// A loss that is not a number is a result, not a broken message.
    @Test func everyBitOfALossTravels() throws {
        let pattern: UInt64 = 0xFFF8_0000_0000_0001
        let block = BlockFigures(rows: 1, correct: 1, loss: Double(bitPattern: pattern), squaredError: Double(bitPattern: pattern + 1))
        let decoded = try decodeFigures(encoded([block]), expectedRows: [1])
        #expect(decoded.map(\.loss.bitPattern) == [pattern])
        #expect(decoded.map(\.squaredError.bitPattern) == [pattern + 1])
    }

    @Test func everyOtherLengthIsRefused() {
        let bytes = encoded(Self.blocks) + [0]
        let expected = Self.blocks.map { Int($0.rows) }
        for length in 0...bytes.count where length != 96 {
            #expect(throws: WireError.bodyLength(length, expected: 96)) {
                try decodeFigures(Array(bytes[..<length]), expectedRows: expected)
            }
        }
    }

    @Test(arguments: [31, 33, 0])
    func anotherRowCountIsRefused(rows: UInt32) {
        let block = BlockFigures(rows: rows, correct: 0, loss: 0, squaredError: 0)
        #expect(throws: WireError.malformed("figures of \(rows) rows, 0 correct, for a block of 32")) {
            try decodeFigures(encoded([Self.blocks[0], block]), expectedRows: [32, 32])
        }
    }

    @Test func moreHitsThanRowsAreRefused() {
        let block = BlockFigures(rows: 4, correct: 5, loss: 0, squaredError: 0)
        #expect(throws: WireError.malformed("figures of 4 rows, 5 correct, for a block of 4")) {
            try decodeFigures(encoded([block]), expectedRows: [4])
        }
    }

    @Test func moreAmongFiveThanRowsAreRefused() {
        let block = BlockFigures(rows: 4, correct: 2, topFive: 5, loss: 0, squaredError: 0)
        #expect(throws: WireError.malformed("figures of 4 rows, 2 correct, for a block of 4")) {
            try decodeFigures(encoded([block]), expectedRows: [4])
        }
    }

    @Test func theReservedWordIsZero() {
        var bytes = encoded([BlockFigures(rows: 4, correct: 2, topFive: 4, loss: 0, squaredError: 0)])
        bytes[13] = 1
        #expect(throws: WireError.reservedByte) { try decodeFigures(bytes, expectedRows: [4]) }
    }
}
