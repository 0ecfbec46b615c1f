internal import Kernels
internal import Optimization

/// What every chunk of the open step shares. Written while no update runs, read by those that do.
final class StepSettings: @unchecked Sendable {  // see above; the pool's lock orders writes before reads
    private(set) var sampleCount = 0
    private(set) var wantsNorms = false
    private var scalars: StepScalars?
    private var weights = FloatBlock(count: 0).view
    private var nextWeights = FloatBlock(count: 0).mutableView
    private var slots: [FloatView] = []
    private var nextSlots: [MutableFloatView] = []

    func open(sampleCount: Int, scalars: StepScalars, state: StateVersions, wantsNorms: Bool) {
        self.sampleCount = sampleCount
        self.scalars = scalars
        self.wantsNorms = wantsNorms
        weights = state.currentWeights.view
        nextWeights = state.nextWeights.mutableView
        slots.removeAll(keepingCapacity: true)
        nextSlots.removeAll(keepingCapacity: true)
        for block in state.currentSlots { slots.append(block.view) }
        for block in state.nextSlots { nextSlots.append(block.mutableView) }
    }

    func update(_ ledger: ChunkLedger, updater: Updater, norms: NormAccumulator, scratch: UpdateScratch) -> ChunkOutcome {
        guard let scalars, let reduction = ledger.reduction else { preconditionFailure("an update outside of a step") }
        let outcome = updater.update(
            ledger.range, reduction: reduction, operands: ledger.operands, sampleCount: sampleCount, scalars: scalars, weights: weights,
            slots: slots, into: nextWeights, nextSlots: nextSlots, scratch: scratch, norms: wantsNorms ? norms : nil)
        switch outcome {
        case .finite: return .updated
        case .notFinite(let element): return .notFinite(element: element)
        }
    }
}
