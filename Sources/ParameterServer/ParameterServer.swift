public import Exactness
public import Kernels
public import NeuralNet
public import OperatingSystem
public import Optimization

/// Reduces contributions and applies the update rule, chunk by chunk, out of place into the next version.
///
/// It is owned by one thread, which feeds it contributions as they arrive and takes results; the updates themselves may run on
/// threads of its own. The order of arrival decides when a chunk is updated, never what its bits become.
public final class ParameterServer {
    /// What became of a contribution.
    public enum Offer: Equatable, Sendable {
        case accepted
        /// Its present leaves are covered already, or its step is over: nothing is lost by ignoring it.
        case ignored
        /// It cannot have come from a worker that follows the protocol.
        case refused(String)
    }

    /// What has become ready since the last call.
    public enum Progress: Equatable, Sendable {
        case chunkReady(Int)
        case stepCompleted(version: UInt64)
        /// Every chunk of this server up to this position in the order of travel has been reduced, though none is updated yet: more are let in.
        case reduced(upTo: Int)
        /// Contributions of `suspectShards` are not finite at this element; they are to be computed again.
        case suspicious(element: Int)
        case notFinite(element: Int)
        /// Of several servers: the chunks of this one are reduced and wait for the judgement of the whole gradient.
        case awaitsJudgement
        /// Of several servers: all chunks of this one are ready; the step is complete when those of the others are.
        case built
    }

    public let chunks: ChunkMap
    /// The chunks that are this server's: all of them where it is the only one.
    public let owned: Range<Int>
    public let plan: StepPlan
    public let tree: ShardTree
    public let state: StateVersions
    /// The complete version.
    public private(set) var version: UInt64
    /// The mean training loss of the last complete step, in training mode.
    public private(set) var lastLoss: Double = .nan
    /// Samples that its gradient is of, as they came with the contributions.
    public private(set) var lastSampleCount = 0
    /// Norms of the last step for which they were asked.
    public let norms: NormAccumulator
    public internal(set) var normsVersion: UInt64?
    /// The rate that made the complete version; nil at first.
    public private(set) var lastLearningRate: Double?
    /// Steps that were skipped since their gradient was not finite.
    public private(set) var skippedSteps = 0

    let ledgers: [ChunkLedger]
    private let updater: Updater
    private let learningRate: (UInt64) -> Double
    let settings: StepSettings
    private let scratch: [UpdateScratch]
    var pool: UpdatePool?
    var presentShards: [Bool]
    private var rowsOfShard: [Int]
    private var presentCount = 0
    let policy: NonFinitePolicy
    /// Whether contributions that are not finite are asked for once more before they are believed.
    public var recomputes = false
    /// The shards whose contributions were not finite when that was seen last.
    public internal(set) var suspectShards = ShardSet()
    /// nil where no rows are bounded.
    let borders: RowBorders?
    var reducedChunks = 0
    var isFinite = true
    /// What is known of the other servers' part of the open step.
    var others = OtherServers()
    /// Chunks that are ready and not yet reported; the first ones are.
    var ready: [Int] = []
    private var reportedChunks = 0
    /// Told of a step's arrivals when it is complete; nil in exact mode. See `sumInArrivalOrder`.
    var noteArrivals: ((ParameterServer) -> Void)?
    /// The position, among this server's chunks in the order of travel, below which all are reduced or updated: their contributions are
    /// given back.
    public internal(set) var lowestIncomplete = 0
    private let isFree: (FloatBlock) -> Bool
    let release: (Int) -> Void

