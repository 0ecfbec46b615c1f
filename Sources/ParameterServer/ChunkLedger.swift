internal import Exactness
internal import Kernels

/// One contribution to a chunk: the sum of a node's present leaves.
struct Contribution {
    var node: TreeNode
    var samples: Int
    /// Summed over the node's samples, leaves joined in tree order.
    var loss: Double
    var body: FloatView
    /// Names the memory behind `body` to whoever lent it.
    var token: Int
}

/// What has arrived for one chunk in the current step.
///
/// It belongs to the thread that takes messages in, until the chunk is complete; then to the one that updates it, until its
/// outcome is back. The hand-overs go through a lock.
final class ChunkLedger: @unchecked Sendable {  // one owner at a time, see above
    /// In order. With one phase a chunk goes from gathering to updating; without row limits from updating to ready.
    enum State: Int, Comparable {
        case gathering, reducing, reduced, updating, updated, limiting, limited, ready

        static func < (a: State, b: State) -> Bool { a.rawValue < b.rawValue }
    }

    let range: Range<Int>
    /// Whether it holds what running statistics are formed from.
    let isTail: Bool
    var state = State.gathering
    private(set) var contributions: [Contribution] = []
    private(set) var covered = ShardSet()
    private(set) var missingLeaves = 0
    /// Whether contributions were not finite and have been asked for again.
    var isSecondTry = false
    var reduction: TreeReduction?
    private var reductionNodes: [TreeNode] = []
    private(set) var operands: [FloatView] = []
    /// Whether contributions are joined as they come and not as the tree says. What running statistics are formed from never is.
    var isInArrivalOrder = false

    init(range: Range<Int>, isTail: Bool = false, shardCount: Int) {
        self.range = range
        self.isTail = isTail
        contributions.reserveCapacity(shardCount)
        operands.reserveCapacity(shardCount)
        reductionNodes.reserveCapacity(shardCount)
        covered.insert(shardCount - 1)
        covered.remove(shardCount - 1)
    }

    /// Empties the ledger for a step with so many present leaves.
    func open(presentLeaves: Int) {
        state = .gathering
        contributions.removeAll(keepingCapacity: true)
        covered.removeAll()
        missingLeaves = presentLeaves
        isSecondTry = false
    }

    /// Takes a contribution off: its leaves are missing again.
    func remove(_ contribution: Contribution, shards: Range<Int>, isPresent: (Int) -> Bool) {
        contributions.removeAll { $0.node == contribution.node }
        for shard in shards {
            covered.remove(shard)
            if isPresent(shard) { missingLeaves += 1 }
        }
    }

    func covers(_ shard: Int) -> Bool {
        covered.contains(shard)
    }

    /// Takes a contribution, in shard order, in place of those of nodes below it; those go back through `release`.
    ///
    /// Its sum holds theirs, joined in the same order, so the bits of the whole stay the same. In arrival order it stands last.
    /// - Parameter gainedLeaves: its present leaves that were not covered; at least one, so that its node lies below none that is here.
    func add(_ contribution: Contribution, shards: Range<Int>, gainedLeaves: Int, tree: ShardTree, release: (Int) -> Void) {
        if isInArrivalOrder {
            func isBelow(_ other: Contribution) -> Bool { shards.contains(tree.shards(of: other.node).lowerBound) }
            for other in contributions where isBelow(other) { release(other.token) }
            contributions.removeAll(where: isBelow)
            contributions.append(contribution)
        } else {
            let first = place(of: shards.lowerBound, in: contributions[...], tree: tree)
            var end = first
            while end < contributions.count, tree.shards(of: contributions[end].node).lowerBound < shards.upperBound {
                release(contributions[end].token)
                end += 1
            }
            if end > first { contributions.removeSubrange(first..<end) }
            contributions.insert(contribution, at: first)
        }
        for shard in shards { covered.insert(shard) }
        missingLeaves -= gainedLeaves
    }

    /// The index of the first contribution whose shards begin at `shard` or behind it.
    private func place(of shard: Int, in slice: ArraySlice<Contribution>, tree: ShardTree) -> Int {
        var (low, high) = (slice.startIndex, slice.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if tree.shards(of: slice[middle].node).lowerBound < shard { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The losses that came with the contributions, joined in tree order; nil without any.
    func lossSum(tree: ShardTree) -> Double? {
        func sum(_ node: TreeNode, _ part: ArraySlice<Contribution>) -> Double? {
            guard part.count > 1 else { return part.first?.loss }
            let split = place(of: tree.shards(of: node.right).lowerBound, in: part, tree: tree)
            switch (sum(node.left, part[..<split]), sum(node.right, part[split...])) {
            case (let left?, let right?): return left + right
            case (let left, let right): return left ?? right
            }
        }
        guard isInArrivalOrder else { return sum(tree.root, contributions[...]) }
        let inShardOrder = contributions.sorted { tree.shards(of: $0.node).lowerBound < tree.shards(of: $1.node).lowerBound }
        return sum(tree.root, inShardOrder[...])
    }

    /// Readies the reduction; a program is only made anew when the nodes are others than in the step before.
    func prepareReduction(tree: ShardTree) {
        operands.removeAll(keepingCapacity: true)
        var isSame = reduction != nil && reductionNodes.count == contributions.count
        for (index, contribution) in contributions.enumerated() {
            operands.append(contribution.body)
            if isSame, !isInArrivalOrder, reductionNodes[index] != contribution.node { isSame = false }
        }
        guard !isSame else { return }
        reductionNodes.removeAll(keepingCapacity: true)
        for contribution in contributions { reductionNodes.append(contribution.node) }
        reduction = isInArrivalOrder ? TreeReduction(chaining: reductionNodes) : TreeReduction(nodes: reductionNodes, in: tree)
    }

    /// The second phase's one operand, in place of the contributions.
    func takeReduced(_ mean: FloatView) {
        operands.removeAll(keepingCapacity: true)
        operands.append(mean)
    }

    var sampleCount: Int {
        contributions.reduce(0) { $0 + $1.samples }
    }
}
