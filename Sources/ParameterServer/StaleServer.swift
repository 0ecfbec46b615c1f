public import Exactness
public import Kernels
public import NeuralNet
public import Optimization

/// Modes ssp and async: every worker's contribution, once it is whole, is an update of its own.
///
/// A contribution is the gradient of some shards at one step of the plan, their clock, summed in the order of the tree. Its mean over its
/// own samples goes through clipping, decay and rule as a step's would; the rate is that of the steps which all shards have completed.
/// A shard's clock is the step that is next for it: a contribution counts if that is its shards' clock, so every sample counts once per
/// epoch, whoever else has computed the same. Versions are built out of place: what is read is always one whole version.
/// It is owned by one thread, which does everything.
public final class StaleServer: GradientServer {
    /// What has become ready since the last call, in order.
    public enum Progress: Equatable, Sendable {
        case updated
        /// All shards have completed this many steps of the plan.
        case stepCompleted(version: UInt64)
        /// Shards may go further than before.
        case limitRaised
        /// What this sender has sent counts for nothing: others have done some of it.
        case dropped(sender: UInt64)
        case notFinite(element: Int, shards: [Int], clock: UInt64)
    }

    /// An update, as it is logged.
    public struct Update: Equatable, Sendable {
        /// The updates before it.
        public var number: UInt64
        public var clock: UInt64
        public var shards: [Int]
        /// The updates in the version that it was computed with.
        public var read: UInt64
        public var learningRate: Double

        public init(number: UInt64, clock: UInt64, shards: [Int], read: UInt64, learningRate: Double) {
            (self.number, self.clock, self.shards, self.read, self.learningRate) = (number, clock, shards, read, learningRate)
        }
    }

    public let chunks: ChunkMap
    public let plan: StepPlan
    public let tree: ShardTree
    public let staleness: Int?
    /// Steps that all shards have completed, as far as `nextProgress` has said.
    public private(set) var version: UInt64 = 0
    /// Versions of the weights since this server began.
    public private(set) var round: UInt64 = 0
    /// Over all starts of the run.
    public private(set) var updates: UInt64 = 0
    /// By shard: the step that is next. A shard without rows is past every step.
    public private(set) var clocks: [UInt64]
    /// Steps from here on wait for a verdict.
    public private(set) var barrier: UInt64 = 0
    public private(set) var lastLoss: Double = .nan
    /// Samples of the last update.
    public private(set) var lastSampleCount = 0
    public private(set) var lastLearningRate: Double?
    public private(set) var skippedSteps = 0
    public private(set) var normsVersion: UInt64?
    public var window = Int.max / 2
    /// Told of every update.
    public var noteUpdate: ((Update) -> Void)?

    let state: StateVersions
    let norms: NormAccumulator
    private let updater: Updater
    private let settings: StepSettings
    private let policy: NonFinitePolicy
    private let ledgers: [ChunkLedger]
    private let scratch: UpdateScratch
    private let learningRate: (UInt64) -> Double
    private let wantsNorms: (UInt64) -> Bool
    private let isFree: (FloatBlock) -> Bool
    private var open: [UInt64: StaleContribution] = [:]
    private var spareBlocks: [FloatBlock] = []
    private var progress: [Progress] = []

    /// - Parameters:
    ///   - staleness: how many steps a shard may be ahead of the slowest; nil: any number.
    ///   - learningRate: of a step, counted from 0.
    ///   - wantsNorms: whether the norms of the update that completes this many steps are wanted.
    ///   - isFree: whether no message in flight reads a block of weights any more.
    public init(
        layout: ParameterLayout, updater: Updater, plan: StepPlan, tree: ShardTree, chunkByteCount: Int, staleness: Int?,
        policy: NonFinitePolicy, learningRate: @escaping (UInt64) -> Double, wantsNorms: @escaping (UInt64) -> Bool,
        isFree: @escaping (FloatBlock) -> Bool
    ) {
        chunks = layout.chunks(byteCount: chunkByteCount)
        self.plan = plan
        self.tree = tree
        self.staleness = staleness
        self.updater = updater
        self.policy = policy
        self.learningRate = learningRate
        self.wantsNorms = wantsNorms
        self.isFree = isFree
        state = StateVersions(elementCount: layout.count, tailCount: layout.tailCount, slotCount: updater.slotCount)
        updater.initializeSlots(state.currentSlots.map(\.mutableView))
        norms = updater.makeNormAccumulator()
        settings = StepSettings(
            updater: updater, norms: norms, running: RunningValues(layout, tree: tree),
            hasTwoPhases: updater.needsGradientNorm || policy == .skip)
        ledgers = (0..<chunks.count).map { [chunks] in
            ChunkLedger(range: chunks.range($0), isTail: chunks.isTail($0), shardCount: tree.shardCount)
        }
        scratch = UpdateScratch(shardCount: tree.shardCount)
        clocks = (0..<tree.shardCount).map { plan.rows(ofShard: $0) > 0 ? 0 : .max }
    }

