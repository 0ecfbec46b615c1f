import Exactness
import Testing
import Wire

@testable import Training

/// The course of a run: steps, barriers, verdicts, the end.
@Suite struct CoordinatorTests {
    private static let losses: [Double] = [0.9, 0.5, 0.6, 0.7, 0.8, 0.9]

    /// Validation losses by epoch of the sample plan's 4 steps.
    private static func loss(_ version: UInt64) -> (loss: Double, accuracy: Double) {
        (losses[Int(version / 4) - 1], 0)
    }

    @Test(arguments: [1, 3, 4, 6])
    func aRunIsWholeWithAnyNumberOfWorkers(workers: Int) throws {
        let cluster = Cluster(.sample(epochs: 3))
        cluster.start()
        for index in 0..<workers { cluster.join("w\(index)") }
        cluster.run()
        let ending = try #require(cluster.ending)
        #expect(ending.outcome == .completed && ending.version == 12 && !ending.restoresBest)
        #expect(cluster.records.map(\.step) == [4, 8, 12])
        #expect(cluster.records.map(\.epoch) == [1, 2, 3])
        #expect(ending.figures.mapValues(\.rows) == [.train: 64, .validation: 10, .test: 6])
        #expect((0..<UInt64(12)).allSatisfy { cluster.contributors[$0]?.count == 4 })
    }

    @Test func aSteadyStepNeedsNoWord() {
        let cluster = Cluster(.sample(epochs: 50, validateEvery: 50))
        cluster.start()
        for index in 0..<4 { cluster.join("w\(index)") }
        cluster.run { cluster.serverVersion == 3 }
        let before = cluster.effects.count
        cluster.run { cluster.serverVersion == 150 }
        #expect(cluster.effects.count == before)
    }

    @Test func figuresAreSumsOverAllBlocksInTreeOrder() throws {
        let cluster = Cluster(.sample(epochs: 1))
        cluster.validation = { _ in (0.1, 0) }
        cluster.start()
        cluster.join()
        cluster.run()
        // 10 rows on 4 shards: blocks of 3, 3, 2 and 2 rows.
        let expected = (0.1 * 3 + 0.1 * 3) + (0.1 * 2 + 0.1 * 2)
        #expect(try #require(cluster.records.first?.validation).loss == expected)
    }

    @Test func leasesDuringAPassReachToTheBarrierOnly() throws {
        let cluster = Cluster(.sample(epochs: 3))
        cluster.start()
        let first = cluster.join("first", leafTime: .seconds(1))
        cluster.run { cluster.coordinator.phase == .evaluating }
        let second = cluster.join("second")
        cluster.run { cluster.isAdmitted(second) }
        #expect(cluster.coordinator.phase == .evaluating)
        cluster.kill(first)
        cluster.run { cluster.coordinator.phase == .training }
        let leases = cluster.leases(of: second).map(\.lease).filter { !$0.shards.isEmpty }
        #expect(leases.map(\.until) == [4, 8])
        #expect(leases.map(\.step) == [4, 4])
        #expect(leases[0].shards == [0, 1, 2, 3])
    }

