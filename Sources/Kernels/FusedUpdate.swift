internal import CKernels

/// One pass over part of the parameters: reduce, check, divide, clip, decay, rule; a cache block at a time.
package struct FusedUpdate {
    /// Both versions of a state of up to this many Floats (32 MB) may stay in the last cache from one step to the next.
    static let cachedElements = 1 << 23

    let reduction: TreeReduction
    let operands: [FloatView]
    let firstElement: Int
    let divisor: Float
    let arrays: dnn_update_arrays
    let scratch: UpdateScratch
    let norms: NormAccumulator?
    let kernels: UpdateKernels

    /// Operands begin at element `range.lowerBound` of the layout; weights and slots are whole blocks of it.
    ///
    /// The next version may be the same memory as the current one.
    package init(
        _ range: Range<Int>, reduction: TreeReduction, operands: [FloatView], sampleCount: Int,
        weights: FloatView, slots: [FloatView], nextWeights: MutableFloatView, nextSlots: [MutableFloatView], loop: RuleConstants.Loop,
        scratch: UpdateScratch, norms: NormAccumulator?
    ) {
        self.init(
            range, reduction: reduction, operands: operands, sampleCount: sampleCount, weights: weights, slots: slots,
            nextWeights: nextWeights, nextSlots: nextSlots, loop: loop, scratch: scratch, norms: norms, kernels: .best,
            streamsSlots: 2 * (1 + slots.count) * weights.count > Self.cachedElements)
    }

    init(
        _ range: Range<Int>, reduction: TreeReduction, operands: [FloatView], sampleCount: Int,
        weights: FloatView, slots: [FloatView], nextWeights: MutableFloatView, nextSlots: [MutableFloatView], loop: RuleConstants.Loop,
        scratch: UpdateScratch, norms: NormAccumulator?, kernels: UpdateKernels, streamsSlots: Bool
    ) {
        reduction.check(operands, count: range.count, scratch: scratch)
        precondition(sampleCount > 0, "a mean needs samples")
        precondition(slots.count == loop.slotCount && nextSlots.count == loop.slotCount, "the slots of the rule, before and after")
        precondition(
            weights.count == nextWeights.count && range.upperBound <= weights.count && range.lowerBound >= 0
                && slots.allSatisfy { $0.count == weights.count } && nextSlots.allSatisfy { $0.count == weights.count },
            "weights and slots are whole blocks of one layout")
        self.reduction = reduction
        self.operands = operands
        firstElement = range.lowerBound
        divisor = Float(sampleCount)
        func slot(_ index: Int) -> UnsafeRawPointer? { index < slots.count ? slots[index].base : nil }
        func nextSlot(_ index: Int) -> UnsafeMutablePointer<Float>? { index < slots.count ? nextSlots[index].base : nil }
        arrays = dnn_update_arrays(
            weights: weights.base, slots: (slot(0), slot(1), slot(2)),
            next_weights: nextWeights.base, next_slots: (nextSlot(0), nextSlot(1), nextSlot(2)),
            streams_slots: streamsSlots)
        self.scratch = scratch
        self.norms = norms
        self.kernels = kernels
    }

    /// Updates `piece`, elements of the layout within the pass's range; the index of the first element whose sum is not finite, or nil.
    ///
    /// After such an element nothing more is written. With norms, `piece` is one of theirs, numbered `pieceIndex`.
    package func update(_ piece: Range<Int>, _ rule: RuleConstants, _ gradient: GradientConstants, pieceIndex: Int) -> Int? {
        UpdateKernels.withUpdateMode {
            var words = rule.words(gradient)
            var start = piece.lowerBound
            norms?.begin(scratch.lanes)
            while start < piece.upperBound {
                let count = min(UpdateScratch.blockLength, piece.upperBound - start)
                if let wild = updateBlock(start, count, &words) { return wild }
                start += count
            }
            norms?.finish(scratch.lanes, pieceIndex: pieceIndex)
            return nil
        }
    }

    private func updateBlock(_ start: Int, _ count: Int, _ rule: inout dnn_rule) -> Int? {
        let table = kernels.table
        let sum = reduction.joinAllButLast(operands, from: start - firstElement, count: count, scratch: scratch, kernels: kernels)
        guard norms != nil else {
            let isFinite = withUnsafePointer(to: arrays) { table.update(&rule, $0, start, sum, count, divisor) }
            return isFinite ? nil : start + firstWild(sum, count: count)
        }
        let mean = scratch.mean
        guard table.mean(mean, sum, count, divisor) else { return start + firstWild(sum, count: count) }
        _ = withUnsafePointer(to: arrays) { table.update(&rule, $0, start, dnn_sum(a: mean, b: nil), count, 1) }
        let old = arrays.weights + start * MemoryLayout<Float>.stride
        let new = arrays.next_weights + start
        table.squares(scratch.lanes, mean, count)
        table.squares(scratch.lanes + NormAccumulator.laneCount, new, count)
        table.squares_of_difference(scratch.lanes + 2 * NormAccumulator.laneCount, new, old, count)
        return nil
    }

    private func firstWild(_ sum: dnn_sum, count: Int) -> Int {
        let (a, b) = (FloatView(base: sum.a, count: count), sum.b.map { FloatView(base: $0, count: count) })
        return (0..<count).first { !(a[$0] + (b?[$0] ?? 0)).isFinite } ?? 0
    }
}
