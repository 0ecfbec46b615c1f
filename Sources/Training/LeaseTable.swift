internal import Exactness

/// A worker's number in this run, given at its hello and never used again.
public typealias WorkerID = UInt32

/// Who holds which virtual shards. Sticky: shards move only when they must, since their rows move with them.
struct LeaseTable: Sendable {
    private let tree: ShardTree
    private var holders: [WorkerID?]

    init(tree: ShardTree) {
        self.tree = tree
        holders = Array(repeating: nil, count: tree.shardCount)
    }

    func shards(of worker: WorkerID) -> [Int] {
        holders.indices.filter { holders[$0] == worker }
    }

    func holder(of shard: Int) -> WorkerID? {
        holders[shard]
    }

    var orphans: [Int] {
        holders.indices.filter { holders[$0] == nil }
    }

    /// Takes every shard from `worker`.
    mutating func release(_ worker: WorkerID) {
        for shard in holders.indices where holders[shard] == worker { holders[shard] = nil }
    }

    /// Gives every orphan to the candidate with the fewest shards, largest subtrees first; returns who got something.
    mutating func assignOrphans(to candidates: [WorkerID]) -> Set<WorkerID> {
        guard !candidates.isEmpty else { return [] }
        var changed: Set<WorkerID> = []
        let share = max(1, tree.shardCount / candidates.count)
        var nodes = tree.maximalSubtrees(of: ShardSet(orphans))
        while let node = nodes.popLast() {
            let range = tree.shards(of: node)
            if range.count > share {
                nodes += [node.left, node.right]
                continue
            }
            guard let worker = candidates.min(by: { (shards(of: $0).count, $0) < (shards(of: $1).count, $1) }) else { break }
            for shard in range { holders[shard] = worker }
            changed.insert(worker)
        }
        return changed
    }

    /// Evens out the loads until they differ by at most one shard, moving the largest subtrees that fit; returns who is affected.
    mutating func rebalance(among workers: [WorkerID]) -> Set<WorkerID> {
        var changed = assignOrphans(to: workers)
        var loads = workers.map { (worker: $0, shards: shards(of: $0)) }
        while true {
            loads.sort { ($0.shards.count, $0.worker) < ($1.shards.count, $1.worker) }
            guard let least = loads.first, let most = loads.last, most.shards.count - least.shards.count > 1 else { return changed }
            let wanted = (most.shards.count - least.shards.count) / 2
            guard var node = tree.maximalSubtrees(of: ShardSet(most.shards)).last else { return changed }
            while tree.shards(of: node).count > wanted { node = node.right }
            let moved = tree.shards(of: node)
            for shard in moved { holders[shard] = least.worker }
            loads[0].shards = (least.shards + moved).sorted()
            loads[loads.count - 1].shards.removeAll { moved.contains($0) }
            changed.formUnion([least.worker, most.worker])
        }
    }
}