    @Test func whoJoinsAtABarrierShardsAreMovedToAfterTheVerdict() {
        let cluster = Cluster(.sample(epochs: 2))
        cluster.start()
        let first = cluster.join("first")
        cluster.run { cluster.serverVersion == 3 }
        let second = cluster.join("second", buildTime: .milliseconds(350))  // it is ready in the last step or just after it
        cluster.run { cluster.isAdmitted(second) }
        cluster.run { cluster.coordinator.phase == .evaluating }
        #expect(cluster.shards(of: second) == [])
        cluster.run { cluster.coordinator.phase == .training }
        #expect(cluster.shards(of: first) == [0, 1])
        #expect(cluster.shards(of: second) == [2, 3])
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    // MARK: Early stopping

    @Test func patienceEndsTheRunWithTheBestWeights() throws {
        let cluster = Cluster(.sample(epochs: 6, earlyStopping: EarlyStoppingPolicy(patience: 2)))
        cluster.validation = Self.loss
        cluster.start()
        cluster.join()
        cluster.run()
        let ending = try #require(cluster.ending)
        #expect(ending.outcome == .stoppedEarly(reason: "validation_loss has not improved for 2 validations"))
        #expect(ending.version == 16 && ending.restoresBest)
        #expect(cluster.coordinator.stopping.best == EarlyStoppingState.Best(value: 0.5, step: 8, epoch: 2))
        #expect(cluster.records.map(\.improved) == [true, true, false, false])
        let orders = cluster.effects.compactMap { if case .evaluate(_, let order) = $0.effect { order } else { nil } }
        #expect(orders.last?.version == Evaluation.bestVersion)
        #expect(orders.last?.parts == [.train, .validation, .test])
    }

    @Test func withoutRestoringTheLastWeightsAreFinal() throws {
        let policy = EarlyStoppingPolicy(patience: 2, restoreBest: false)
        let cluster = Cluster(.sample(epochs: 6, earlyStopping: policy))
        cluster.validation = Self.loss
        cluster.start()
        cluster.join()
        cluster.run()
        #expect(try #require(cluster.ending).restoresBest == false)
        #expect(cluster.ending?.version == 16)
    }

    @Test func stoppingAtTheLastEpochIsCompletion() throws {
        let cluster = Cluster(.sample(epochs: 4, earlyStopping: EarlyStoppingPolicy(patience: 2)))
        cluster.validation = Self.loss
        cluster.start()
        cluster.join()
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
        #expect(cluster.ending?.restoresBest == true)
    }

    @Test func theLastWeightsAreNotRestoredOverThemselves() {
        let cluster = Cluster(.sample(epochs: 2, earlyStopping: EarlyStoppingPolicy(patience: 2)))
        cluster.validation = Self.loss
        cluster.start()
        cluster.join()
        cluster.run()
        #expect(cluster.coordinator.stopping.best?.step == 8)
        #expect(cluster.ending?.restoresBest == false)
    }

    @Test func aBetterAccuracyIsAHigherOne() {
        let cluster = Cluster(.sample(epochs: 3, earlyStopping: EarlyStoppingPolicy(monitor: .validationAccuracy, stopAt: 1)))
        cluster.validation = { (1, $0 == 8 ? 1 : 0) }
        cluster.start()
        cluster.join()
        cluster.run()
        #expect(cluster.ending?.outcome == .stoppedEarly(reason: "validation_accuracy reached 1.0, stop_at is 1.0"))
        #expect(cluster.ending?.version == 8)
    }

    @Test func lossesThatAreNotNumbersAreNoGain() {
        let cluster = Cluster(.sample(epochs: 6, earlyStopping: EarlyStoppingPolicy(patience: 3)))
        cluster.validation = { _ in (.nan, 0) }
        cluster.start()
        cluster.join()
        cluster.run()
        #expect(cluster.ending?.version == 12)
        #expect(cluster.ending?.restoresBest == false)
        #expect(!cluster.effects.contains { $0.effect == .keepBest })
    }

    @Test func withoutValidationRowsTheSampleIsLookedAtAndNothingStops() throws {
        let cluster = Cluster(.sample(epochs: 3, hasValidation: false))
        cluster.start()
        cluster.join()
        cluster.run()
        #expect(cluster.records.map(\.step) == [4, 8, 12])
        #expect(cluster.records.allSatisfy { $0.validation == nil && $0.sample.rows == 12 && !$0.improved })
        #expect(try #require(cluster.ending).figures.keys.sorted { $0.rawValue < $1.rawValue } == [.train, .test])
    }

    @Test func theRecordComesBeforeTheBestAndTheStepsAfterIt() throws {
        let cluster = Cluster(.sample(epochs: 2), limits: .sample(checkpointEvery: .zero))
        cluster.start()
        cluster.join()
        cluster.run { cluster.records.count == 1 }
        let kinds = cluster.effects.drop { if case .record = $0.effect { false } else { true } }.map(\.effect)
        guard kinds.count == 4, case .record = kinds[0], case .lease = kinds[3] else {
            Issue.record("\(kinds)")
            return
        }
        #expect(kinds[1...2].elementsEqual([.keepBest, .checkpoint]))
    }

    // MARK: Checkpoints, interruption, resuming

    @Test func checkpointsKeepTheirDistanceAndTheLastIsAlwaysWritten() {
        let cluster = Cluster(.sample(epochs: 10, validateEvery: 10), limits: .sample(checkpointEvery: .seconds(5)))
        cluster.start()
        cluster.join()  // a step of 4 leaves takes 0.4 s
        cluster.run()
        let times = cluster.checkpointTimes
        #expect(times.count == 4)
        #expect(zip(times, times.dropFirst()).dropLast().allSatisfy { $1 - $0 >= .seconds(5) && $1 - $0 < .seconds(6) })
    }

    @Test(arguments: [("gathering", false), ("training", true), ("evaluating", true), ("final", true)])
    func aSignalEndsEveryPhase(phase: String, writesCheckpoint: Bool) throws {
        let cluster = Cluster(.sample(epochs: 1))
        cluster.start()
        cluster.join()
        cluster.run {
            switch phase {
            case "gathering": true
            case "training": cluster.serverVersion == 2
            case "evaluating": cluster.coordinator.round?.purpose == .validation
            default: cluster.coordinator.round?.purpose == .final
            }
        }
        let before = cluster.checkpointTimes.count
        cluster.dispatch(.interrupted(signal: 2))
        #expect(try #require(cluster.ending).outcome == .interrupted(signal: 2))
        #expect(cluster.ending?.version == cluster.serverVersion)
        #expect(cluster.checkpointTimes.count == before + (writesCheckpoint ? 1 : 0))
        #expect(cluster.coordinator.isFinished)
    }

    /// What is left of a run that is cut at any moment gives the same verdicts and the same end as if it had not been cut.
    @Test(arguments: 0..<40)
    func aRunThatIsCutAnywhereGoesOnAsIfNot(moment: Int) throws {
        let plan = RunPlan.sample(epochs: 6, earlyStopping: EarlyStoppingPolicy(patience: 2))
        func cluster(version: UInt64 = 0, stopping: EarlyStoppingState = EarlyStoppingState()) -> Cluster {
            let cluster = Cluster(plan, version: version, stopping: stopping)
            cluster.validation = Self.loss
            cluster.start()
            cluster.join()
            return cluster
        }
        let whole = cluster()
        whole.run()
        let first = cluster()
        first.run(for: .milliseconds(300 * moment))
        if first.ending == nil { first.dispatch(.interrupted(signal: 15)) }
        guard case .interrupted = first.ending?.outcome else { return }
        let second = cluster(version: first.coordinator.version, stopping: first.coordinator.stopping)
        second.run()
        #expect(first.records + second.records == whole.records)
        #expect(second.ending == whole.ending)
    }

    @Test func whoHasLostItsFolderEndsWithoutACheckpoint() throws {
        let cluster = Cluster()
        cluster.start()
        cluster.join()
        cluster.run { cluster.serverVersion == 2 }
        cluster.dispatch(.superseded)
        #expect(
            cluster.ending?.outcome
                == .failed(error: "another coordinator has taken over this run folder; this one ends and writes nothing more"))
        #expect(cluster.checkpointTimes.isEmpty)
    }

