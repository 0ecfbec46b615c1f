internal import Exactness
internal import Wire

/// One pass in inference mode over some parts of the data: a barrier, nothing of the next step is applied before its verdict.
struct EvaluationRound: Sendable {
    enum Purpose: Equatable, Sendable {
        case validation
        /// At the final weights; the run ends after it.
        case final
    }

    /// What is known of one part.
    private struct Part: Sendable {
        /// The number of every shard's first block.
        let firstBlocks: [Int]
        /// In block order.
        var blocks: [BlockFigures?]
        var pending: ShardSet
        /// Rows by class and by the class they were taken for.
        var confusion: [ClassPair: UInt32] = [:]
    }

    private struct ClassPair: Hashable, Comparable {
        var truth, found: UInt32

        static func < (a: Self, b: Self) -> Bool { (a.truth, a.found) < (b.truth, b.found) }
    }

    let purpose: Purpose
    let number: UInt64
    let version: UInt64
    let parts: [PartID]
    var began: Duration
    private var byPart: [PartID: Part] = [:]
    /// Pairs of part and shard whose figures are missing.
    private var missing = 0

    init(purpose: Purpose, number: UInt64, version: UInt64, parts: [PartID], plan: RunPlan, began: Duration) {
        self.purpose = purpose
        self.number = number
        self.version = version
        self.parts = parts
        self.began = began
        for part in parts {
            let step = plan.plan(of: part)
            var blockCount = 0
            let firstBlocks = (0..<step.shardCount).map { shard in
                defer { blockCount += step.blockCount(ofShard: shard) }
                return blockCount
            }
            let pending = ShardSet((0..<step.shardCount).filter { step.rows(ofShard: $0) > 0 })
            missing += pending.count
            byPart[part] = Part(firstBlocks: firstBlocks, blocks: Array(repeating: nil, count: blockCount), pending: pending)
        }
    }

    /// Nobody was looking for `gap` until `now`.
    mutating func shift(by gap: Duration, until now: Duration) {
        began = min(began + gap, now)
    }

    var isComplete: Bool { missing == 0 }

    /// Shards of which some part's figures are missing.
    var pendingShards: ShardSet {
        var all = ShardSet()
        for part in byPart.values { all.formUnion(part.pending) }
        return all
    }

    func isPending(_ part: PartID, shard: Int) -> Bool {
        byPart[part]?.pending.contains(shard) ?? false
    }

    /// What is missing of `shards`: one order for all parts that lack the same.
    func orders(for shards: [Int]) -> [Evaluation] {
        var orders: [Evaluation] = []
        for part in parts {
            let due = shards.filter { isPending(part, shard: $0) }
            if due.isEmpty { continue }
            if let same = orders.firstIndex(where: { $0.shards == due }) {
                orders[same].parts.append(part)
            } else {
                orders.append(Evaluation(number: number, version: version, parts: [part], shards: due))
            }
        }
        return orders
    }

    /// Takes the figures of a shard that is pending.
    mutating func take(_ part: PartID, shard: Int, _ figures: ShardFigures) {
        guard let first = byPart[part]?.firstBlocks[shard] else { return }
        byPart[part]?.blocks.replaceSubrange(first..<first + figures.blocks.count, with: figures.blocks.lazy.map { Optional($0) })
        for pair in figures.confusion {
            byPart[part]?.confusion[ClassPair(truth: pair.truth, found: pair.found), default: 0] += pair.count
        }
        byPart[part]?.pending.remove(shard)
        missing -= 1
    }

    /// The tree sum over all blocks of a part.
    func figures(of part: PartID) -> PartFigures {
        let blocks = byPart[part]?.blocks ?? []
        var sum = PartFigures(rows: 0, correct: 0, loss: 0, squaredError: 0)
        for block in blocks {
            sum.rows += Int(block?.rows ?? 0)
            sum.correct += Int(block?.correct ?? 0)
            sum.topFive += Int(block?.topFive ?? 0)
        }
        let confusion = (byPart[part]?.confusion ?? [:]).sorted { $0.key < $1.key }
        sum.confusion = confusion.map { ConfusionCount(truth: $0.key.truth, found: $0.key.found, count: $0.value) }
        sum.loss = treeSum(blocks.map { $0?.loss }, +) ?? 0
        sum.squaredError = treeSum(blocks.map { $0?.squaredError }, +) ?? 0
        return sum
    }
}
