import Testing
import Wire

@testable import Training

/// Those who are late, whatever their heartbeats say.
@Suite struct CoordinatorDeadlineTests {
    /// Two workers, each with two leaves; a step takes 2 leaf times.
    private static func pair(_ plan: RunPlan = .sample(epochs: 50, validateEvery: 50), leafTime: Duration = .milliseconds(100)) -> (
        Cluster, FakeWorker, FakeWorker
    ) {
        let cluster = Cluster(plan, limits: .sample(minimumWorkers: 2))
        cluster.leafTime = leafTime
        cluster.start()
        let workers = (cluster.join("first"), cluster.join("second"))
        cluster.run { cluster.coordinator.isTraining }
        return (cluster, workers.0, workers.1)
    }

    /// Detection takes up to a tick, and everything up to a quantum of the play.
    private static let slack = CoordinatorLimits.tick + Cluster.quantum * 2

    @Test(arguments: [FakeWorker.Health.hung, .stopped])
    func aLeaseIsReissuedAtItsDeadlineWhateverTheHeartbeatsSay(health: FakeWorker.Health) {
        let (cluster, first, second) = Self.pair()
        cluster.run { cluster.serverVersion == 5 }
        second.health = health
        let began = cluster.now
        cluster.run { cluster.shards(of: first).count == 4 }
        #expect(cluster.now - began >= .seconds(2) && cluster.now - began <= .seconds(2) + Self.slack)
        cluster.run { cluster.serverVersion == 6 }
        #expect(cluster.now - began <= .seconds(3))
        #expect(cluster.notices.contains("second is late with step 5 (shards 2–3); its lease is given to others"))
        #expect(cluster.leases(of: second).last?.lease.shards == [])
    }

    @Test func longStepsHaveLongDeadlines() {
        let (cluster, first, second) = Self.pair(leafTime: .seconds(2))
        cluster.run { cluster.serverVersion == 5 }
        second.health = .hung
        let began = cluster.now
        cluster.run { cluster.shards(of: first).count == 4 }
        #expect(cluster.now - began >= .seconds(20) && cluster.now - began <= .seconds(20) + Self.slack)
    }

    @Test func theDeadlineOfANewLeaseLeavesTimeForRowsInItsFirstStepOnly() {
        let (cluster, first, second) = Self.pair()
        second.health = .hung
        let began = cluster.now
        cluster.run { cluster.shards(of: first).count == 4 }
        #expect(cluster.now - began >= .seconds(12) && cluster.now - began <= .seconds(12) + Self.slack)
    }

    @Test func aBarrierDoesNotPutOffDeadlines() {
        let (cluster, first, second) = Self.pair(.sample(epochs: 50))
        cluster.run { cluster.serverVersion == 4 && cluster.coordinator.isTraining }
        second.health = .hung
        let began = cluster.now
        cluster.run { cluster.shards(of: first).count == 4 }
        #expect(cluster.now - began <= .seconds(2) + Self.slack)
    }

    @Test func stepsThatWereHeldUpDoNotLengthenDeadlines() {
        let cluster = Cluster(.sample(epochs: 50, validateEvery: 50), limits: .sample(minimumWorkers: 4))
        cluster.start()
        let workers = (1...4).map { cluster.join("w\($0)") }
        for (index, worker) in workers.dropLast().enumerated() {
            cluster.run { cluster.serverVersion == index + 1 }
            worker.health = .hung
        }
        cluster.run { cluster.serverVersion == 4 }
        #expect(cluster.coordinator.events.leasesReissued == 3)
        #expect(cluster.coordinator.clock.median == .milliseconds(100))
    }

    @Test func onlyTheNewestLeaseShowsThatASuspectLives() throws {
        let (cluster, first, second) = Self.pair()
        cluster.run { cluster.serverVersion == 5 }
        second.health = .hung
        cluster.run { cluster.shards(of: first).count == 4 }
        let id = try #require(second.id)
        cluster.dispatch(.leaseTaken(id, sequence: 1))
        #expect(cluster.coordinator.members[id]?.standing.isSuspect == true)
        cluster.dispatch(.leaseTaken(id, sequence: 99))  // more than it has been given, so the newest
        #expect(cluster.coordinator.members[id]?.standing == .good)
    }

