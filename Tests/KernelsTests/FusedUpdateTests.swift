import Exactness
import Testing

@testable import Kernels

@Suite struct FusedUpdateTests {
    private static let treatments = [GradientConstants(), GradientConstants(scale: 0.3, limit: 0.05, l2: 0.01, l1: 0.003)]
    /// A power of two, whose division is a product, and another.
    private static let counts = [64, 100]

    @Test(arguments: RuleConstants.Loop.allCases)
    func everyLevelGivesTheSameBits(loop: RuleConstants.Loop) throws {
        let levels = UpdateKernels.Level.allCases.compactMap { UpdateKernels($0) }
        for operandCount in 1...3 {
            for (treatment, sampleCount) in zip(Self.treatments + Self.treatments.reversed(), Self.counts + Self.counts) {
                let pass = Pass(loop, length: 1_031, operandCount: operandCount, treatment: treatment, sampleCount: sampleCount)
                let expected = pass.run(kernels: levels[0])
                for kernels in levels {
                    #expect(pass.run(kernels: kernels) == expected)
                    #expect(pass.run(kernels: kernels, streamsSlots: true) == expected)
                }
            }
        }
    }

    @Test(arguments: [1, 3, 15, 4_095, 4_097, 16_389])
    func theCutDoesNotTouchTheBits(length: Int) {
        for loop in [RuleConstants.Loop.sgd, .adam, .rmspropCenteredMomentum] {
            let pass = Pass(loop, length: length, operandCount: 2, treatment: Self.treatments[1], sampleCount: 100)
            let whole = pass.run()
            for cut in [1, 7, 1_000, 4_096] where cut < length {
                #expect(pass.run(cuts: [cut]) == whole)
                #expect(pass.run(cuts: [cut], streamsSlots: true) == whole)
            }
        }
    }

    @Test(arguments: RuleConstants.Loop.allCases)
    func theNextVersionMayTakeThePlaceOfTheCurrentOne(loop: RuleConstants.Loop) {
        let pass = Pass(loop, length: 4_105, operandCount: 1, treatment: Self.treatments[1], sampleCount: 1)
        #expect(pass.run(inPlace: true) == pass.run())
    }

    @Test func normsDoNotTouchTheBits() {
        for (treatment, sampleCount) in zip(Self.treatments, Self.counts.reversed()) {
            let pass = Pass(.adam, length: 9_000, operandCount: 2, treatment: treatment, sampleCount: sampleCount)
            #expect(pass.run(norms: NormAccumulator(segments: [0..<9_000])) == pass.run())
        }
    }

    @Test(arguments: [1, 15, 256, 1_031, 9_000])
    func everyLevelGivesTheSameNorms(length: Int) {
        // Away from 1 squares are no floats any more.
        for scale in [1, 1e-30, 1e25] as [Float] {
            let pass = Pass(.adam, length: length, operandCount: 2, treatment: Self.treatments[1], sampleCount: 100, scale: scale)
            let found = UpdateKernels.Level.allCases.compactMap { UpdateKernels($0) }.map { kernels in
                let norms = NormAccumulator(segments: [0..<length])
                _ = pass.run(kernels: kernels, norms: norms)
                return norms.pieceSums
            }
            #expect(found.allSatisfy { $0 == found[0] } && found[0][0].gradient > 0)
        }
    }

    @Test func theThreadsModeDoesNotTouchTheBits() {
        let pass = Pass(.momentum, length: 100, operandCount: 2, treatment: GradientConstants(), sampleCount: 64, scale: 1e-38)
        let expected = pass.run()
        #expect(UpdateKernels.withUpdateMode { pass.run() } == expected)
        #expect(expected.contains { $0 == 0 })  // subnormal velocities are zero
        #expect(TestNumbers.subnormalSurvives)  // and the thread has its own mode back
    }

    @Test(arguments: [0, 1, 37, 4_095, 4_096, 9_998])
    func theFirstSumThatIsNotFiniteIsFound(element: Int) {
        let pairs: [(Float, Float)] = [(.nan, 0), (.infinity, 1), (0, -.infinity), (.infinity, -.infinity), (3e38, 3e38)]
        for (first, second) in pairs {
            for norms in [nil, NormAccumulator(segments: [0..<9_999])] {
                let pass = Pass(.adam, length: 9_999, operandCount: 2, treatment: Self.treatments[0], sampleCount: 100)
                for index in [element, 9_998] {
                    pass.operands[0][index] = first
                    pass.operands[1][index] = second
                }
                #expect(pass.firstWild(norms: norms) == element)
            }
        }
    }

