internal import Exactness
public import Kernels

public enum UpdateOutcome: Equatable, Sendable {
    case finite
    /// The first element of the layout whose sum is NaN or infinite. What was written of the next version is to be thrown away.
    case notFinite(element: Int)
}

/// Brings ranges of the parameter block from version t to t+1: one pass over memory that joins the operands in tree order, checks them,
/// divides by the sample count, clips, decays and applies the rule.
///
/// The bits of an element depend on its operands, its old weight and slots, and the scalars alone: not on how the block is cut into
/// ranges, on the thread or on the processor. Immutable; threads share it, each with a scratch of its own.
/// Clipping by global norm needs all of the gradient first, and row limits all of the new weights: see the phases.
public struct Updater: Sendable {
    public let rule: RuleSpecification
    public let treatment: GradientTreatment
    public let segments: [UpdateSegment]
    /// The names of the block's slots: those that any parameter needs.
    public let slotNames: [String]
    /// The number of each segment's group; nil for those that no group matches.
    public let groupOfSegment: [Int?]
    let classes: [UpdateClass]
    private let gradients: [GradientConstants]
    /// By segment.
    private let classIndices: [Int]

    /// - Parameters:
    ///   - segments: in ascending order, covering the block without gap.
    ///   - groups: in the order in which they are asked; see `ParameterGroup`.
    public init(
        rule: RuleSpecification, treatment: GradientTreatment, segments: [UpdateSegment], groups: [ParameterGroup] = []
    ) throws(OptimizationError) {
        try rule.validate(with: treatment)
        precondition(
            segments.first?.range.lowerBound ?? 0 == 0
                && zip(segments, segments.dropFirst()).allSatisfy { $0.range.upperBound == $1.range.lowerBound },
            "segments cover the block in ascending order")
        self.rule = rule
        self.treatment = treatment
        self.segments = segments
        let resolved = try UpdateClasses(rule: rule, treatment: treatment, groups: groups, segments: segments)
        (slotNames, classes, classIndices) = (resolved.slotNames, resolved.classes, resolved.indices)
        groupOfSegment = resolved.groups
        let limit = treatment.clipValue.map { Float($0) } ?? .infinity
        gradients = resolved.classes.map { GradientConstants(limit: limit, l2: Float($0.l2), l1: Float($0.l1)) }
    }

    public var elementCount: Int { segments.last?.range.upperBound ?? 0 }
    public var slotCount: Int { slotNames.count }

    /// What holds for a segment's parameters.
    func treatment(ofSegment index: Int) -> UpdateClass { classes[classIndices[index]] }

    /// Writes the values that slots have before the first step.
    public func initializeSlots(_ slots: [MutableFloatView]) {
        precondition(slots.count == slotCount, "as many blocks as slots")
        for (index, segment) in segments.enumerated() {
            for slot in slots.indices { slots[slot][segment.range].fill(treatment(ofSegment: index).rule.initialSlotValue(slot)) }
        }
    }

    /// - Parameter step: from 1.
    public func scalars(step: UInt64, learningRate: Double) -> StepScalars {
        var scalars = StepScalars(step: step, learningRate: learningRate, constants: [])
        prepare(&scalars, step: step, learningRate: learningRate)
        return scalars
    }

    /// As `scalars`, in the place of those of another step; allocates nothing.
    public func prepare(_ scalars: inout StepScalars, step: UInt64, learningRate: Double) {
        precondition(step > 0, "steps count from 1")
        scalars.step = step
        scalars.learningRate = learningRate
        scalars.constants.removeAll(keepingCapacity: true)
        for group in classes {
            let rate = group.rate(learningRate: learningRate, base: rule.learningRate)
            scalars.constants.append(group.rule.constants(step: step, rate: rate))
        }
    }

    /// A place for the norms of this updater's segments.
    public func makeNormAccumulator() -> NormAccumulator {
        NormAccumulator(segments: segments.map(\.range))
    }

    /// Updates `range`; allocates nothing.
    ///
    /// - Parameters:
    ///   - range: with `norms`, it begins and ends at a figure block's boundary or the block's end.
    ///   - operands: one per node of `reduction`, each as long as `range`, at any byte.
    ///   - sampleCount: what the sum is divided by, once.
    ///   - gradientScale: what the mean is multiplied by then: the factor of the clipping by norm.
    ///   - weights: the whole block of version t, as are `slots`; version t+1 may be the same memory, except with `norms`.
    ///   - scratch: of this thread, for at least as many shards as the reduction's.
    public func update(
        _ range: Range<Int>, reduction: TreeReduction, operands: [FloatView], sampleCount: Int, scalars: StepScalars,
        gradientScale: Float = 1, weights: FloatView, slots: [FloatView], into nextWeights: MutableFloatView,
        nextSlots: [MutableFloatView], scratch: UpdateScratch, norms: NormAccumulator?
    ) -> UpdateOutcome {
        precondition(weights.count == elementCount, "weights and slots are whole blocks of the segments' layout")
        precondition(norms == nil || isWholeFigureBlocks(range), "norms are taken of whole figure blocks")
        let pass = FusedUpdate(
            range, reduction: reduction, operands: operands, sampleCount: sampleCount, weights: weights, slots: slots,
            nextWeights: nextWeights, nextSlots: nextSlots, scratch: scratch, norms: norms)
        var wild: Int?
        forEachPiece(of: range) { piece, segment, block in
            let index = classIndices[segment]
            let number = norms?.pieceIndex(segment: segment, block: block) ?? 0
            if classes[index].isFrozen {
                pass.keep(piece, pieceIndex: number)
                return true
            }
            var gradient = gradients[index]
            gradient.scale = gradientScale
            wild = pass.update(piece, scalars.constants[index], gradient, slots: classes[index].slots, pieceIndex: number)
            return wild == nil
        }
        return wild.map { .notFinite(element: $0) } ?? .finite
    }

    /// The parts of segments inside `range`, none over the border of a figure block, in ascending order; until `body` says no.
    func forEachPiece(of range: Range<Int>, _ body: (_ piece: Range<Int>, _ segment: Int, _ block: Int) -> Bool) {
        var index = firstSegment(endingAfter: range.lowerBound)
        while index < segments.count && segments[index].range.lowerBound < range.upperBound {
            let part = segments[index].range.clamped(to: range)
            for block in NormAccumulator.blocks(of: part) {
                guard body(part.clamped(to: block * figureBlockLength..<(block + 1) * figureBlockLength), index, block) else { return }
            }
            index += 1
        }
    }

    func isWholeFigureBlocks(_ range: Range<Int>) -> Bool {
        range.lowerBound % figureBlockLength == 0
            && (range.upperBound % figureBlockLength == 0 || range.upperBound == elementCount)
    }

    func firstSegment(endingAfter element: Int) -> Int {
        var (low, high) = (0, segments.count)
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].range.upperBound > element { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