    /// - Parameters:
    ///   - threads: update threads; 0 does the work on the caller's.
    ///   - weightBlocks: where the versions are built, see `StateVersions`.
    ///   - owned: the chunks that are this server's, where there are several servers; see `ParameterServer+Others.swift`.
    ///   - version: the complete version that the caller puts into `state` before any contribution comes.
    ///   - completion: signalled when an update thread has finished a chunk.
    ///   - policy: for gradients that are NaN or infinite somewhere.
    ///   - learningRate: of a step, counted from 0; asked once, when the step's first chunk is complete.
    ///   - isFree: whether no message in flight reads a block of weights any more.
    ///   - release: gives a contribution's memory back to its lender.
    public init(
        layout: ParameterLayout, updater: Updater, plan: StepPlan, tree: ShardTree, chunkByteCount: Int, threads: Int,
        owned: Range<Int>? = nil, version: UInt64 = 0, completion: EventDescriptor?, weightBlocks: [FloatBlock]? = nil,
        policy: NonFinitePolicy = .stop,
        learningRate: @escaping (UInt64) -> Double, isFree: @escaping (FloatBlock) -> Bool,
        release: @escaping (Int) -> Void
    ) throws(SystemError) {
        let chunks = layout.chunks(byteCount: chunkByteCount)
        self.chunks = chunks
        self.owned = owned ?? 0..<chunks.count
        precondition(self.owned.clamped(to: 0..<chunks.count) == self.owned, "a server owns chunks of the layout")
        self.plan = plan
        self.tree = tree
        self.version = version
        self.updater = updater
        self.learningRate = learningRate
        self.isFree = isFree
        self.release = release
        state = StateVersions(
            elementCount: layout.count, tailCount: layout.tailCount, slotCount: updater.slotCount, weightBlocks: weightBlocks)
        updater.initializeSlots(state.currentSlots.map(\.mutableView))
        norms = updater.makeNormAccumulator()
        self.policy = policy
        borders = updater.limitsRows ? RowBorders(chunks: chunks, updater: updater) : nil
        ready.reserveCapacity(chunks.count)
        ledgers = (0..<chunks.count).map { [chunks] in
            ChunkLedger(range: chunks.range($0), isTail: chunks.isTail($0), shardCount: tree.shardCount)
        }
        scratch = (0..<max(threads, 1)).map { _ in UpdateScratch(shardCount: tree.shardCount) }
        presentShards = Array(repeating: false, count: tree.shardCount)
        rowsOfShard = Array(repeating: 0, count: tree.shardCount)
        settings = StepSettings(
            updater: updater, norms: norms, running: RunningValues(layout, tree: tree),
            hasTwoPhases: updater.needsGradientNorm || policy == .skip)
        pool = try UpdatePool(threadCount: threads, completion: completion) { [ledgers, scratch, settings] task, chunk, thread in
            settings.perform(task, on: ledgers[chunk], scratch: scratch[thread])
        }
        // Nobody can be asked before the first contribution comes, and the first version may be a barrier already.
        openStep(wantsNorms: true)
    }

    deinit {
        pool?.close()
    }

    /// Puts back what is known of the step that made the version which the server begins with.
    public func restore(learningRate: Double?, norms sums: [SquareSums]?) {
        lastLearningRate = learningRate
        guard let sums else { return }
        norms.pieceSums = sums
        normsVersion = version
    }

    // MARK: Contributions

    /// Takes the sum of `node` over one chunk for step `step`; an accepted `token` is given back through `release`, once.
    ///
    /// A node that brings a leaf which is still missing takes the place of those below it: whoever takes over the lease of a worker
    /// that died in mid-step may hold more leaves than those that have already come, and sends their common sum only.
    public func offer(step: UInt64, node: TreeNode, chunk: Int, samples: Int, loss: Double, body: FloatView, token: Int) -> Offer {
        guard step == version else { return step < version ? .ignored : .refused("a contribution to step \(step), which is not open") }
        guard tree.contains(node) else { return .refused("node \(node.number) of a tree of \(tree.shardCount) shards") }
        guard owned.contains(chunk) else { return .refused(chunks.foreignText(chunk)) }
        let ledger = ledgers[chunk]
        guard body.count == ledger.range.count else {
            return .refused("chunk \(chunk) with \(body.count) instead of \(ledger.range.count) values")
        }
        let shards = tree.shards(of: node)
        let expected = shards.reduce(0) { $0 + rowsOfShard[$1] }
        guard expected > 0 else { return .refused("\(node), which has no rows in step \(step)") }
        guard samples == expected else { return .refused("\(node) with \(samples) instead of \(expected) samples") }
        let gained = shards.count { presentShards[$0] && !ledger.covers($0) }
        guard ledger.state == .gathering, gained > 0 else { return .ignored }
        guard isInWindow(chunk) else { return .refused("chunk \(chunk) ahead of the window") }
        ledger.add(
            Contribution(node: node, samples: samples, loss: loss, body: body, token: token), shards: shards, gainedLeaves: gained,
            tree: tree, release: release)
        if ledger.missingLeaves == 0 {
            ledger.prepareReduction(tree: tree)
            precondition(ledger.sampleCount == settings.sampleCount, "every sample of a step counts exactly once")
            settings.prepareScalars(step: version + 1) { learningRate(version) }
            ledger.state = hasTwoPhases ? .reducing : .updating
            pool?.submit(hasTwoPhases ? .reduce : .update, chunk)
        }
        return .accepted
    }

