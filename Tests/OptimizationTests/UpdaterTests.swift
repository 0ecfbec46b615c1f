import Exactness
import Kernels
import Testing

@testable import Optimization

@Suite struct UpdaterTests {
    /// Weight, bias, weight, bias: borders inside figure blocks, one segment over several.
    private static let segments = zip([0, 13, 18, 33_000, 33_010], [13, 18, 33_000, 33_010, 40_007]).enumerated().map {
        UpdateSegment(range: $1.0..<$1.1, isRegularized: $0 % 2 == 0)
    }
    private static let length = 40_007

    @Test(arguments: [(nil, 0, 0), (0.05, 0, 0), (nil, 0.1, 0), (nil, 0, 0.02), (0.05, 0.1, 0.02)] as [(Double?, Double, Double)])
    func clipComesBeforeDecayAndBothBeforeTheRule(clip: Double?, l2: Double, l1: Double) throws {
        let weights = TestNumbers.array(Self.length, seed: 1).enumerated().map { $0 % 7 == 0 ? 0 : $1 }
        let operands = (0..<3).map { TestNumbers.array(Self.length, seed: UInt32($0 + 2)) }
        let block = TestBlock(
            rule: .momentum(learningRate: 0.1, dampening: 0.2), treatment: GradientTreatment(clipValue: clip, l2: l2, l1: l1),
            weights: weights, segments: Self.segments)
        var (w, v) = (weights, [Float](repeating: 0, count: Self.length))
        for step in 1...3 {
            #expect(try block.step(operands: operands, sampleCount: 12) == .finite)
            for segment in Self.segments {
                for index in segment.range {
                    var g = ((operands[0][index] + operands[1][index]) + operands[2][index]) / 12
                    if let clip { g = max(-Float(clip), min(Float(clip), g)) }
                    if segment.isRegularized {
                        let sign: Float = w[index] > 0 ? 1 : w[index] < 0 ? -1 : 0
                        g += Float(l2) * w[index] + Float(l1) * sign
                    }
                    v[index] = step == 1 ? g : 0.9 * v[index] + 0.8 * g
                    w[index] -= 0.1 * v[index]
                }
            }
            #expect(block.weights == w)
            #expect(block.slots == [v])
        }
    }

    @Test func chunksDoNotTouchTheBits() throws {
        let treatment = GradientTreatment(clipValue: 0.4, l1: 0.01)
        let operands = (0..<4).map { TestNumbers.array(Self.length, seed: UInt32($0 + 2)) }
        let runs = try [figureBlockLength, 2 * figureBlockLength, 3 * figureBlockLength].map { chunkLength in
            let block = TestBlock(
                rule: .adamw(), treatment: treatment, weights: TestNumbers.array(Self.length, seed: 1), segments: Self.segments)
            block.chunkLength = chunkLength
            for _ in 0..<2 { _ = try block.step(operands: operands, sampleCount: 100) }
            return [block.weights] + block.slots
        }
        #expect(runs[0] == runs[1])
        #expect(runs[0] == runs[2])
    }

    @Test func decoupledDecayLeavesUnregularizedSegmentsAlone() throws {
        let segments = [UpdateSegment(range: 0..<2, isRegularized: true), UpdateSegment(range: 2..<3, isRegularized: false)]
        let block = TestBlock(
            rule: .adamw(learningRate: 0.5, weightDecay: 0.5), weights: [1, -2, 4], segments: segments)
        #expect(try block.step(operands: [[0, 0, 0]], sampleCount: 1) == .finite)
        #expect(block.weights == [0.75, -1.5, 4])
    }

    @Test func theFirstVelocityIsTheGradient() throws {
        for nesterov in [false, true] {
            let block = TestBlock(
                rule: .momentum(learningRate: 0.5, momentum: 0.5, dampening: nesterov ? 0 : 0.25, nesterov: nesterov), weights: [1, 1])
            #expect(try block.step(operands: [[4, -8]], sampleCount: 2) == .finite)
            #expect(block.slots == [[2, -4]])
            #expect(block.weights == (nesterov ? [-0.5, 4] : [0, 3]))
        }
    }

    @Test func adagradsSumStartsAtTheInitialAccumulator() throws {
        let block = TestBlock(rule: .adagrad(learningRate: 1, initialAccumulator: 0.25), weights: [0])
        #expect(block.slots == [[0.25]])
        #expect(try block.step(operands: [[2]], sampleCount: 2) == .finite)
        #expect(block.slots == [[1.25]])
    }

    @Test(arguments: [0, 17, 18, 16_383, 16_384, 33_009, 40_006])
    func anElementThatIsNotFiniteIsNamed(element: Int) throws {
        let block = TestBlock(rule: .adam(), weights: TestNumbers.array(Self.length, seed: 1), segments: Self.segments)
        var operands = (0..<2).map { TestNumbers.array(Self.length, seed: UInt32($0 + 2)) }
        operands[1][element] = .nan
        operands[0][40_006] = .infinity
        let before = block.weights
        #expect(try block.step(operands: operands, sampleCount: 64) == .notFinite(element: element))
        #expect(block.weights == before)
    }

    @Test func eachRuleHasASlotForEachName() {
        for rule in RuleSpecification.samples {
            #expect(rule.constants(step: 7, rate: 0.1).loop.slotCount == rule.slotNames.count, "\(rule.keyword)")
            #expect(Set(rule.slotNames).count == rule.slotNames.count)
        }
    }
}

extension RuleSpecification {
    /// Every rule, with options that change its slots.
    static let samples: [RuleSpecification] = [
        .sgd(learningRate: 0.1), .momentum(learningRate: 0.1), .momentum(learningRate: 0.1, nesterov: true), .adam(), .adam(amsgrad: true),
        .adagrad(learningRate: 0.1), .rmsprop(learningRate: 0.1), .rmsprop(learningRate: 0.1, momentum: 0.9),
        .rmsprop(learningRate: 0.1, centered: true), .rmsprop(learningRate: 0.1, centered: true, momentum: 0.9), .adamw(),
        .adamw(amsgrad: true), .adamax(), .nadam(), .radam(), .adadelta(),
    ]
}
