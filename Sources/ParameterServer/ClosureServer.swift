public import Exactness
public import Kernels
public import Optimization

/// Steps of rules that evaluate the loss several times: passes over batches in, trial weights out.
///
/// A pass is one batch after the other at the same weights; each is a tree over its shards, and they are folded from the left. The
/// search's vectors never leave this process. Where there are several servers this is the first one, the coordinator's: each of the others,
/// a `RoundServer`, sums its chunks over the pass. It is owned by one thread, which feeds it contributions and takes progress; the order of
/// arrival decides when a round is over, never what its bits become.
public final class ClosureServer: GradientServer {
    /// What has become ready since the last call, in order.
    public enum Progress: Equatable, Sendable {
        /// Version `round` of the weights is there: new values, or those of the version before.
        case weights(isNew: Bool, isAfterGradient: Bool)
        case roundOpened(GradientRound)
        /// Every chunk up to this position in the order of travel has been taken in this round: more are let in.
        case reduced(upTo: Int)
        case stepCompleted(version: UInt64)
        /// At the weights that a step begins with; nil: the loss.
        case notFinite(element: Int?)
    }

    public let chunks: ChunkMap
    /// The chunks that contributions are taken of: all of them where it is the only server.
    public let owned: Range<Int>
    public let passes: StepPasses
    public let tree: ShardTree
    public private(set) var round: UInt64 = 0
    /// Complete steps.
    public private(set) var version: UInt64 = 0
    /// The round that is open; nil between steps.
    public private(set) var openRound: GradientRound?
    /// The mean data loss of the last evaluation, without penalties.
    public private(set) var lastLoss: Double = .nan
    /// The same at the weights that the step began with; nil before its first evaluation.
    public private(set) var stepLoss: Double?
    /// Samples of all rounds so far.
    public private(set) var samplesSeen = 0
    public var window = Int.max / 2

    let search: any LossSearch
    private let state: StateVersions
    private let isSteady: Bool
    private let pass: PassSum
    /// Whether the other servers are done with the open round.
    private var othersAreReduced = false
    private var batches: Range<UInt64> = 0..<0
    private var batchLosses: [Double] = []
    /// Samples of the last evaluation.
    public private(set) var passSamples = 0
    private var isIdle = true
    private var progress: [Progress] = []
    private let isFree: (FloatBlock) -> Bool
    private let release: (Int) -> Void

    /// - Parameters:
    ///   - isSteady: whether every pass is of the same function: all rows, no random masks. Then a step goes on from the evaluation that
    ///     the last one ended with.
    ///   - weightBlocks, isFree, release: as for `ParameterServer`.
    public convenience init(
        elementCount: Int, rule: RuleSpecification, objective: PenalizedObjective, passes: StepPasses,
        tree: ShardTree, chunkByteCount: Int, owned: Range<Int>? = nil, isSteady: Bool, weightBlocks: [FloatBlock]? = nil,
        isFree: @escaping (FloatBlock) -> Bool, release: @escaping (Int) -> Void
    ) throws(OptimizationError) {
        let search = try ClosureMachine(rule: rule, objective: objective, weights: FloatBlock(count: elementCount))
        self.init(
            search: search, passes: passes, tree: tree, chunkByteCount: chunkByteCount, owned: owned, isSteady: isSteady,
            weightBlocks: weightBlocks, isFree: isFree, release: release)
    }

    /// With a search of the caller's own.
    public init(
        search: any LossSearch, passes: StepPasses, tree: ShardTree, chunkByteCount: Int, owned: Range<Int>? = nil, isSteady: Bool,
        weightBlocks: [FloatBlock]? = nil, isFree: @escaping (FloatBlock) -> Bool, release: @escaping (Int) -> Void
    ) {
        let elementCount = search.objective.elementCount
        chunks = ChunkMap(elementCount: elementCount, chunkByteCount: chunkByteCount)
        self.owned = owned ?? 0..<chunks.count
        self.passes = passes
        self.tree = tree
        self.isSteady = isSteady && passes.isFull
        self.isFree = isFree
        self.release = release
        state = StateVersions(elementCount: elementCount, slotCount: 0, weightBlocks: weightBlocks)
        self.search = search
        pass = PassSum(chunks: chunks, owned: self.owned, plan: passes.plan, tree: tree)
    }