    /// How many chunks past the lowest incomplete one are let in.
    public var window = Int.max / 2

    private func isInWindow(_ chunk: Int) -> Bool {
        owned.upperBound - 1 - chunk < lowestIncomplete + window
    }

    /// The next thing that has become ready; call until nil.
    ///
    /// - Parameter wantsNorms: whether the norms of the step that makes this version are wanted; asked once when a step opens.
    public func nextProgress(wantsNorms: (_ version: UInt64) -> Bool) -> Progress? {
        while true {
            if reportedChunks < ready.count {
                reportedChunks += 1
                return .chunkReady(ready[reportedChunks - 1])
            }
            if reportedChunks == owned.count {
                if isAlone || others.isComplete { return completeStep(wantsNorms: wantsNorms) }
                guard !others.knowsThatWeAreDone else { return nil }
                others.knowsThatWeAreDone = true
                return .built
            }
            guard let (chunk, task, outcome) = pool?.nextFinished() else { return nil }
            if let progress = take(task, chunk, outcome) { return progress }
        }
    }

    /// Whether `chunk` of the next version is ready.
    public func isReady(_ chunk: Int) -> Bool {
        ledgers[chunk].state == .ready
    }

    /// The shards without which some chunk that is let in cannot be updated: those who hold them are waited for.
    ///
    /// Chunks past the window do not count: nobody may send them, however fast.
    public var uncoveredShards: ShardSet {
        var uncovered = ShardSet()
        for chunk in owned where ledgers[chunk].state == .gathering && isInWindow(chunk) {
            let ledger = ledgers[chunk]
            for shard in 0..<tree.shardCount where presentShards[shard] && !ledger.covers(shard) { uncovered.insert(shard) }
        }
        return uncovered
    }

    private func completeStep(wantsNorms: (UInt64) -> Bool) -> Progress {
        lastLoss = meanLoss()
        lastSampleCount = ledgers.first?.sampleCount ?? 0
        lastLearningRate = settings.learningRate
        if !isFinite { skippedSteps += 1 }
        settings.measureLimitedRows(scratch: scratch[0])
        if settings.wantsNorms { normsVersion = version + 1 }
        noteArrivals?(self)
        state.advance(isFree: isFree)
        version += 1
        openStep(wantsNorms: wantsNorms(version + 1))
        return .stepCompleted(version: version)
    }

    private func meanLoss() -> Double {
        (ledgers.first?.lossSum(tree: tree) ?? .nan) / Double(settings.sampleCount)
    }

    private func openStep(wantsNorms: Bool) {
        presentCount = 0
        var samples = 0
        for shard in 0..<tree.shardCount {
            let rows = plan.positions(step: version, shard: shard).count
            rowsOfShard[shard] = rows
            presentShards[shard] = rows > 0
            presentCount += rows > 0 ? 1 : 0
            samples += rows
        }
        for chunk in owned { ledgers[chunk].open(presentLeaves: presentCount) }
        others = OtherServers()
        ready.removeAll(keepingCapacity: true)
        reportedChunks = 0
        reducedChunks = 0
        isFinite = true
        lowestIncomplete = 0
        settings.open(sampleCount: samples, state: state, wantsNorms: wantsNorms)
    }
}
