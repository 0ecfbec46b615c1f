internal import Datasets
internal import Exactness
internal import Kernels
internal import NeuralNet
internal import Training
internal import Wire

/// A long pass over rows in this process: the blocks, the order and the sums of a run with the same seed, batch and shards, so that its
/// figures have the run's bits.
struct Evaluator {
    /// Rows held at once, about: enough to keep every thread busy.
    private static let heldRows = 1_024

    let model: SavedModel
    let rows: ShardedPart
    let plan: StepPlan
    let seed: UInt64
    let threads: Int
    let precision: Precision

    func figures() -> PartFigures {
        let engine = LeafEngine(
            network: model.network, tree: ShardTree(shardCount: plan.shardCount), leafRows: plan.leafRows, seed: seed, threads: threads,
            precision: precision)
        var blocks = (0..<plan.shardCount).flatMap { shard in
            (0..<plan.blockCount(ofShard: shard)).map { (shard: shard, rows: plan.block($0, ofShard: shard)) }
        }[...]
        engine.reserve(leaves: min(blocks.count, max(threads, Self.heldRows / plan.leafRows)))
        var shards = [ShardFigures](repeating: ShardFigures(blocks: []), count: plan.shardCount)
        var confusion = model.network.confusionClasses(of: .test).map { _ in ConfusionTally() }
        while !blocks.isEmpty {
            let held = blocks.prefix(engine.slotCount)
            blocks = blocks.dropFirst(held.count)
            let slots = held.enumerated().map { slot, block in
                fill(engine, slot: slot, shard: block.shard, positions: block.rows)
                return LeafSlot(shard: block.shard, slot: slot, rows: block.rows.count)
            }
            for (block, figures) in zip(held, engine.evaluate(slots, weights: model.weights.view)) {
                shards[block.shard].blocks.append(Wire.BlockFigures(figures))
            }
            confusion?.count(slots, in: engine)
        }
        // Counts may be joined in any order, so they need no shard of their own.
        shards[0].confusion = confusion?.pairs ?? []
        return PartFigures(joining: shards, plan: plan)
    }

    private func fill(_ engine: LeafEngine, slot: Int, shard: Int, positions: Range<Int>) {
        let source = positions.map { Int(rows.sourceRow(shard: shard, position: $0)) }
        engine.fill(
            slot: slot, with: source, of: rows.part.table, preprocessing: model.preprocessing, targetScaling: model.targetScaling,
            for: model.network)
    }
}
