import Exactness
import Testing
import Wire

@testable import Training

@Suite struct EvaluationRoundTests {
    /// Counts are whole numbers: their sum does not depend on the order in which shards come.
    @Test(arguments: [[0, 1], [1, 0]])
    func pairsOfClassesAreAddedOverShards(order: [Int]) {
        let plan = RunPlan(
            tree: ShardTree(shardCount: 2),
            parts: [
                .train: StepPlan(rowCount: 4, batchSize: 4, shardCount: 2), .sample: StepPlan(rowCount: 4, batchSize: 4, shardCount: 2),
                .validation: StepPlan(rowCount: 7, batchSize: 4, shardCount: 2),
            ], epochs: 1, validateEvery: 1, earlyStopping: nil)
        var round = EvaluationRound(purpose: .validation, number: 1, version: 0, parts: [.validation], plan: plan, began: .zero)
        let figures = [
            ShardFigures(
                blocks: [2, 2].map { BlockFigures(rows: $0, correct: 1, topFive: 2, loss: 1, squaredError: 0) },
                confusion: [ConfusionCount(truth: 0, found: 1, count: 2), ConfusionCount(truth: 1, found: 1, count: 2)]),
            ShardFigures(
                blocks: [2, 1].map { BlockFigures(rows: $0, correct: 0, topFive: 1, loss: 1, squaredError: 0) },
                confusion: [ConfusionCount(truth: 0, found: 1, count: 1), ConfusionCount(truth: 0, found: 2, count: 2)]),
        ]
        for shard in order { round.take(.validation, shard: shard, figures[shard]) }
        let sum = round.figures(of: .validation)
        #expect(round.isComplete)
        #expect(sum.rows == 7 && sum.correct == 2 && sum.topFive == 6)
        #expect(
            sum.confusion == [
                ConfusionCount(truth: 0, found: 1, count: 3), ConfusionCount(truth: 0, found: 2, count: 2),
                ConfusionCount(truth: 1, found: 1, count: 2),
            ])
    }
}