    // MARK: What is not finite

    @Test(
        arguments: [
            ([], "the gradient of layers.0.weight is not finite (NaN or infinity); "),
            ([0, 1, 3], "the gradient of layers.0.weight is not finite (NaN or infinity) in what w (shards 0–1, 3) gave, twice; "),
        ] as [([Int], String)])
    func aGradientThatIsConfirmedNotToBeFiniteEndsTheRun(shards: [Int], text: String) throws {
        let cluster = Cluster()
        cluster.start()
        cluster.join()
        cluster.run { cluster.serverVersion == 2 }
        cluster.dispatch(.notFinite(step: 2, shards: ShardSet(shards), where: "layers.0.weight"))
        guard case .failed(let error) = try #require(cluster.ending).outcome else {
            Issue.record("\(String(describing: cluster.ending))")
            return
        }
        #expect(error.hasPrefix("step 2: " + text))
        #expect(cluster.checkpointTimes.count == 1)
    }

    @Test func whatIsNotFiniteIsComputedAgainElsewhere() throws {
        let cluster = Cluster(.sample(epochs: 10, validateEvery: 10))
        cluster.start()
        let broken = cluster.join("broken")
        cluster.join("sound")
        cluster.isNotFinite = { worker, step, shard in worker === broken && step == 5 && shard == 1 }
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
        #expect(
            cluster.notices.contains(
                "step 5: the gradient of layers.0.weight from broken (shard 1) is not finite; it is computed again elsewhere"))
        #expect(cluster.contributors[5]?[1] == "sound")
        // It is not out for good.
        #expect(cluster.contributors[7]?.values.contains("broken") == true)
    }

    @Test func aLoneWorkerComputesAgainItself() throws {
        let cluster = Cluster(.sample(epochs: 10, validateEvery: 10))
        cluster.start()
        let worker = cluster.join("alone")
        var faults = 1
        cluster.isNotFinite = { _, step, shard in
            guard step == 5, shard == 1, faults > 0 else { return false }
            faults -= 1
            return true
        }
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
        #expect(
            cluster.notices.contains("step 5: the gradient of layers.0.weight from alone (shard 1) is not finite; it is computed again"))
        let again = cluster.leases(of: worker).compactMap { $0.lease.recompute.map { ($0, $0.count) } }
        #expect(again.map(\.0) == [[1]])
        #expect(cluster.coordinator.events.leasesReissued == 0)
    }

    @Test func suspicionOfAnotherStepIsOld() {
        let cluster = Cluster(.sample(epochs: 10, validateEvery: 10))
        cluster.start()
        cluster.join()
        cluster.run { cluster.serverVersion == 5 }
        let count = cluster.effects.count
        cluster.dispatch(.suspicious(step: 4, shards: ShardSet([0]), where: "layers.0.weight"))
        #expect(cluster.effects.count == count)
    }
}