    @Test func whoWakesIsTakenInAgainAndItsLateAnswerIsIgnored() {
        let (cluster, first, second) = Self.pair()
        cluster.run { cluster.serverVersion == 5 }
        second.health = .hung
        cluster.run { cluster.shards(of: first).count == 4 }
        cluster.run { cluster.serverVersion == 8 }
        #expect(cluster.shards(of: second) == [])
        second.health = .well
        cluster.run { cluster.notices.contains("second answers again") }
        let version = cluster.serverVersion
        cluster.run { cluster.serverVersion == version + 1 }
        #expect(cluster.shards(of: second).count == 2)
        #expect(cluster.contributors[5]?.values.contains("second") == false)
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    @Test func whoIsLateAgainAndAgainRestsLongerEveryTime() {
        let (cluster, _, second) = Self.pair(.sample(epochs: 1_000, validateEvery: 1_000))
        var rests: [Duration] = []
        for _ in 0..<4 {
            cluster.run { !cluster.shards(of: second).isEmpty && cluster.stepTimes.last?.at == cluster.now }
            second.health = .hung
            cluster.run { cluster.shards(of: second).isEmpty }
            second.health = .well
            cluster.run { second.inbox.isEmpty }
            let woke = cluster.now
            cluster.run { !cluster.shards(of: second).isEmpty }
            rests.append(cluster.now - woke)
        }
        #expect(zip(rests, [0, 10, 20, 40]).allSatisfy { $0 >= .seconds($1) && $0 <= .seconds($1 + 2) })
    }

    @Test func whoRestsIsStillBetterThanNobody() {
        let (cluster, first, second) = Self.pair(.sample(epochs: 1_000, validateEvery: 1_000))
        for _ in 0..<2 {
            cluster.run { !cluster.shards(of: second).isEmpty && cluster.stepTimes.last?.at == cluster.now }
            second.health = .hung
            cluster.run { cluster.shards(of: second).isEmpty }
            second.health = .well
            cluster.run { second.inbox.isEmpty }
        }
        cluster.run(for: .seconds(1))
        #expect(cluster.shards(of: second) == [])
        cluster.leave(first)
        #expect(cluster.shards(of: second) == [0, 1, 2, 3])
    }

    @Test func aSuspectWhoseComputeThreadNeverAnswersIsCut() {
        let (cluster, _, second) = Self.pair(.sample(epochs: 1_000, validateEvery: 1_000))
        cluster.run { cluster.serverVersion == 5 }
        second.health = .hung
        cluster.run { cluster.shards(of: second).isEmpty }
        let suspected = cluster.now
        cluster.run { cluster.coordinator.events.workersLost == 1 }
        let patience = CoordinatorLimits.hopelessMinimum
        #expect(cluster.now - suspected >= patience && cluster.now - suspected <= patience + Self.slack)
        #expect(cluster.notices.contains("second is lost: its compute thread has not answered for 120 s"))
    }

    @Test func aLocalWorkerThatHangsIsReplacedByANewProcess() {
        let cluster = Cluster(.sample(epochs: 1_000, validateEvery: 1_000), limits: .sample(minimumWorkers: 2, localWorkers: 2))
        cluster.start()
        cluster.run { cluster.serverVersion == 5 }
        cluster.workers[1].health = .hung
        cluster.run(for: .seconds(200)) { cluster.starts[1] == 2 && cluster.coordinator.admittedWorkers == 2 }
        cluster.run(for: .seconds(2))
        #expect(cluster.workers.count == 2 && cluster.workers.allSatisfy { cluster.shards(of: $0).count == 2 })
    }

    // MARK: Alone

    @Test func aLoneWorkerIsWarnedOfThenGivenUp() {
        let cluster = Cluster(.sample(epochs: 50, validateEvery: 50))
        cluster.start()
        let worker = cluster.join()
        cluster.run { cluster.serverVersion == 5 }
        worker.health = .hung
        let began = cluster.now
        cluster.run { cluster.coordinator.events.workersLost == 1 }
        let expected = CoordinatorLimits.leaseMinimum + CoordinatorLimits.hopelessMinimum
        #expect(cluster.now - began >= expected && cluster.now - began <= expected + Self.slack)
        #expect(cluster.notices.filter { $0 == "w is late with step 5 (shards 0–3); no other worker is there to take over" }.count == 1)
        #expect(cluster.notices.contains("w is lost: its lease is long overdue and nobody can take over"))
    }

    @Test func aNewcomerTakesOverFromALoneWorkerThatHangs() {
        let cluster = Cluster(.sample(epochs: 50, validateEvery: 50))
        cluster.start()
        let worker = cluster.join()
        cluster.run { cluster.serverVersion == 5 }
        worker.health = .hung
        cluster.run(for: .seconds(30))
        let helper = cluster.join("helper")
        cluster.run(for: .seconds(1)) { cluster.shards(of: helper).count == 4 }
        #expect(cluster.shards(of: helper).count == 4)
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    @Test func aSuspectAloneIsAskedAgain() {
        let (cluster, first, second) = Self.pair()
        cluster.run { cluster.serverVersion == 5 }
        second.health = .hung
        cluster.run { cluster.shards(of: first).count == 4 }
        cluster.kill(first)
        cluster.run { cluster.shards(of: second).count == 4 }
        second.health = .well
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
        #expect(cluster.coordinator.events.workersLost == 1)
    }

    @Test func whenAllAreLateNothingIsMoved() {
        let (cluster, first, second) = Self.pair()
        cluster.run { cluster.serverVersion == 5 }
        first.health = .hung
        second.health = .hung
        cluster.run(for: .seconds(60))
        #expect(cluster.coordinator.events.leasesReissued == 0)
        first.health = .well
        second.health = .well
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    /// A first step of minutes: nothing is known of its length, and whoever computes it must get there in the end.
    @Test(arguments: [1, 2, 3])
    func stepsThatTakeMinutesAreFinished(workers: Int) {
        let cluster = Cluster(.sample(epochs: 1), limits: .sample(minimumWorkers: workers))
        cluster.leafTime = .seconds(100)
        cluster.quantum = CoordinatorLimits.tick
        cluster.start()
        for index in 0..<workers { cluster.join("w\(index)") }
        cluster.run(for: .seconds(100_000))
        #expect(cluster.ending?.outcome == .completed)
        #expect(cluster.coordinator.events.workersLost <= 2 * workers)  // in the first step; then its length is known
    }

    // MARK: Evaluation

    @Test(arguments: [EvaluationRound.Purpose.validation, .final])
    func aHungWorkerDoesNotHoldUpAPass(purpose: EvaluationRound.Purpose) {
        let (cluster, _, second) = Self.pair(.sample(epochs: 1))
        cluster.run { cluster.coordinator.round?.purpose == purpose }
        second.health = .hung
        let began = cluster.now
        cluster.run { cluster.coordinator.round?.purpose != purpose }
        #expect(cluster.now - began >= CoordinatorLimits.evaluationMinimum)
        #expect(cluster.now - began <= CoordinatorLimits.evaluationMinimum + .seconds(2))
        second.health = .well
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    @Test func aLongFinalPassIsNoReasonForSuspicion() {
        let plan = RunPlan.sample(shards: 2, epochs: 1)
        let cluster = Cluster(plan, limits: .sample(minimumWorkers: 2))
        cluster.leafTime = .seconds(30)
        cluster.start()
        cluster.join("first")
        cluster.join("second")
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
        let passes = cluster.notices.filter { $0.contains("is late with the") }
        #expect(passes == [])
    }

    @Test func figuresThatComeTwiceCountOnce() throws {
        let cluster = Cluster(.sample(epochs: 1))
        cluster.start()
        let worker = cluster.join(leafTime: .seconds(1))
        cluster.run { cluster.coordinator.phase == .evaluating }
        let id = try #require(worker.id)
        let number = try #require(cluster.coordinator.round).number
        let figures = ShardFigures(blocks: [BlockFigures(rows: 3, correct: 1, loss: 6, squaredError: 0)])
        for _ in 0..<2 { cluster.dispatch(.figures(id, evaluation: number, part: .validation, shard: 0, figures)) }
        cluster.dispatch(.figures(id, evaluation: number - 1, part: .validation, shard: 1, figures))
        #expect(cluster.coordinator.round?.isPending(.validation, shard: 1) == true)
        cluster.run { cluster.records.count == 1 }
        #expect(try #require(cluster.records[0].validation).rows == 10)
    }

    // MARK: Pauses

    @Test func theTimeWithoutWorkersIsNoPartOfAStep() {
        let cluster = Cluster(.sample(epochs: 50, validateEvery: 50))
        cluster.leafTime = .seconds(1)
        cluster.start()
        let first = cluster.join("first")
        cluster.run { cluster.coordinator.isTraining }
        cluster.leave(first)
        cluster.run(for: .seconds(300))
        let second = cluster.join("second")
        cluster.run { cluster.serverVersion == 1 }
        second.health = .hung
        cluster.run(for: .seconds(20) + Self.slack)  // 5 × 4 s
        #expect(cluster.notices.last == "second is late with step 1 (shards 0–3); no other worker is there to take over")
    }

    @Test func whoComesToAnEmptyPassHasItsFullTime() {
        let cluster = Cluster(.sample(epochs: 1))
        cluster.start()
        let first = cluster.join("first")
        cluster.run { cluster.coordinator.phase == .evaluating }
        cluster.leave(first)
        cluster.run(for: .seconds(300))
        cluster.join("second", leafTime: .seconds(15))
        cluster.run { cluster.records.count == 1 }
        #expect(!cluster.notices.contains { $0.contains("is late") })
    }

    @Test func aShardTakenOverInAPassHasItsFullTime() {
        let (cluster, first, second) = Self.pair(.sample(epochs: 1))
        cluster.run { cluster.coordinator.phase == .evaluating }
        second.health = .hung
        first.leafTime = .seconds(15)
        cluster.run { cluster.records.count == 1 }
        #expect(cluster.coordinator.events.leasesReissued == 1)
        // What it has done is not asked for again.
        let orders = cluster.effects.compactMap {
            if case .evaluate(first.id, let order) = $0.effect, order.number == 1 { order } else { nil }
        }
        #expect(orders.map(\.parts) == [[.sample, .validation], [.sample], [.validation]])
        #expect(orders.map(\.shards) == [[0, 1], [1, 2, 3], [0, 1, 2, 3]])
        #expect(!cluster.notices.contains { $0.contains("first is late") })
    }

    @Test func whatTheCoordinatorSleptThroughMakesNobodyLate() {
        let (cluster, first, second) = Self.pair()
        cluster.run { cluster.serverVersion == 5 }
        cluster.pause(for: .seconds(300))
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
        #expect(cluster.coordinator.events.workersLost == 0 && cluster.coordinator.events.leasesReissued == 0)
        #expect(first.id == 1 && second.id == 2)
    }

    @Test func aShortStepAfterALongPauseKeepsItsDeadline() {
        let (cluster, first, second) = Self.pair()
        cluster.run { cluster.serverVersion == 5 }
        cluster.pause(for: .seconds(300))
        cluster.run { cluster.serverVersion == 8 }
        second.health = .hung
        let began = cluster.now
        cluster.run { cluster.shards(of: first).count == 4 }
        #expect(cluster.now - began <= .seconds(2) + Self.slack)
    }
}