    public var completeWeights: FloatBlock { state.currentWeights }
    public var completeSlots: [FloatBlock] { state.currentSlots }
    public var openWeights: FloatBlock { state.currentWeights }
    public var evaluations: UInt64 { updates }
    public var normSums: [SquareSums] { norms.pieceSums }
    public func squareSums(of segments: Range<Int>) -> SquareSums { norms.sums(of: segments) }
    public func initializeWeights(_ fill: (FloatBlock) -> Void) { fill(state.currentWeights) }
    /// Contributions come whole and have no window.
    public var lowestIncomplete: Int { 0 }

    public func offer(
        step: UInt64, node: TreeNode, chunk: Int, samples: Int, loss: Double, body: FloatView, token: Int
    ) -> ParameterServer.Offer {
        .refused("a gradient that belongs to no contribution")
    }

    /// Goes on where another server of the same run was, before anything begins; weights and slots are the caller's to put in.
    public func restore(version: UInt64, updates: UInt64, clocks: [UInt64], learningRate: Double?, norms sums: [SquareSums]?) {
        precondition(round == 0 && clocks.count == tree.shardCount, "a state of this run is restored before anything begins")
        (self.version, self.updates, self.clocks, lastLearningRate) = (version, updates, clocks, learningRate)
        barrier = version
        guard let sums else { return }
        norms.pieceSums = sums
        normsVersion = version
    }

    // MARK: Clocks

    /// The steps that every shard has completed.
    private var completedSteps: UInt64 { clocks.min() ?? 0 }

    /// Steps below it may be computed now.
    public var limit: UInt64 {
        guard let staleness else { return barrier }
        return min(barrier, completedSteps + UInt64(staleness) + 1)
    }

    /// The shards that hold up all others.
    public var uncoveredShards: ShardSet {
        let slowest = completedSteps
        return slowest < limit ? ShardSet(clocks.indices.filter { clocks[$0] == slowest }) : ShardSet()
    }

    /// Lets shards go on to `barrier`.
    public func open(until barrier: UInt64) {
        let before = limit
        self.barrier = barrier
        if limit > before { progress.append(.limitRaised) }
    }

    /// The next thing that has become ready; call until nil.
    public func nextProgress() -> Progress? {
        if !progress.isEmpty { return progress.removeFirst() }
        guard completedSteps > version, barrier > version else { return nil }
        version += 1
        return .stepCompleted(version: version)
    }

    /// The step that comes after `clock` for a shard: at the end of an epoch it may have no rows.
    private func nextStep(after clock: UInt64, of shard: Int) -> UInt64 {
        var next = clock + 1
        while !plan.isPresent(shard: shard, step: next) { next += 1 }
        return next
    }

    // MARK: Contributions

    /// Takes note of what `sender` is about to send, in place of what it has not sent to the end.
    ///
    /// - Parameter read: the round of the weights that it was computed with.
    public func begin(from sender: UInt64, shards: [Int], clock: UInt64, read: UInt64) -> ParameterServer.Offer {
        forget(sender)
        guard read <= round else { return .refused("a contribution with version \(read) of the weights, which is none yet") }
        guard shards.allSatisfy({ clocks[$0] >= clock && plan.isPresent(shard: $0, step: clock) }) else {
            return .refused("a contribution to step \(clock) of a shard that is not there")
        }
        guard shards.allSatisfy({ clocks[$0] == clock }) else {
            progress.append(.dropped(sender: sender))
            return .ignored
        }
        guard clock < limit else { return .refused("a contribution to step \(clock), which waits for others") }
        open[sender] = StaleContribution(
            shards: shards, clock: clock, read: read + (updates - round),
            samples: shards.reduce(0) { $0 + plan.positions(step: clock, shard: $1).count }, chunkCount: chunks.count,
            block: spareBlocks.popLast() ?? FloatBlock(count: chunks.elementCount))
        return .accepted
    }

