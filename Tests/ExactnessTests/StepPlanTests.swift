import Exactness
import Testing

@Suite struct StepPlanTests {
    /// Rows below, at and above V, the batch and its multiples.
    static let plans: [StepPlan] = [1, 2, 4, 8, 16].flatMap { shards in
        [1, 3, 32].flatMap { leafRows in
            let batch = shards * leafRows
            return Set([1, shards - 1, shards, shards + 1, batch - 1, batch, batch + 1, 2 * batch + 3, 1_000]).filter { $0 > 0 }.sorted()
                .map { StepPlan(rowCount: $0, batchSize: batch, shardCount: shards) }
        }
    }

    @Test(arguments: plans)
    func everyRowIsTakenOncePerEpoch(_ plan: StepPlan) {
        let sizes = (0..<plan.shardCount).map(plan.rows)
        #expect(sizes.reduce(0, +) == plan.rowCount)
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
        for epoch in [UInt64(0), 1, 5_000_000_000] {
            let steps = (0..<UInt64(plan.stepsPerEpoch)).map { epoch * UInt64(plan.stepsPerEpoch) + $0 }
            for shard in 0..<plan.shardCount {
                let positions = steps.flatMap { Array(plan.positions(step: $0, shard: shard)) }
                #expect(positions == Array(0..<plan.rows(ofShard: shard)))
            }
            #expect(steps.reduce(0) { $0 + plan.sampleCount(step: $1) } == plan.rowCount)
            #expect(steps.allSatisfy { plan.sampleCount(step: $0) > 0 && plan.epoch(ofStep: $0) == epoch })
            #expect(steps.map(plan.stepInEpoch) == Array(0..<plan.stepsPerEpoch))
        }
    }

    @Test(arguments: plans)
    func aLeafIsFullButForTheEpochsEnd(_ plan: StepPlan) {
        for shard in 0..<plan.shardCount {
            var hasEnded = false
            for step in 0..<UInt64(plan.stepsPerEpoch) {
                let rows = plan.positions(step: step, shard: shard).count
                #expect(plan.isPresent(shard: shard, step: step) == (rows > 0))
                #expect(rows <= plan.leafRows && !(hasEnded && rows > 0))
                hasEnded = hasEnded || rows < plan.leafRows
            }
        }
    }

    @Test(arguments: plans)
    func leafRowCountsAreThoseThatOccur(_ plan: StepPlan) {
        var occurring: Set<Int> = []
        for shard in 0..<plan.shardCount {
            for step in 0..<UInt64(plan.stepsPerEpoch) { occurring.insert(plan.positions(step: step, shard: shard).count) }
            for block in 0..<plan.blockCount(ofShard: shard) { occurring.insert(plan.block(block, ofShard: shard).count) }
        }
        occurring.remove(0)
        #expect(plan.leafRowCounts == occurring.sorted())
    }

    @Test(arguments: plans)
    func blocksCoverAllRowsAndNeverCrossShards(_ plan: StepPlan) {
        var number = 0
        for shard in 0..<plan.shardCount {
            #expect(plan.firstBlock(ofShard: shard) == number)
            let blocks = (0..<plan.blockCount(ofShard: shard)).map { plan.block($0, ofShard: shard) }
            #expect(blocks.allSatisfy { !$0.isEmpty })
            #expect(blocks.flatMap(Array.init) == Array(0..<plan.rows(ofShard: shard)))
            number += blocks.count
        }
        #expect(plan.blockCount == number)
    }

    @Test func fewerRowsThanShardsLeaveLeavesAbsent() {
        let plan = StepPlan(rowCount: 3, batchSize: 16, shardCount: 8)
        #expect(plan.stepsPerEpoch == 1)
        #expect((0..<8).filter { plan.isPresent(shard: $0, step: 0) } == [0, 1, 2])
        #expect(plan.leafRowCounts == [1])
        #expect(plan.sampleCount(step: 0) == 3)
        #expect(plan.blockCount == 3)
    }

    @Test func aPartWithoutRowsHasNoBlocks() {
        let plan = StepPlan(rowCount: 0, batchSize: 16, shardCount: 8)
        #expect(plan.blockCount == 0 && plan.leafRowCounts.isEmpty && plan.stepsPerEpoch == 0)
    }
}