    public var openWeights: FloatBlock { state.currentWeights }
    public var nextWeights: FloatBlock { state.nextWeights }
    /// New weights come as a whole.
    public func isReady(_ chunk: Int) -> Bool { false }
    public var completeWeights: FloatBlock { search.weights }
    public var completeSlots: [FloatBlock] { search.slots }
    public var slotNames: [String] { search.slotNames }
    public var scalars: ClosureScalars { search.scalars }
    public var evaluations: UInt64 { search.evaluations }
    /// The length of a step is the search's; the rule's rate is but where it begins.
    public var lastLearningRate: Double? { nil }
    public var skippedSteps: Int { 0 }
    /// Data loss and penalty at the complete weights; nil before the first step.
    public var objectiveLoss: Double? { search.scalars.loss }
    public var lowestIncomplete: Int { openRound == nil ? 0 : pass.takenInOrder }
    public var uncoveredShards: ShardSet { openRound == nil ? ShardSet() : pass.uncoveredShards(window: window) }

    public func initializeWeights(_ fill: (FloatBlock) -> Void) {
        precondition(version == 0 && isIdle && round == 0, "weights are set before the first step")
        fill(state.currentWeights)
        search.restore(weights: state.currentWeights, slots: [], scalars: ClosureScalars())
    }

    /// Goes on where another server of the same run was after a complete step, before anything is offered.
    public func restore(version: UInt64, weights: FloatBlock, slots: [FloatBlock], scalars: ClosureScalars) {
        precondition(self.version == 0 && isIdle && round == 0, "a state is restored before the first step")
        state.currentWeights.mutableView.copy(from: weights.view)
        search.restore(weights: weights, slots: slots, scalars: scalars)
        self.version = version
    }

    // MARK: Steps

    /// Begins the next step if none is under way.
    public func beginStep() {
        guard isIdle else { return }
        isIdle = false
        // A steady step goes on from the last one's evaluation and does not begin with one of its own.
        stepLoss = isSteady ? search.scalars.loss.map { $0 - search.objective.penalty(of: search.weights.view) } : nil
        go(on: search.beginStep(isSameObjective: isSteady), isAfterGradient: false)
    }

    /// The next thing that has become ready; call until nil. A step is complete from the moment that this says so.
    public func nextProgress() -> Progress? {
        guard !progress.isEmpty else { return nil }
        let next = progress.removeFirst()
        if case .stepCompleted = next {
            search.commit()
            version += 1
            isIdle = true
        }
        return next
    }

    private func go(on turn: ClosureMachine.Turn, isAfterGradient: Bool) {
        switch turn {
        case .evaluate:
            publishTrial(isAfterGradient: isAfterGradient)
            batches = passes.batches(of: version)
            batchLosses.removeAll(keepingCapacity: true)
            passSamples = 0
            openBatch()
        case .stepDone:
            publishTrial(isAfterGradient: isAfterGradient)
            progress.append(.stepCompleted(version: version + 1))
        case .notFinite(let element):
            progress.append(.notFinite(element: element))
        }
    }

    /// Weights get a number of their own where they are others, and where a round is over.
    private func publishTrial(isAfterGradient: Bool) {
        search.writeTrial(into: state.nextWeights.mutableView)
        let isNew = !VectorKernels.areEqual(state.nextWeights.view, state.currentWeights.view)
        guard isNew || isAfterGradient else { return }
        if isNew { state.advance(isFree: isFree) }
        round += 1
        progress.append(.weights(isNew: isNew, isAfterGradient: isAfterGradient))
    }

