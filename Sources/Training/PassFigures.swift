public import Exactness
public import Wire

extension PartFigures {
    /// The figures of a long pass that one process has computed by itself, joined as the coordinator joins those of workers.
    /// - Parameter shards: what each shard gave.
    public init(joining shards: [ShardFigures], plan: StepPlan) {
        let part = PartID.test
        // A run always trains on something; only `part` is looked at here.
        let run = RunPlan(
            tree: ShardTree(shardCount: plan.shardCount), parts: [.train: plan, .sample: plan, part: plan], epochs: 1, validateEvery: 1,
            earlyStopping: nil)
        var round = EvaluationRound(purpose: .final, number: 1, version: 0, parts: [part], plan: run, began: .zero)
        for (shard, figures) in shards.enumerated() where round.isPending(part, shard: shard) {
            precondition(figures.blocks.count == plan.blockCount(ofShard: shard), "figures are made by the plan")
            round.take(part, shard: shard, figures)
        }
        self = round.figures(of: part)
    }
}
