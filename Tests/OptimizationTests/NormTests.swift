import Exactness
import Kernels
import Testing

@testable import Optimization

@Suite struct NormTests {
    private static let segments = zip([0, 13, 18, 33_000, 33_010], [13, 18, 33_000, 33_010, 70_007]).enumerated().map {
        UpdateSegment(range: $1.0..<$1.1, isRegularized: $0 % 2 == 0)
    }
    private static let length = 70_007

    @Test func sumsHaveTheBitsOfTheirDefinition() throws {
        let block = TestBlock(
            rule: .sgd(learningRate: 0.1), treatment: GradientTreatment(clipValue: 0.1, l2: 0.3),
            weights: TestNumbers.array(Self.length, seed: 1), segments: Self.segments)
        let norms = try block.updater.get().makeNormAccumulator()
        let operands = (0..<2).map { TestNumbers.array(Self.length, seed: UInt32($0 + 2)) }
        let old = block.weights
        #expect(try block.step(operands: operands, sampleCount: 12, norms: norms) == .finite)
        let new = block.weights
        let gradient = zip(operands[0], operands[1]).map { ($0 + $1) / 12 }  // before clip and decay
        let changes = zip(new, old).map { Double($0) - Double($1) }
        for chosen in [0..<1, 1..<2, 2..<3, 2..<4, 0..<5] {
            let sums = norms.sums(of: chosen)
            #expect(sums.gradient == sum(gradient.map(Double.init), over: chosen))
            #expect(sums.weights == sum(new.map(Double.init), over: chosen))
            #expect(sums.change == sum(changes, over: chosen))
        }
    }

    @Test func chunksDoNotTouchTheSums() throws {
        let operands = [TestNumbers.array(Self.length, seed: 2)]
        let sums = try [1, 2, 5].map { blocks in
            let block = TestBlock(rule: .adam(), weights: TestNumbers.array(Self.length, seed: 1), segments: Self.segments)
            block.chunkLength = blocks * figureBlockLength
            let norms = try block.updater.get().makeNormAccumulator()
            _ = try block.step(operands: operands, sampleCount: 3, norms: norms)
            return norms.sums(of: 0..<Self.segments.count)
        }
        #expect(sums[0] == sums[1] && sums[0] == sums[2])
    }

    @Test func aNewStepReplacesTheSumsOfTheLast() throws {
        let block = TestBlock(rule: .sgd(learningRate: 1), weights: [3, 4])
        let norms = try block.updater.get().makeNormAccumulator()
        _ = try block.step(operands: [[0, 0]], sampleCount: 1, norms: norms)
        #expect(norms.sums(of: 0..<1) == SquareSums(gradient: 0, weights: 25, change: 0))
        _ = try block.step(operands: [[3, 0]], sampleCount: 1, norms: norms)
        #expect(norms.sums(of: 0..<1) == SquareSums(gradient: 9, weights: 16, change: 9))
    }

    /// By piece: lanes, halves; by block: pieces in order; then the tree over the block index.
    private func sum(_ values: [Double], over chosen: Range<Int>) -> Double {
        var blocks = [Double?](repeating: nil, count: Self.length / figureBlockLength + 1)
        for segment in chosen {
            for block in blocks.indices {
                let piece = Self.segments[segment].range.clamped(to: block * figureBlockLength..<(block + 1) * figureBlockLength)
                guard !piece.isEmpty else { continue }
                var lanes = [Double](repeating: 0, count: 16)
                for index in piece { lanes[(index - piece.lowerBound) % 16] += values[index] * values[index] }
                for half in [8, 4, 2, 1] {
                    for lane in 0..<half { lanes[lane] += lanes[lane + half] }
                }
                blocks[block] = blocks[block].map { $0 + lanes[0] } ?? lanes[0]
            }
        }
        return treeSum(blocks, +) ?? 0
    }
}