    /// Takes a chunk of what `sender` has begun; the last one has it applied.
    public func take(from sender: UInt64, chunk: Int, samples: Int, loss: Double, body: FloatView) -> ParameterServer.Offer {
        guard let contribution = open[sender] else { return .ignored }
        guard chunk >= 0, chunk < chunks.count else { return .refused("chunk \(chunk) of \(chunks.count)") }
        let range = chunks.range(chunk)
        guard body.count == range.count else {
            return .refused("chunk \(chunk) with \(body.count) instead of \(range.count) values")
        }
        guard samples == contribution.samples else { return .refused("\(samples) instead of \(contribution.samples) samples") }
        guard contribution.isMissing[chunk] else { return .refused("chunk \(chunk) for the second time") }
        contribution.block.mutableView[range].copy(from: body)
        contribution.isMissing[chunk] = false
        contribution.missingCount -= 1
        if chunk == 0 { contribution.loss = loss }
        if contribution.missingCount == 0 {
            complete(contribution, from: sender)
            forget(sender)
        }
        return .accepted
    }

    /// Nothing more is to be expected of `sender`: what it has not sent to the end is thrown away.
    public func forget(_ sender: UInt64) {
        if let contribution = open.removeValue(forKey: sender) { spareBlocks.append(contribution.block) }
    }

    private func complete(_ contribution: StaleContribution, from sender: UInt64) {
        // Somebody else may have done some of it meanwhile; then all of it is left out.
        guard contribution.shards.allSatisfy({ clocks[$0] == contribution.clock }) else {
            return progress.append(.dropped(sender: sender))
        }
        let before = limit
        var after = clocks
        for shard in contribution.shards { after[shard] = nextStep(after: contribution.clock, of: shard) }
        let completed = after.min() ?? 0
        let measures = completed > version && wantsNorms(completed)
        if let element = apply(contribution, wantsNorms: measures) {
            return progress.append(.notFinite(element: element, shards: contribution.shards, clock: contribution.clock))
        }
        noteUpdate?(
            Update(
                number: updates, clock: contribution.clock, shards: contribution.shards, read: contribution.read,
                learningRate: settings.learningRate))
        clocks = after
        lastLoss = contribution.loss / Double(contribution.samples)
        lastSampleCount = contribution.samples
        lastLearningRate = settings.learningRate
        if measures { normsVersion = completed }
        updates += 1
        round += 1
        progress.append(.updated)
        if limit > before { progress.append(.limitRaised) }
    }

    /// Builds the next version; the first element that is not finite, where that ends the run.
    private func apply(_ contribution: StaleContribution, wantsNorms: Bool) -> Int? {
        settings.open(sampleCount: contribution.samples, state: state, wantsNorms: wantsNorms)
        settings.prepareScalars(step: updates + 1) { learningRate(completedSteps) }
        for ledger in ledgers {
            ledger.open(presentLeaves: 1)
            let body = contribution.block.view[ledger.range]
            let whole = Contribution(node: tree.root, samples: contribution.samples, loss: contribution.loss, body: body, token: 0)
            ledger.add(whole, shards: 0..<tree.shardCount, gainedLeaves: 1, tree: tree, release: { _ in })
            ledger.prepareReduction(tree: tree)
        }
        var isFinite = true
        if settings.squares != nil {
            for ledger in ledgers {
                guard case .notFinite(let element) = settings.perform(.reduce, on: ledger, scratch: scratch) else { continue }
                guard policy == .skip else { return element }
                isFinite = false
            }
            settings.judge(isFinite: isFinite)
            for ledger in ledgers { ledger.takeReduced(settings.reduced(ledger)) }
        }
        for ledger in ledgers {
            if case .notFinite(let element) = settings.perform(.update, on: ledger, scratch: scratch) { return element }
        }
        if updater.limitsRows {
            for ledger in ledgers { _ = settings.perform(.limit, on: ledger, scratch: scratch) }
            settings.measureLimitedRows(scratch: scratch)
        }
        if !isFinite { skippedSteps += 1 }
        state.advance(isFree: isFree)
        return nil
    }
}

/// What a worker is sending: its chunks are gathered in a block.
private final class StaleContribution {
    let shards: [Int]
    let clock: UInt64
    /// The updates in the version that it was computed with.
    let read: UInt64
    let samples: Int
    let block: FloatBlock
    var isMissing: [Bool]
    var missingCount: Int
    var loss = Double.nan

    init(shards: [Int], clock: UInt64, read: UInt64, samples: Int, chunkCount: Int, block: FloatBlock) {
        self.shards = shards
        self.clock = clock
        self.read = read
        self.samples = samples
        self.block = block
        isMissing = Array(repeating: true, count: chunkCount)
        missingCount = chunkCount
    }
}
