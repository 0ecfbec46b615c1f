import Checkpoints
import Exactness
import Hashing
import Optimization
import RunConfiguration
import Testing
import Training
import Wire

@testable import Runtime

@Suite struct ResumeCheckTests {
    private static let data = SHA256.hash(of: [1])
    private static let other = SHA256.hash(of: [2])
    private static let keys = [BitRelevantKey(key: "seed", value: "1"), BitRelevantKey(key: "training.batch_size", value: "8")]

    /// 4 steps an epoch.
    private func check(epochs: Int = 6, validateEvery: Int = 1, horizonUse: String? = nil) -> ResumeCheck {
        let part = StepPlan(rowCount: 32, batchSize: 8, shardCount: 1)
        let plan = RunPlan(
            tree: ShardTree(shardCount: 1), parts: [.train: part, .sample: part], epochs: epochs, validateEvery: validateEvery,
            earlyStopping: nil)
        return ResumeCheck(dataSHA256: Self.data, numericsVersion: 3, bitRelevantKeys: Self.keys, plan: plan, horizonUse: horizonUse)
    }

    private func obstacles(
        _ check: ResumeCheck, data: Digest = Self.data, numericsVersion: Int = 3, keys: [BitRelevantKey] = Self.keys, step: UInt64 = 10,
        judged: UInt64? = 8
    ) -> [String] {
        var stopping = EarlyStoppingState()
        if let judged { stopping.passed(step: judged) }
        let identity = RunIdentity(
            runSHA256: Self.data, dataSHA256: data, leafClass: "any", numericsVersion: numericsVersion)
        let progress = ProgressState(
            step: step, stopping: stopping, plateau: PlateauState(), search: nil, bitRelevantKeys: keys, horizonEpochs: 6,
            learningRate: nil, norms: nil,
            totals: RunTotals())
        return check.obstacles(identity, progress)
    }

    @Test func theSameRunGoesOn() {
        #expect(obstacles(check()).isEmpty)
        #expect(obstacles(check(), step: 24, judged: 24).isEmpty)
    }

    @Test func everyDifferenceIsToldWithBothValues() {
        let keys = [BitRelevantKey(key: "seed", value: "2"), Self.keys[1]]
        #expect(
            obstacles(check(), data: Self.other, numericsVersion: 4, keys: keys) == [
                "seed: was 2, is 1", "data: the SHA-256 of its bytes was \(Self.other), is \(Self.data)",
                "numerics version: was 4, is 3; resume with the release that began the run",
            ])
    }

    @Test(arguments: [(3, 10, nil), (2, 10, 3), (1, 4, nil), (1, 5, 2)] as [(Int, UInt64, Int?)])
    func aRunIsNotShorterThanItIsAlready(epochs: Int, step: UInt64, least: Int?) {
        let found = obstacles(check(epochs: epochs), step: step, judged: nil)
        #expect(
            found == (least.map { ["training.epochs: must be at least \($0), as the run is at step \(step), got \(epochs)"] } ?? []))
    }

    @Test func epochsMayChangeUnlessAValidationWouldBeOneTooMany() {
        #expect(obstacles(check(epochs: 12, validateEvery: 3), step: 24, judged: 24).isEmpty)
        let found = obstacles(check(epochs: 12, validateEvery: 4), step: 24, judged: 24)
        #expect(
            found == [
                "training.epochs: was 6, is 12, but the validation after epoch 6 is none that a run of 12 epochs makes "
                    + "(training.validate_every is 4)"
            ])
    }

    @Test func aHorizonIsFrozen() {
        let use = "optimizer.schedule one_cycle ends with the run"
        #expect(obstacles(check(horizonUse: use)).isEmpty)
        #expect(obstacles(check(epochs: 7, horizonUse: use)) == ["training.epochs: was 6, is 7, and \(use)"])
    }
}
