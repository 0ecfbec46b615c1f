public import Exactness
public import Kernels

/// One of several servers of a rule that searches: passes trial weights on, and sums the gradients of its chunks over the passes.
///
/// The search and its vectors are the first server's, the coordinator's `ClosureServer`, which is sent the sums; this one keeps nothing
/// from step to step. It is owned by one thread. The order of arrival decides when a round is over, never what its bits become.
public final class RoundServer: ChunkServer {
    /// What has become ready since the last call, in order.
    public enum Progress: Equatable, Sendable {
        /// Every chunk of this server up to this position in the order of travel has been taken in this round: more are let in.
        case reduced(upTo: Int)
        /// A chunk has all batches of its pass.
        case summed(chunk: Int)
        case roundCompleted(UInt64)
    }

    public let chunks: ChunkMap
    public let owned: Range<Int>
    public let plan: StepPlan
    /// The number of the weights that are here as a whole.
    public private(set) var round: UInt64
    /// The round that is open, with weights of that number.
    public private(set) var openRound: GradientRound?
    public var window = Int.max / 2

    private let state: StateVersions
    private let pass: PassSum
    private var isArrived: [Bool]
    private var arrivedCount = 0
    private var isLast = false
    private var lastCompleted: UInt64?
    private var progress: [Progress] = []
    private let isFree: (FloatBlock) -> Bool
    private let release: (Int) -> Void

    /// - Parameters:
    ///   - round: the number of the weights that the caller puts into `openWeights` before any contribution comes.
    ///   - weightBlocks, isFree, release: as for `ParameterServer`.
    public init(
        chunks: ChunkMap, owned: Range<Int>, plan: StepPlan, tree: ShardTree, round: UInt64,
        weightBlocks: [FloatBlock]? = nil, isFree: @escaping (FloatBlock) -> Bool,
        release: @escaping (Int) -> Void
    ) {
        precondition(owned.clamped(to: 0..<chunks.count) == owned, "a server owns chunks of the layout")
        self.chunks = chunks
        self.owned = owned
        self.plan = plan
        self.round = round
        self.isFree = isFree
        self.release = release
        state = StateVersions(elementCount: chunks.elementCount, slotCount: 0, weightBlocks: weightBlocks)
        pass = PassSum(chunks: chunks, owned: owned, plan: plan, tree: tree)
        isArrived = Array(repeating: false, count: chunks.count)
    }

    public var openWeights: FloatBlock { state.currentWeights }
    public var nextWeights: FloatBlock { state.nextWeights }
    public func isReady(_ chunk: Int) -> Bool { isArrived[chunk] }
    public var lowestIncomplete: Int { openRound == nil ? 0 : pass.takenInOrder }
    public var uncoveredShards: ShardSet { openRound == nil ? ShardSet() : pass.uncoveredShards(window: window) }
    /// Of the pass under way: a chunk is whole when progress says so.
    public var sum: FloatBlock { pass.sum }

    // MARK: The coordinator's word

    /// Takes a chunk of the weights behind the present ones; when all of this server's are there, they are the present ones.
    ///
    /// - Returns: where they are to be passed on from; nil for what can't come now.
    public func takeWeights(_ values: FloatView, ofChunk chunk: Int, round number: UInt64) -> FloatBlock? {
        guard openRound == nil, number == round + 1, owned.contains(chunk), !isArrived[chunk] else { return nil }
        let block = state.nextWeights
        block.mutableView[chunks.range(chunk)].copy(from: values)
        isArrived[chunk] = true
        arrivedCount += 1
        if arrivedCount == owned.count {
            state.advance(isFree: isFree)
            round = number
            for chunk in owned { isArrived[chunk] = false }
            arrivedCount = 0
        }
        return block
    }

    /// The weights go on under the next number; false for what can't come now.
    public func renumber(to number: UInt64) -> Bool {
        guard openRound == nil, number == round + 1, arrivedCount == 0 else { return false }
        round = number
        return true
    }

    /// Opens a round with the present weights; false for what can't come now.
    ///
    /// - Parameters:
    ///   - isFirst: whether a pass begins with it.
    ///   - isLast: whether it ends a pass, whose sum is wanted.
    public func open(_ open: GradientRound, isFirst: Bool, isLast: Bool) -> Bool {
        guard openRound == nil, open.number == round, arrivedCount == 0, lastCompleted != round else { return false }
        openRound = open
        self.isLast = isLast
        pass.open(planStep: open.planStep, isFirst: isFirst)
        return true
    }

    // MARK: Contributions

    /// Versions of the weights between two rounds, at most: those that a step ends with, and the first trial of the next one.
    private static let mostVersionsBetweenRounds: UInt64 = 2

    /// Whether the next round may have this number: workers can know of it before this server does.
    public func mayOpen(_ number: UInt64) -> Bool {
        guard openRound == nil, number >= round, number - round <= Self.mostVersionsBetweenRounds else { return false }
        return lastCompleted.map { number > $0 } ?? true
    }

    public func offer(
        step: UInt64, node: TreeNode, chunk: Int, samples: Int, loss: Double, body: FloatView, token: Int
    ) -> ParameterServer.Offer {
        guard let open = openRound, step == open.number else {
            let isOver = step < round || lastCompleted.map { step <= $0 } ?? false
            return isOver ? .ignored : .refused("a contribution to round \(step), which is not open")
        }
        let before = pass.takenInOrder
        let contribution = Contribution(node: node, samples: samples, loss: loss, body: body, token: token)
        let (offer, isReduced) = pass.offer(contribution, chunk: chunk, window: window, release: release)
        guard isReduced else { return offer }
        if isLast { progress.append(.summed(chunk: chunk)) }
        if pass.isRoundComplete {
            openRound = nil
            lastCompleted = open.number
            progress.append(.roundCompleted(open.number))
        } else if pass.takenInOrder > before {
            progress.append(.reduced(upTo: pass.takenInOrder))
        }
        return offer
    }

    /// The next thing that has become ready; call until nil.
    public func nextProgress() -> Progress? {
        progress.isEmpty ? nil : progress.removeFirst()
    }
}
