internal import Kernels
internal import Optimization

/// What every chunk of the open step shares. Written while no task runs, read by those that do.
final class StepSettings: @unchecked Sendable {  // see above; the pool's lock orders writes before reads
    private let updater: Updater
    private let norms: NormAccumulator
    private let running: RunningValues
    /// Σg² by figure block; nil where steps have one phase.
    let squares: BlockSums?
    private(set) var sampleCount = 0
    private(set) var wantsNorms = false
    private var scalars: StepScalars
    private var hasScalars = false
    /// What the second phase does with the gradient: nil, it is thrown away and the state kept.
    private var gradientScale: Float? = 1
    private var weights = FloatBlock(count: 0).view
    private var nextWeights = FloatBlock(count: 0).mutableView
    private var slots: [FloatView] = []
    private var nextSlots: [MutableFloatView] = []

    init(updater: Updater, norms: NormAccumulator, running: RunningValues, hasTwoPhases: Bool) {
        self.updater = updater
        self.norms = norms
        self.running = running
        squares = hasTwoPhases ? BlockSums(elementCount: updater.elementCount) : nil
        scalars = updater.scalars(step: 1, learningRate: updater.rule.learningRate)
    }

    func open(sampleCount: Int, state: StateVersions, wantsNorms: Bool) {
        self.sampleCount = sampleCount
        self.wantsNorms = wantsNorms
        hasScalars = false
        gradientScale = 1
        weights = state.currentWeights.view[0..<updater.elementCount]
        nextWeights = state.nextWeights.mutableView[0..<updater.elementCount]
        running.open(state)
        slots.removeAll(keepingCapacity: true)
        nextSlots.removeAll(keepingCapacity: true)
        for block in state.currentSlots { slots.append(block.view) }
        for block in state.nextSlots { nextSlots.append(block.mutableView) }
    }

    /// Makes the scalars of the step once, when its first chunk is complete: until then a verdict may change the rate.
    func prepareScalars(step: UInt64, learningRate: () -> Double) {
        guard !hasScalars else { return }
        updater.prepare(&scalars, step: step, learningRate: learningRate())
        hasScalars = true
    }

    var learningRate: Double { scalars.learningRate }

    /// Ends the first phase: all chunks are reduced.
    func judge(isFinite: Bool) {
        gradientScale = factor(isFinite: isFinite)
    }

    /// As `judge(isFinite:)`, by the judgement of all servers.
    func judge(scale: Float?) {
        gradientScale = scale
    }

    /// The factor that the whole gradient is to be scaled by; nil: the step is skipped.
    func factor(isFinite: Bool) -> Float? {
        isFinite ? updater.clipFactor(squaredNorm: squares?.total ?? 0) : nil
    }

    /// Where the first phase has left a chunk's mean gradient.
    func reduced(_ ledger: ChunkLedger) -> FloatView {
        ledger.isTail ? running.reduced : nextWeights.view[ledger.range]
    }

    func perform(_ task: ChunkTask, on ledger: ChunkLedger, scratch: UpdateScratch) -> ChunkOutcome {
        if ledger.isTail { return performOnTail(task, ledger) }
        return switch task {
        case .reduce: reduce(ledger, scratch)
        case .update: update(ledger, scratch)
        case .limit: limit(ledger)
        }
    }

    /// With one phase the tail is reduced and used at once; what a skipped step found is thrown away with its gradient.
    private func performOnTail(_ task: ChunkTask, _ ledger: ChunkLedger) -> ChunkOutcome {
        switch task {
        case .reduce: return running.reduce(ledger.contributions)
        case .update:
            if squares == nil, case .notFinite(let element) = running.reduce(ledger.contributions) { return .notFinite(element: element) }
            running.update(keepsOld: gradientScale == nil)
        case .limit: break
        }
        return .done
    }

    private func reduce(_ ledger: ChunkLedger, _ scratch: UpdateScratch) -> ChunkOutcome {
        guard let reduction = ledger.reduction, let squares else { preconditionFailure("a first phase outside of a step") }
        return ChunkOutcome(
            updater.reduce(
                ledger.range, reduction: reduction, operands: ledger.operands, sampleCount: sampleCount, into: nextWeights,
                scratch: scratch, squares: squares))
    }

    private func update(_ ledger: ChunkLedger, _ scratch: UpdateScratch) -> ChunkOutcome {
        guard hasScalars, let reduction = ledger.reduction else { preconditionFailure("an update outside of a step") }
        let isSecond = squares != nil
        guard let gradientScale else {
            updater.keep(
                ledger.range, operands: ledger.operands, weights: weights, slots: slots, into: nextWeights, nextSlots: nextSlots,
                scratch: scratch, norms: wantsNorms ? norms : nil)
            return .done
        }
        return ChunkOutcome(
            updater.update(
                ledger.range, reduction: isSecond ? .single : reduction, operands: ledger.operands,
                sampleCount: isSecond ? 1 : sampleCount, scalars: scalars, gradientScale: gradientScale, weights: weights, slots: slots,
                into: nextWeights, nextSlots: nextSlots, scratch: scratch, norms: wantsNorms ? norms : nil))
    }

    private func limit(_ ledger: ChunkLedger) -> ChunkOutcome {
        if gradientScale != nil { updater.limitRows(beginningIn: ledger.range, of: nextWeights) }
        return .done
    }

    /// Brings the norms up to date with rows that were scaled after their update.
    func measureLimitedRows(scratch: UpdateScratch) {
        guard wantsNorms, updater.limitsRows else { return }
        updater.remeasureLimitedRows(norms, old: weights, new: nextWeights.view, scratch: scratch)
    }
}

extension ChunkOutcome {
    init(_ outcome: UpdateOutcome) {
        switch outcome {
        case .finite: self = .done
        case .notFinite(let element): self = .notFinite(element: element)
        }
    }
}
