import Testing
import Wire

@Suite struct ShardFiguresTests {
    static let blocks = [
        BlockFigures(rows: 3, correct: 1, topFive: 3, loss: 2, squaredError: 0),
        BlockFigures(rows: 2, correct: 2, topFive: 2, loss: 1, squaredError: 0),
    ]
    static let good = [
        ConfusionCount(truth: 0, found: 0, count: 2), ConfusionCount(truth: 0, found: 3, count: 2),
        ConfusionCount(truth: 3, found: 3, count: 1),
    ]

    private func bytes(_ confusion: [ConfusionCount]) -> [UInt8] {
        let figures = ShardFigures(blocks: Self.blocks, confusion: confusion)
        var bytes = [UInt8](repeating: 0xAA, count: figures.byteCount)
        bytes.withUnsafeMutableBytes { figures.encode(into: $0) }
        return bytes
    }

    @Test func countsSurviveTheWire() throws {
        let found = try decodeFigures(bytes(Self.good), expectedRows: [3, 2], classes: 4)
        #expect(found == ShardFigures(blocks: Self.blocks, confusion: Self.good))
        #expect(try decodeFigures(bytes([]), expectedRows: [3, 2], classes: nil) == ShardFigures(blocks: Self.blocks))
    }

    @Test func countsThatNobodyWantsAreRefused() {
        #expect(throws: WireError.bodyLength(100, expected: 64)) {
            try decodeFigures(bytes(Self.good), expectedRows: [3, 2], classes: nil)
        }
    }

    static let bad: [(String, [ConfusionCount])] = [
        ("missing", []),
        ("a class that does not exist", good.dropLast() + [ConfusionCount(truth: 4, found: 4, count: 1)]),
        ("found a class that does not exist", [good[0], ConfusionCount(truth: 0, found: 4, count: 2), good[2]]),
        ("nothing counted", good + [ConfusionCount(truth: 3, found: 3, count: 0)]),
        ("twice", [good[0], ConfusionCount(truth: 0, found: 3, count: 1), ConfusionCount(truth: 0, found: 3, count: 1), good[2]]),
        ("out of order", [good[1], good[0], good[2]]),
        ("other rows", [good[0], good[1]]),
        ("other hits", [good[0], good[1], ConfusionCount(truth: 3, found: 1, count: 1)]),
        ("a sum beyond 32 bits", [good[0], good[1], good[2], ConfusionCount(truth: 3, found: 4, count: .max)]),
    ]

    @Test(arguments: bad)
    func countsThatDoNotFitAreRefused(_ name: String, _ confusion: [ConfusionCount]) {
        #expect(throws: WireError.self, "\(name)") { try decodeFigures(bytes(confusion), expectedRows: [3, 2], classes: 4) }
    }

    @Test func everyTruncationIsRefused() {
        let whole = bytes(Self.good)
        for length in 0..<whole.count {
            #expect(throws: WireError.self) { try decodeFigures(Array(whole[..<length]), expectedRows: [3, 2], classes: 4) }
        }
    }
}
