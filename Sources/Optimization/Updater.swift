internal import Exactness
public import Kernels

/// A run of parameters that are treated alike: one entry of the layout.
public struct UpdateSegment: Equatable, Sendable {
    /// Elements of the layout.
    public var range: Range<Int>
    /// Whether L1, L2 and the rule's own decay apply: weights yes, biases and slopes no.
    public var isRegularized: Bool

    public init(range: Range<Int>, isRegularized: Bool) {
        self.range = range
        self.isRegularized = isRegularized
    }
}

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
public struct Updater: Sendable {
    public let rule: RuleSpecification
    public let treatment: GradientTreatment
    public let segments: [UpdateSegment]
    private let plain: GradientConstants
    private let regularized: GradientConstants

    /// - Parameter segments: in ascending order, covering the block without gap.
    public init(rule: RuleSpecification, treatment: GradientTreatment, segments: [UpdateSegment]) throws(OptimizationError) {
        try rule.validate(with: treatment)
        precondition(
            segments.first?.range.lowerBound ?? 0 == 0
                && zip(segments, segments.dropFirst()).allSatisfy { $0.range.upperBound == $1.range.lowerBound },
            "segments cover the block in ascending order")
        self.rule = rule
        self.treatment = treatment
        self.segments = segments
        plain = GradientConstants(limit: treatment.clipValue.map { Float($0) } ?? .infinity)
        regularized = GradientConstants(limit: plain.limit, l2: Float(treatment.l2), l1: Float(treatment.l1))
    }

    public var elementCount: Int { segments.last?.range.upperBound ?? 0 }
    public var slotNames: [String] { rule.slotNames }
    public var slotCount: Int { rule.slotNames.count }

    public func initialSlotValue(_ slot: Int) -> Float { rule.initialSlotValue(slot) }

    /// - Parameter step: from 1.
    public func scalars(step: UInt64, learningRate: Double) -> StepScalars {
        StepScalars(rule, step: step, learningRate: learningRate)
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
    ///   - weights: the whole block of version t, as are `slots`; version t+1 may be the same memory, except with `norms`.
    ///   - scratch: of this thread, for at least as many shards as the reduction's.
    public func update(
        _ range: Range<Int>, reduction: TreeReduction, operands: [FloatView], sampleCount: Int, scalars: StepScalars,
        weights: FloatView, slots: [FloatView], into nextWeights: MutableFloatView, nextSlots: [MutableFloatView],
        scratch: UpdateScratch, norms: NormAccumulator?
    ) -> UpdateOutcome {
        precondition(weights.count == elementCount, "weights and slots are whole blocks of the segments' layout")
        precondition(norms == nil || isWholeFigureBlocks(range), "norms are taken of whole figure blocks")
        let pass = FusedUpdate(
            range, reduction: reduction, operands: operands, sampleCount: sampleCount, weights: weights, slots: slots,
            nextWeights: nextWeights, nextSlots: nextSlots, loop: scalars.plain.loop, scratch: scratch, norms: norms)
        var index = firstSegment(endingAfter: range.lowerBound)
        while index < segments.count && segments[index].range.lowerBound < range.upperBound {
            let segment = segments[index]
            let part = segment.range.clamped(to: range)
            for block in NormAccumulator.blocks(of: part) {
                let piece = part.clamped(to: block * figureBlockLength..<(block + 1) * figureBlockLength)
                let wild = pass.update(
                    piece, segment.isRegularized ? scalars.regularized : scalars.plain,
                    segment.isRegularized ? regularized : plain,
                    pieceIndex: norms?.pieceIndex(segment: index, block: block) ?? 0)
                if let wild { return .notFinite(element: wild) }
            }
            index += 1
        }
        return .finite
    }

    private func isWholeFigureBlocks(_ range: Range<Int>) -> Bool {
        range.lowerBound % figureBlockLength == 0
            && (range.upperBound % figureBlockLength == 0 || range.upperBound == elementCount)
    }

    private func firstSegment(endingAfter element: Int) -> Int {
        var (low, high) = (0, segments.count)
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].range.upperBound > element { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
