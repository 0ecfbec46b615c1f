import Testing

@testable import Exactness

@Suite struct StepPassesTests {
    private static let plan = StepPlan(rowCount: 37, batchSize: 8, shardCount: 4)  // 5 steps an epoch

    @Test func fullPassTakesAnEpochsBatchesInOrder() {
        let passes = StepPasses(plan: Self.plan, isFull: true)
        #expect(passes.stepsPerEpoch == 1)
        #expect(passes.batches(of: 0) == 0..<5)
        #expect(passes.batches(of: 7) == 35..<40)
        for step in UInt64(0)..<3 {
            let rows = passes.batches(of: step).reduce(0) { $0 + Self.plan.sampleCount(step: $1) }
            #expect(rows == 37, "every row counts exactly once")
            #expect(passes.batches(of: step).allSatisfy { Self.plan.epoch(ofStep: $0) == step })
        }
    }

    @Test func otherwiseAStepIsABatch() {
        let passes = StepPasses(plan: Self.plan, isFull: false)
        #expect(passes.stepsPerEpoch == Self.plan.stepsPerEpoch)
        #expect(passes.batches(of: 12) == 12..<13)
    }
}