    @Test func aFiniteGradientHasNoWildElement() {
        let values = UnalignedFloats(count: 5_000, seed: 1, shift: 1)
        let scratch = UpdateScratch(shardCount: 1)
        #expect(scratch.firstNotFinite(in: values.view) == nil)
        values[4_500] = .nan
        values[4_999] = .infinity
        #expect(scratch.firstNotFinite(in: values.view) == 4_500)
    }
}

/// One update of a block, repeatable: every run starts from the same weights and slots.
private struct Pass {
    let rule: RuleConstants
    let length: Int
    let operands: [UnalignedFloats]
    let treatment: GradientConstants
    let sampleCount: Int
    let scale: Float

    init(
        _ loop: RuleConstants.Loop, length: Int, operandCount: Int, treatment: GradientConstants, sampleCount: Int, scale: Float = 1
    ) {
        var rule = RuleConstants(loop, rate: 0.01)
        (rule.gradientRate, rule.weightKeep, rule.momentum) = (0.003, 0.999, 0.9)
        (rule.velocityKeep, rule.velocityGain, rule.firstGain) = (0.9, 0.8, 0.1)
        (rule.secondKeep, rule.secondGain, rule.rootScale, rule.epsilon) = (0.99, 0.01, 3.3, 1e-8)
        self.rule = rule
        self.length = length
        operands = (0..<operandCount).map { UnalignedFloats(count: length, seed: UInt32($0 + 10), shift: $0 + 1) }
        self.treatment = treatment
        self.sampleCount = sampleCount
        self.scale = scale
        guard scale != 1 else { return }
        for operand in operands { for index in 0..<length { operand[index] *= scale } }
    }

    /// New weights and slots, one after the other.
    func run(
        kernels: UpdateKernels = .best, cuts: [Int] = [], inPlace: Bool = false, streamsSlots: Bool = false, norms: NormAccumulator? = nil
    ) -> [Float] {
        let (states, wild) = update(kernels, cuts: cuts, inPlace: inPlace, streamsSlots: streamsSlots, norms: norms)
        #expect(wild == nil)
        return states.flatMap { state in (0..<length).map { state.view[$0] } }
    }

    func firstWild(norms: NormAccumulator?) -> Int? {
        update(.best, cuts: [], inPlace: false, streamsSlots: false, norms: norms).wild
    }

    private func update(
        _ kernels: UpdateKernels, cuts: [Int], inPlace: Bool, streamsSlots: Bool, norms: NormAccumulator?
    ) -> (states: [FloatBlock], wild: Int?) {
        let old = (0...rule.loop.slotCount).map { state($0) }
        let new = inPlace ? old : old.map { FloatBlock(count: $0.count) }
        let tree = ShardTree(shardCount: 4)
        let reduction = TreeReduction(nodes: (0..<operands.count).map(tree.leaf), in: tree)
        let bounds = [0] + cuts + [length]
        let scratch = UpdateScratch(shardCount: 4)
        for (start, end) in zip(bounds, bounds.dropFirst()) {
            let pass = FusedUpdate(
                start..<end, reduction: reduction, operands: operands.map { $0.view[start..<end] }, sampleCount: sampleCount,
                weights: old[0].view, slots: old.dropFirst().map(\.view), nextWeights: new[0].mutableView,
                nextSlots: new.dropFirst().map(\.mutableView), scratch: scratch, norms: norms, kernels: kernels,
                streamsSlots: streamsSlots)
            let slots = SlotMap(Array(0..<rule.loop.slotCount))
            if let wild = pass.update(start..<end, rule, treatment, slots: slots, pieceIndex: 0) { return (new, wild) }
        }
        return (withExtendedLifetime(old) { new }, nil)
    }

    /// Weights of both signs and some zeros; slots are not negative, as sums of squares are.
    private func state(_ index: Int) -> FloatBlock {
        let block = FloatBlock(count: length)
        var numbers = TestNumbers(seed: UInt32(index + 100))
        for element in 0..<length {
            let number = numbers.next() * scale
            block.mutableView[element] = index > 0 ? number.magnitude : element % 9 == 0 ? 0 : number
        }
        return block
    }
}

extension TestNumbers {
    /// Whether the calling thread computes with subnormals.
    @inline(never)
    fileprivate static var subnormalSurvives: Bool {
        var numbers = TestNumbers(seed: 1)
        return Float.leastNormalMagnitude * numbers.next().magnitude > 0
    }
}