    private func openBatch() {
        let open = GradientRound(number: round, planStep: batches.lowerBound + UInt64(batchLosses.count), maskStep: version)
        openRound = open
        othersAreReduced = false
        pass.open(planStep: open.planStep, isFirst: batchLosses.isEmpty)
        progress.append(.roundOpened(open))
    }

    // MARK: Contributions

    public func offer(
        step: UInt64, node: TreeNode, chunk: Int, samples: Int, loss: Double, body: FloatView, token: Int
    ) -> ParameterServer.Offer {
        guard step == round, openRound != nil else {
            return step < round ? .ignored : .refused("a contribution to round \(step), which is not open")
        }
        let before = pass.takenInOrder
        let contribution = Contribution(node: node, samples: samples, loss: loss, body: body, token: token)
        let (offer, isReduced) = pass.offer(contribution, chunk: chunk, window: window, release: release)
        guard isReduced else { return offer }
        if pass.isRoundComplete {
            completeRoundIfPossible()
        } else if pass.takenInOrder > before {
            progress.append(.reduced(upTo: pass.takenInOrder))
        }
        return offer
    }

    private func completeRoundIfPossible() {
        guard openRound != nil, pass.isRoundComplete, othersAreReduced || owned.count == chunks.count else { return }
        openRound = nil
        batchLosses.append(pass.lossSum)
        passSamples += pass.sampleCount
        samplesSeen += pass.sampleCount
        if batchLosses.count < batches.count {
            round += 1
            progress.append(.weights(isNew: false, isAfterGradient: true))
            openBatch()
            return
        }
        lastLoss = treeSum(batchLosses) / Double(passSamples)
        if stepLoss == nil { stepLoss = lastLoss }
        let turn = search.take(loss: lastLoss, gradientSum: pass.sum.view, sampleCount: passSamples, weights: state.currentWeights.view)
        go(on: turn, isAfterGradient: true)
    }

    // MARK: Other servers

    /// Whether a pass begins with the open round.
    public var beginsPass: Bool { batchLosses.isEmpty }
    /// Whether a pass ends with the open round.
    public var endsPass: Bool { batchLosses.count + 1 == batches.count }

    /// Takes the sum of another server's chunk over the pass that ends with the open round; false for what can't come now.
    public func takeSum(_ values: FloatView, ofChunk chunk: Int, round number: UInt64) -> Bool {
        guard openRound?.number == number, endsPass, chunk < chunks.count, !owned.contains(chunk) else { return false }
        pass.sum.mutableView[chunks.range(chunk)].copy(from: values)
        return true
    }

    /// Every other server is done with the open round, and its sums are here if that ends a pass.
    public func othersHaveReduced() {
        othersAreReduced = true
        completeRoundIfPossible()
    }

    // MARK: Figures

    public var normsVersion: UInt64? { version > 0 ? version : nil }

    /// Of the last complete step, over segments of the layout: the data's gradient at its end, its weights, and how far they have come.
    public func squareSums(of segments: Range<Int>) -> SquareSums {
        var sums = SquareSums(gradient: 0, weights: 0, change: 0)
        guard let gradient = search.gradient else { return sums }
        for segment in search.objective.segments[segments] where !segment.range.isEmpty {
            let values = FloatBlock(count: segment.range.count)
            let weights = search.weights.view[segment.range]
            VectorKernels.objectiveGradient(
                sum: gradient.view[segment.range], divisor: 1, weights: weights, l2: -segment.l2, l1: -segment.l1,
                into: values.mutableView)
            sums.gradient += VectorKernels.dot(values.view, values.view)
            sums.weights += VectorKernels.dot(weights, weights)
            guard let former = search.formerWeights else { continue }
            VectorKernels.combine(weights, plus: -1, times: former.view[segment.range], into: values.mutableView)
            sums.change += VectorKernels.dot(values.view, values.view)
        }
        return sums
    }
}
