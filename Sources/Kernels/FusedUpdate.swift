internal import CKernels

/// One pass over part of the parameters: reduce, check, divide, clip, decay, rule; a cache block at a time.
package struct FusedUpdate {
    /// Both versions of a state of up to this many Floats (32 MB) may stay in the last cache from one step to the next.
    static let cachedElements = 1 << 23

    let reduction: TreeReduction
    let operands: [FloatView]
    let firstElement: Int
    let divisor: Float
    let weights: UnsafeRawPointer
    let nextWeights: UnsafeMutablePointer<Float>
    let slots: [FloatView]
    let nextSlots: [MutableFloatView]
    let streamsSlots: Bool
    let scratch: UpdateScratch
    let norms: NormAccumulator?
    let kernels: UpdateKernels

    /// Operands begin at element `range.lowerBound` of the layout; weights and slots are whole blocks of it.
    ///
    /// The next version may be the same memory as the current one. An operand may be the next weights themselves, from `range` on.
    package init(
        _ range: Range<Int>, reduction: TreeReduction, operands: [FloatView], sampleCount: Int,
        weights: FloatView, slots: [FloatView], nextWeights: MutableFloatView, nextSlots: [MutableFloatView],
        scratch: UpdateScratch, norms: NormAccumulator?
    ) {
        self.init(
            range, reduction: reduction, operands: operands, sampleCount: sampleCount, weights: weights, slots: slots,
            nextWeights: nextWeights, nextSlots: nextSlots, scratch: scratch, norms: norms, kernels: .best,
            streamsSlots: 2 * (1 + slots.count) * weights.count > Self.cachedElements)
    }

    init(
        _ range: Range<Int>, reduction: TreeReduction, operands: [FloatView], sampleCount: Int,
        weights: FloatView, slots: [FloatView], nextWeights: MutableFloatView, nextSlots: [MutableFloatView],
        scratch: UpdateScratch, norms: NormAccumulator?, kernels: UpdateKernels, streamsSlots: Bool
    ) {
        reduction.check(operands, count: range.count, scratch: scratch)
        precondition(sampleCount > 0, "a mean needs samples")
        precondition(slots.count == nextSlots.count, "slots before and after")
        precondition(
            weights.count == nextWeights.count && range.upperBound <= weights.count && range.lowerBound >= 0
                && slots.allSatisfy { $0.count == weights.count } && nextSlots.allSatisfy { $0.count == weights.count },
            "weights and slots are whole blocks of one layout")
        self.reduction = reduction
        self.operands = operands
        firstElement = range.lowerBound
        divisor = Float(sampleCount)
        self.weights = weights.base
        self.nextWeights = nextWeights.base
        self.slots = slots
        self.nextSlots = nextSlots
        self.streamsSlots = streamsSlots
        self.scratch = scratch
        self.norms = norms
        self.kernels = kernels
    }

    /// Updates `piece`, elements of the layout within the pass's range; the index of the first element whose sum is not finite, or nil.
    ///
    /// After such an element nothing more is written. Slots of the block that the rule does not have are kept. With norms, `piece` is
    /// one of theirs, numbered `pieceIndex`.
    package func update(
        _ piece: Range<Int>, _ rule: RuleConstants, _ gradient: GradientConstants, slots map: SlotMap, pieceIndex: Int
    ) -> Int? {
        precondition(map.count == rule.loop.slotCount, "the slots of the rule's loop")
        var arrays = arrays(of: map)
        return UpdateKernels.withUpdateMode {
            var words = rule.words(gradient)
            var start = piece.lowerBound
            norms?.begin(scratch.lanes)
            while start < piece.upperBound {
                let count = min(UpdateScratch.blockLength, piece.upperBound - start)
                if let wild = updateBlock(start, count, &words, &arrays) { return wild }
                start += count
            }
            keepSlots(of: piece, but: map)
            norms?.finish(scratch.lanes, pieceIndex: pieceIndex)
            return nil
        }
    }

    private func arrays(of map: SlotMap) -> dnn_update_arrays {
        func slot(_ index: Int) -> UnsafeRawPointer? { map[index].map { slots[$0].base } }
        func nextSlot(_ index: Int) -> UnsafeMutablePointer<Float>? { map[index].map { nextSlots[$0].base } }
        return dnn_update_arrays(
            weights: weights, slots: (slot(0), slot(1), slot(2)),
            next_weights: nextWeights, next_slots: (nextSlot(0), nextSlot(1), nextSlot(2)), streams_slots: streamsSlots)
    }

    private func updateBlock(_ start: Int, _ count: Int, _ rule: inout dnn_rule, _ arrays: inout dnn_update_arrays) -> Int? {
        let sum = sum(from: start, count: count)
        let isFinite = kernels.table.update(&rule, &arrays, start, sum, count, divisor, norms == nil ? nil : scratch.lanes)
        return isFinite ? nil : start + firstWild(sum, count: count)
    }

    func sum(from start: Int, count: Int) -> dnn_sum {
        reduction.joinAllButLast(operands, from: start - firstElement, count: count, scratch: scratch, kernels: kernels)
    }

    func firstWild(_ sum: dnn_sum, count: Int) -> Int {
        let (a, b) = (FloatView(base: sum.a, count: count), sum.b.map { FloatView(base: $0, count: count) })
        return (0..<count).first { !(a[$0] + (b?[$0] ?? 0)).isFinite } ?? 0
    }
}

/// Which slots of a block a rule's loop works on: groups of parameters may have different ones of the same block.
package struct SlotMap: Equatable, Sendable {
    package let count: Int
    private let places: (Int, Int, Int)

    /// - Parameter places: for each slot of the loop the number of the block's slot, ascending.
    package init(_ places: [Int]) {
        precondition(places.count <= Int(DNN_UPDATE_SLOTS) && zip(places, places.dropFirst()).allSatisfy { $0 < $1 }, "ascending slots")
        count = places.count
        func place(_ index: Int) -> Int { index < places.count ? places[index] : -1 }
        self.places = (place(0), place(1), place(2))
    }

    subscript(index: Int) -> Int? {
        guard index < count else { return nil }
        return index == 0 ? places.0 : index == 1 ? places.1 : places.2
    }

    func contains(_ slot: Int) -> Bool {
        places.0 == slot || places.1 == slot || places.2 == slot
    }

    package static func == (a: SlotMap, b: SlotMap) -> Bool { a.places == b.places }
}
