internal import Exactness
internal import Kernels

/// What has arrived of one round, chunk by chunk: who may contribute, what is covered, what is still missing.
final class RoundIntake {
    private let chunks: ChunkMap
    /// The chunks that are taken in.
    private let owned: Range<Int>
    private let plan: StepPlan
    private let tree: ShardTree
    private let ledgers: [ChunkLedger]
    private var rowsOfShard: [Int]
    private var takenChunks = 0
    private(set) var sampleCount = 0
    /// Chunks that have been taken without a gap, in the order of travel.
    private(set) var takenInOrder = 0

    init(chunks: ChunkMap, owned: Range<Int>, plan: StepPlan, tree: ShardTree) {
        self.chunks = chunks
        self.owned = owned
        self.plan = plan
        self.tree = tree
        ledgers = (0..<chunks.count).map { ChunkLedger(range: chunks.range($0), shardCount: tree.shardCount) }
        rowsOfShard = Array(repeating: 0, count: tree.shardCount)
    }

    /// Empties itself for the rows of a step of the plan.
    func open(planStep: UInt64) {
        var presentLeaves = 0
        sampleCount = 0
        for shard in 0..<tree.shardCount {
            let rows = plan.positions(step: planStep, shard: shard).count
            rowsOfShard[shard] = rows
            presentLeaves += rows > 0 ? 1 : 0
            sampleCount += rows
        }
        for chunk in owned { ledgers[chunk].open(presentLeaves: presentLeaves) }
        takenChunks = 0
        takenInOrder = 0
    }

    /// Takes a contribution that brings a leaf which is missing; it replaces those of nodes below it.
    func offer(_ contribution: Contribution, chunk: Int, window: Int, release: (Int) -> Void) -> ParameterServer.Offer {
        let node = contribution.node
        guard tree.contains(node) else { return .refused("node \(node.number) of a tree of \(tree.shardCount) shards") }
        guard owned.contains(chunk) else { return .refused(chunks.foreignText(chunk)) }
        let ledger = ledgers[chunk]
        guard contribution.body.count == ledger.range.count else {
            return .refused("chunk \(chunk) with \(contribution.body.count) instead of \(ledger.range.count) values")
        }
        let shards = tree.shards(of: node)
        let expected = shards.reduce(0) { $0 + rowsOfShard[$1] }
        guard expected > 0 else { return .refused("\(node), which has no rows in this round") }
        guard contribution.samples == expected else {
            return .refused("\(node) with \(contribution.samples) instead of \(expected) samples")
        }
        let gained = shards.count { rowsOfShard[$0] > 0 && !ledger.covers($0) }
        guard ledger.state == .gathering, gained > 0 else { return .ignored }
        guard position(chunk) < takenInOrder + window else { return .refused("chunk \(chunk) ahead of the window") }
        ledger.add(contribution, shards: shards, gainedLeaves: gained, tree: tree, release: release)
        return .accepted
    }

    func isComplete(_ chunk: Int) -> Bool {
        ledgers[chunk].missingLeaves == 0
    }

    var isRoundComplete: Bool { takenChunks == owned.count }

    /// Of a chunk in the order of travel, among those that are taken in.
    private func position(_ chunk: Int) -> Int { owned.upperBound - 1 - chunk }

    /// Writes the tree sum of a complete chunk and gives its contributions back.
    func reduce(_ chunk: Int, into result: MutableFloatView, scratch: UpdateScratch, release: (Int) -> Void) {
        let ledger = ledgers[chunk]
        ledger.prepareReduction(tree: tree)
        precondition(ledger.sampleCount == sampleCount, "every sample of a round counts exactly once")
        ledger.reduction?.reduce(ledger.operands, into: result, scratch: scratch)
        for contribution in ledger.contributions { release(contribution.token) }
        ledger.state = .ready
        takenChunks += 1
        while takenInOrder < owned.count, ledgers[owned.upperBound - 1 - takenInOrder].state == .ready { takenInOrder += 1 }
    }

    /// The shards that are missing in a chunk that is let in.
    func uncoveredShards(window: Int) -> ShardSet {
        var uncovered = ShardSet()
        for chunk in owned where ledgers[chunk].state == .gathering && position(chunk) < takenInOrder + window {
            let ledger = ledgers[chunk]
            for shard in 0..<tree.shardCount where rowsOfShard[shard] > 0 && !ledger.covers(shard) { uncovered.insert(shard) }
        }
        return uncovered
    }

    /// The round's loss: the sums of nodes, which travel with chunk 0, joined in tree order.
    var lossSum: Double { ledgers.first?.lossSum(tree: tree) ?? .nan }
}
