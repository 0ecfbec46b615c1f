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
        let changes = zip(new, old).map { $0 - $1 }
        for chosen in [0..<1, 1..<2, 2..<3, 2..<4, 0..<5] {
            let sums = norms.sums(of: chosen)
            #expect(sums.gradient == sum(gradient, over: chosen, run: nil))
            #expect(sums.weights == sum(new, over: chosen, run: 4_096))
            #expect(sums.change == sum(changes, over: chosen, run: 4_096))
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

    /// Weights of any size that occurs, and gradients of any size at all.
    @Test(arguments: [1e-36, 1e-30, 1e-20, 1e-12, 1, 1e12, 1e18, 1e25, 1e37] as [Float])
    func sumsReachAsFarAsDoubles(scale: Float) throws {
        let gradient = TestNumbers.array(1_000, seed: 5).map { $0 * scale }
        let block = TestBlock(rule: .sgd(learningRate: 1), weights: [Float](repeating: 0, count: gradient.count))
        let norms = try block.updater.get().makeNormAccumulator()
        _ = try block.step(operands: [gradient], sampleCount: 1, norms: norms)
        // Subnormals are zero in an update.
        let expected = gradient.reduce(0.0) { $1.magnitude < .leastNormalMagnitude ? $0 : $0 + Double($1) * Double($1) }
        let found = norms.sums(of: 0..<1)
        #expect(abs(found.gradient / expected - 1) <= 1e-12)
        // 256 roundings of half a unit; squares that are no floats are zero.
        let tolerance = 256 * Double(Float.ulpOfOne) / 2
        for sum in [found.weights, found.change] {
            #expect(scale < 1e-19 ? sum < 1e-38 : abs(sum / expected - 1) <= tolerance)
        }
    }

    /// By piece: lanes, of floats over a run if there are any, and of doubles; halves; by block: pieces in order; then the tree over the
    /// block index.
    private func sum(_ values: [Float], over chosen: Range<Int>, run length: Int?) -> Double {
        var blocks = [Double?](repeating: nil, count: Self.length / figureBlockLength + 1)
        for segment in chosen {
            for block in blocks.indices {
                let piece = Self.segments[segment].range.clamped(to: block * figureBlockLength..<(block + 1) * figureBlockLength)
                guard !piece.isEmpty else { continue }
                var lanes = [Double](repeating: 0, count: 16)
                if let length {
                    for start in stride(from: piece.lowerBound, to: piece.upperBound, by: length) {
                        var run = [Float](repeating: 0, count: 16)
                        for index in start..<min(start + length, piece.upperBound) {
                            run[(index - start) % 16] += values[index] * values[index]
                        }
                        for lane in 0..<16 { lanes[lane] += Double(run[lane]) }
                    }
                } else {
                    for index in piece { lanes[(index - piece.lowerBound) % 16] += Double(values[index]) * Double(values[index]) }
                }
                for half in [8, 4, 2, 1] {
                    for lane in 0..<half { lanes[lane] += lanes[lane + half] }
                }
                blocks[block] = blocks[block].map { $0 + lanes[0] } ?? lanes[0]
            }
        }
        return treeSum(blocks, +) ?? 0
    }
}
