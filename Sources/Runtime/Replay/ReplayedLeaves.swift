internal import Datasets
internal import Exactness
internal import Kernels
internal import NeuralNet
internal import Wire

/// What a server that repeats a run takes for the schedule: the rate that the log tells.
final class ReplayedRate {
    var value = Double.nan
}

/// Leaves of a run's training steps, computed in this process from the run's own data: the bits that its workers had.
final class ReplayedLeaves {
    /// Shards whose leaves are summed as a node of the tree, into a whole block.
    struct Part {
        var node: TreeNode
        /// Ascending, below the node; those without rows in the step are left out.
        var shards: [Int]
        var gradient: FloatBlock
    }

    struct Figures {
        var samples: Int
        var lossSum: Double
    }

    private let run: PreparedRun
    private let description: RunDescription
    private let plan: StepPlan
    private let engine: LeafEngine
    private let deals: PartDeals
    /// By shard, of the epoch that was asked for last.
    private var orders: [(epoch: UInt64, positions: [UInt32])?]

    init(_ run: PreparedRun, threads: Int) {
        self.run = run
        description = run.description
        plan = description.plan(of: .train)
        engine = LeafEngine(
            network: run.network, tree: description.tree, leafRows: description.leafRows, seed: description.seed, threads: threads,
            precision: description.precision)
        deals = PartDeals(run)
        orders = Array(repeating: nil, count: description.shardCount)
    }

    /// Fills the gradients of `parts`, which have no shard in common, for a step of the plan at some weights.
    ///
    /// - Returns: one per part; nil where a part has no rows in the step.
    func compute(_ parts: [Part], step: UInt64, weights: FloatView) throws -> [Figures]? {
        let leaves = parts.reduce(0) { $0 + $1.shards.count }
        if engine.slotCount < leaves { engine.reserve(leaves: leaves) }
        var slot = 0
        var work: [NodeWork] = []
        for part in parts {
            var slots: [LeafSlot] = []
            for shard in part.shards {
                let rows = plan.positions(step: step, shard: shard)
                guard !rows.isEmpty else { continue }
                fill(slot: slot, shard: shard, rows: rows, step: step)
                slots.append(LeafSlot(shard: shard, slot: slot, rows: rows.count))
                slot += 1
            }
            guard !slots.isEmpty else { return nil }
            work.append(NodeWork(node: part.node, gradient: part.gradient.mutableView, slots: slots))
        }
        let figures = try engine.computeGradients(
            step: step, nodes: work, weights: weights, parametersNeeded: { _ in }, gradientFinished: { _, _ in })
        return figures.map { Figures(samples: $0.rows, lossSum: $0.lossSum) }
    }

    private func fill(slot: Int, shard: Int, rows: Range<Int>, step: UInt64) {
        let epoch = plan.epoch(ofStep: step)
        guard let dealt = deals.rows(of: .train, deal: description.deal(ofStep: step)) else {
            preconditionFailure("a step of the run is dealt rows")
        }
        if orders[shard]?.epoch != epoch {
            orders[shard] = (
                epoch, EpochOrder.positions(rowCount: plan.rows(ofShard: shard), seed: description.seed, epoch: epoch, shard: shard)
            )
        }
        guard let order = orders[shard]?.positions else { return }
        let source = order[rows].map { Int(dealt.sourceRow(shard: shard, position: Int($0))) }
        engine.fill(
            slot: slot, with: source, of: dealt.part.table, preprocessing: description.preprocessing,
            targetScaling: description.targetScaling, for: run.network)
        engine.setSampleIDs(slot: slot, rows: source.count) { UInt32(source[$0]) }
    }
}
