import Exactness
import Kernels
import Testing

@testable import Optimization

@Suite struct ClippingTests {
    private static let length = 40_007

    /// Segments with borders inside of figure blocks, the second one frozen.
    private static let segments = zip([0, 13, 18_000, 33_000], [13, 18_000, 33_000, 40_007]).enumerated().map {
        UpdateSegment(range: $1.0..<$1.1, isRegularized: $0 % 2 == 0, name: "part\($0)")
    }

    @Test func theNormHasTheBitsOfItsDefinition() throws {
        let frozen = [ParameterGroup(match: "part1", isFrozen: true)]
        for groups in [[], frozen] {
            let updater = try Updater(
                rule: .sgd(learningRate: 1), treatment: GradientTreatment(clipNorm: 2), segments: Self.segments, groups: groups)
            let operands = (0..<2).map { FloatBlock(TestNumbers.array(Self.length, seed: UInt32($0 + 1))) }
            let mean = (0..<Self.length).map { (operands[0].values[$0] + operands[1].values[$0]) / 12 }
            var blocks = [Double](repeating: 0, count: 3)
            for (index, segment) in Self.segments.enumerated() where groups.isEmpty || index != 1 {
                for block in 0..<3 {
                    let piece = segment.range.clamped(to: block * figureBlockLength..<(block + 1) * figureBlockLength)
                    guard !piece.isEmpty else { continue }
                    var lanes = [Double](repeating: 0, count: 16)
                    for element in piece { lanes[(element - piece.lowerBound) % 16] += Double(mean[element]) * Double(mean[element]) }
                    for half in [8, 4, 2, 1] { for lane in 0..<half { lanes[lane] += lanes[lane + half] } }
                    blocks[block] += lanes[0]
                }
            }
            let tree = ShardTree(shardCount: 2)
            for cut in [1, 2, 3] {
                let next = FloatBlock(count: Self.length)
                let squares = BlockSums(elementCount: Self.length)
                for start in stride(from: 0, to: Self.length, by: cut * figureBlockLength) {
                    let range = start..<min(start + cut * figureBlockLength, Self.length)
                    let outcome = updater.reduce(
                        range, reduction: TreeReduction(nodes: [tree.leaf(0), tree.leaf(1)], in: tree),
                        operands: operands.map { $0.view[range] }, sampleCount: 12, into: next.mutableView,
                        scratch: UpdateScratch(shardCount: 2), squares: squares)
                    #expect(outcome == .finite)
                }
                #expect(squares.total == (blocks[0] + blocks[1]) + blocks[2])
                #expect(next.values == mean)
            }
        }
    }

    @Test func theFactorNeverEnlarges() throws {
        let updater = try Updater(
            rule: .sgd(learningRate: 1), treatment: GradientTreatment(clipNorm: 5), segments: Self.segments)
        #expect(updater.clipFactor(squaredNorm: 0) == 1)
        #expect(updater.clipFactor(squaredNorm: 16) == 1)
        #expect(updater.clipFactor(squaredNorm: 100) == Float(5 / (10 + 1e-6)))
    }

    @Test func clippingComesBeforeDecay() throws {
        let optimizer = try Optimizer(
            rule: .sgd(learningRate: 1), treatment: GradientTreatment(clipNorm: 5, l2: 1), weights: FloatBlock([1, 1]))
        for (index, value) in [30, 40].enumerated() { optimizer.gradient.mutableView[index] = Float(value) }
        try optimizer.step()
        let factor = Float(5 / (50 + 1e-6))
        #expect(optimizer.weights.values == [1 - (30 * factor + 1), 1 - (40 * factor + 1)])
        #expect(optimizer.gradient.values == [30, 40])
    }

    @Test func bothKindsOfClippingAtOnceAreRefused() {
        #expect(throws: OptimizationError.option("clip", problem: "must be by value or by global norm, got both")) {
            try Optimizer(rule: .adam(), treatment: GradientTreatment(clipValue: 1, clipNorm: 1), weights: FloatBlock([1]))
        }
    }
}

@Suite struct RowLimitTests {
    /// A matrix of 10 rows of 3 and a bias: rows that end at no vector's border, more than go through the loop at once.
    private static let segments = [
        UpdateSegment(range: 0..<30, isRegularized: true, name: "a.weight", shape: [10, 3]),
        UpdateSegment(range: 30..<40, isRegularized: false, name: "a.bias", shape: [10]),
        UpdateSegment(range: 40..<64, isRegularized: true, name: "b.weight", shape: [2, 3, 2, 2]),
    ]

    private static func limited(_ weights: [Float], rows: Range<Int>, length: Int, to limit: Double) -> [Float] {
        var weights = weights
        for start in stride(from: rows.lowerBound, to: rows.upperBound, by: length) {
            let norm = weights[start..<start + length].reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard norm > limit else { continue }
            for index in start..<start + length { weights[index] = Float(Double(weights[index]) * (limit / norm)) }
        }
        return weights
    }

    @Test func rowsLongerThanTheLimitAreScaledToItAndOthersLeftAlone() throws {
        let start = TestNumbers.array(64, seed: 5).enumerated().map { $0 < 6 ? $1 / 8 : $1 * 3 }
        let optimizer = try Optimizer(
            rule: .sgd(learningRate: 0.1), treatment: GradientTreatment(maxNorm: 1),
            groups: [
                ParameterGroup(match: "b.*", maxNorm: .length(0.5))
            ], weights: FloatBlock(start), segments: Self.segments)
        let gradient = TestNumbers.array(64, seed: 6)
        for (index, value) in gradient.enumerated() { optimizer.gradient.mutableView[index] = value }
        try optimizer.step()
        var expected = zip(start, gradient).map { $0 - 0.1 * $1 }
        let before = expected
        expected = Self.limited(expected, rows: 0..<30, length: 3, to: 1)
        expected = Self.limited(expected, rows: 40..<64, length: 12, to: 0.5)
        #expect(optimizer.weights.values == expected)
        #expect(Array(expected[..<3]) == Array(before[..<3]) && expected[30..<40] == before[30..<40] && expected[40] != before[40])
    }

    @Test func aGroupMayLiftTheLimitAndFrozenRowsHaveNone() throws {
        let start = [Float](repeating: 4, count: 64)
        let optimizer = try Optimizer(
            rule: .sgd(learningRate: 1), treatment: GradientTreatment(maxNorm: 1),
            groups: [
                ParameterGroup(match: "b.*", maxNorm: ParameterGroup.RowLimit.none)
            ], weights: FloatBlock(start), segments: Self.segments)
        try optimizer.step()
        #expect(optimizer.weights.values[40...].allSatisfy { $0 == 4 } && optimizer.weights.values[..<30].allSatisfy { $0 < 1 })
        let frozen = try Optimizer(
            rule: .sgd(learningRate: 1), treatment: GradientTreatment(maxNorm: 1), groups: [ParameterGroup(match: "a.*", isFrozen: true)],
            weights: FloatBlock(start), segments: Self.segments)
        try frozen.step()
        #expect(frozen.weights.values[..<40].allSatisfy { $0 == 4 } && frozen.weights.values[40...].allSatisfy { $0 < 1 })
    }

    /// Rows that are not finite are left as they are: what they mean shows in the next step's gradient.
    @Test func zeroAndInfiniteRowsDoNotTrap() throws {
        var start = [Float](repeating: 0, count: 64)
        start[3] = .infinity
        let optimizer = try Optimizer(
            rule: .sgd(learningRate: 1), treatment: GradientTreatment(maxNorm: 1), weights: FloatBlock(start), segments: Self.segments)
        try optimizer.step()
        #expect(Array(optimizer.weights.values[..<3]) == [0, 0, 0])
    }

    @Test(arguments: [1, 2, 7, 30, 64])
    func itDoesNotMatterWhereTheBlockIsCut(length: Int) throws {
        let updater = try Updater(rule: .sgd(learningRate: 1), treatment: GradientTreatment(maxNorm: 1), segments: Self.segments)
        let start = TestNumbers.array(64, seed: 7).map { $0 * 3 }
        let (whole, cut) = (FloatBlock(start), FloatBlock(start))
        updater.limitRows(beginningIn: 0..<64, of: whole.mutableView)
        for first in stride(from: 0, to: 64, by: length) {
            let range = first..<min(first + length, 64)
            let end = updater.endOfLimitedRows(beginningIn: range)
            let starts = [(0, 30, 3), (40, 64, 12)].flatMap { stride(from: $0.0, to: $0.1, by: $0.2).map { $0 } }.filter(range.contains)
            #expect(end == starts.last.map { $0 + ($0 < 30 ? 3 : 12) })
            updater.limitRows(beginningIn: range, of: cut.mutableView)
        }
        #expect(whole.values == cut.values)
        #expect(whole.values != start)
    }
}
