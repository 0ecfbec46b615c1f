import Testing
import Wire

@testable import Training

/// Who comes and who goes.
@Suite struct CoordinatorMembershipTests {
    // MARK: The handshake

    @Test(arguments: [
        (Hello.sample(protocolVersion: 99), "protocol version", "99", "\(WireProtocol.version)"),
        (Hello.sample(numericsVersion: 8), "numerics version", "8", "7"),
    ])
    func anotherReleaseIsRefusedWithBothValues(hello: Hello, subject: String, theirs: String, ours: String) throws {
        var coordinator = Coordinator(plan: .sample(), limits: .sample(), rules: .sample)
        let effects = coordinator.handle(.hello(1, hello, localSlot: nil), now: .zero)
        guard case .refuse(1, let refusal) = try #require(effects.first) else {
            Issue.record("\(effects)")
            return
        }
        #expect(refusal.subject == subject && refusal.theirs == theirs && refusal.ours == ours && !refusal.advice.isEmpty)
        guard case .notice(let notice) = effects.last else {
            Issue.record("nobody is told: \(effects)")
            return
        }
        #expect(notice.level == .warning && notice.text.contains(subject) && notice.text.contains("a@host"))
        #expect(coordinator.handle(.ready(1, leafClass: "x"), now: .zero) == [])
    }

    @Test func theFirstWorkerDefinesTheLeafClassAndOthersAreRefused() throws {
        var coordinator = Coordinator(plan: .sample(), limits: .sample(), rules: .sample)
        for worker in WorkerID(1)...2 {
            #expect(coordinator.handle(.hello(worker, .sample("w\(worker)"), localSlot: nil), now: .zero) == [.welcome(worker)])
        }
        _ = coordinator.handle(.ready(1, leafClass: "avx512"), now: .zero)
        #expect(coordinator.leafClass == "avx512")
        let effects = coordinator.handle(.ready(2, leafClass: "avx2"), now: .zero)
        guard case .refuse(2, let refusal) = try #require(effects.first) else {
            Issue.record("\(effects)")
            return
        }
        #expect(refusal.theirs == "avx2" && refusal.ours == "avx512" && refusal.advice.contains("cluster.instruction_set"))
        #expect(coordinator.admittedWorkers == 1)
    }

    @Test func aResumedRunHasItsLeafClassFromTheCheckpoint() throws {
        let rules = AdmissionRules(numericsVersion: 7, leafClass: "avx512")
        var coordinator = Coordinator(plan: .sample(), limits: .sample(), rules: rules, version: 3)
        _ = coordinator.handle(.hello(1, .sample(), localSlot: nil), now: .zero)
        guard case .refuse(1, let refusal) = try #require(coordinator.handle(.ready(1, leafClass: "avx2"), now: .zero).first) else {
            Issue.record("the first worker is let in with another leaf class")
            return
        }
        #expect(refusal.theirs == "avx2" && refusal.ours == "avx512")
    }

    @Test func aHostWhoseWorkersAreRefusedEndsTheRunAtOnce() throws {
        let rules = AdmissionRules(numericsVersion: 7, leafClass: "avx512")
        var coordinator = Coordinator(
            plan: .sample(), limits: .sample(localWorkers: 2, acceptsRemoteWorkers: false), rules: rules, version: 3)
        _ = coordinator.handle(.start, now: .zero)
        for worker in WorkerID(1)...2 { _ = coordinator.handle(.hello(worker, .sample(), localSlot: Int(worker) - 1), now: .zero) }
        #expect(coordinator.handle(.ready(1, leafClass: "avx2"), now: .zero).count == 2)
        #expect(coordinator.handle(.localWorkerExited(slot: 0, description: "exit code 3"), now: .zero) == [])
        guard case .finish(let ending) = try #require(coordinator.handle(.ready(2, leafClass: "avx2"), now: .zero).last),
            case .failed(let error) = ending.outcome
        else {
            Issue.record("the run waits for workers that it would refuse")
            return
        }
        #expect(error.hasPrefix("the workers of this host are refused: leaf class: the worker has avx2, the run has avx512; "))
    }

    @Test func namesakesAreToldApart() {
        let cluster = Cluster()
        cluster.start()
        let first = cluster.join("twin")
        let second = cluster.join("twin")
        cluster.run { cluster.isAdmitted(second) }
        #expect(first.id.map(cluster.coordinator.name(of:)) == "twin")
        #expect(second.id.map(cluster.coordinator.name(of:)) == "twin#2")
    }

    @Test func aLocalWorkerThatSaysHelloAgainTakesThePlaceOfItsFormerSession() {
        var coordinator = Coordinator(plan: .sample(), limits: .sample(localWorkers: 1), rules: .sample)
        #expect(coordinator.handle(.start, now: .zero) == [.startLocalWorker(slot: 0)])
        #expect(coordinator.handle(.hello(1, .sample(), localSlot: 0), now: .zero) == [.welcome(1)])
        let effects = coordinator.handle(.hello(2, .sample(), localSlot: 0), now: .seconds(1))
        #expect(effects.first == .cut(1, reason: "it said hello again"))
        #expect(effects.last == .welcome(2))
        #expect(coordinator.members.keys.sorted() == [2])
        #expect(coordinator.name(of: 2) == "a")
    }

    /// Its connection stays, or the word that it may go would not reach it.
    @Test func whoHandsBackItsLeasesIsReleasedNotCut() {
        var coordinator = Coordinator(plan: .sample(), limits: .sample(), rules: .sample)
        _ = coordinator.handle(.start, now: .zero)
        _ = coordinator.handle(.hello(1, .sample(), localSlot: nil), now: .zero)
        let effects = coordinator.handle(.leaving(1, reason: "stopped by a signal"), now: .seconds(1))
        #expect(effects == [.release(1), .notice(Notice(level: .info, text: "a left: stopped by a signal"))])
        #expect(coordinator.members.isEmpty)
    }

    @Test func figuresOfSomebodyWhoIsNotAdmittedAreIgnored() throws {
        let cluster = Cluster()
        cluster.start()
        cluster.join(leafTime: .seconds(1))
        let greeted = cluster.join("greeted", buildTime: .seconds(30))
        cluster.run { cluster.coordinator.phase == .evaluating }
        let number = try #require(cluster.coordinator.round).number
        let id = try #require(greeted.id)
        let block = BlockFigures(rows: 3, correct: 0, loss: 0, squaredError: 0)
        cluster.dispatch(.figures(id, evaluation: number, part: .sample, shard: 3, ShardFigures(blocks: [block])))
        #expect(cluster.coordinator.round?.isPending(.sample, shard: 3) == true)
    }

    // MARK: Gathering

    @Test func theRunBeginsWhenEnoughAreThere() {
        let cluster = Cluster(limits: .sample(minimumWorkers: 2))
        cluster.start()
        let first = cluster.join("first")
        cluster.run(for: .seconds(5))
        #expect(cluster.coordinator.isGathering && cluster.isAdmitted(first))
        cluster.leave(first)
        let others = ["second", "third"].map { cluster.join($0) }
        cluster.run { others.allSatisfy(cluster.isAdmitted) }
        #expect(cluster.coordinator.isTraining)
        #expect(others.map(cluster.shards(of:)) == [[0, 1], [2, 3]])
        #expect(!cluster.notices.contains { $0.contains("all workers are gone") })
    }

    @Test func nobodyWithinTheJoinTimeoutEndsTheRunWithWhatWasAwaited() throws {
        let cluster = Cluster(limits: .sample(minimumWorkers: 2, joinTimeout: .seconds(30)))
        cluster.start()
        cluster.join()
        cluster.run()
        #expect(cluster.now >= .seconds(30) && cluster.now < .seconds(31))
        guard case .failed(let error) = try #require(cluster.ending).outcome else {
            Issue.record("\(String(describing: cluster.ending))")
            return
        }
        let text = "2 workers were awaited (cluster.minimum_workers), 1 came within 30 s (cluster.join_timeout_seconds); "
        #expect(error == text + "start one with: dnn-worker --connect tcp://here:5555")
        #expect(cluster.checkpointTimes.isEmpty)
    }

    @Test func aGreetedWorkerThatFallsSilentOrNeverGetsReadyIsDropped() {
        let cluster = Cluster()
        cluster.start()
        let silent = cluster.join("silent", buildTime: .seconds(1_000))
        let slow = cluster.join("slow", buildTime: .seconds(1_000))
        cluster.join("w", leafTime: .seconds(10))
        cluster.run { cluster.coordinator.isTraining }
        cluster.kill(silent)
        cluster.run(for: .seconds(10))
        #expect(cluster.notices.contains("silent is lost: no heartbeat for 5 s"))
        let id = slow.id
        cluster.run(for: .seconds(55)) { slow.id != id }
        #expect(cluster.notices.contains("slow is lost: not ready 60 s after its welcome"))
        #expect(cluster.coordinator.events.workersLost == 0)
    }

    @Test func aWorkerThatFailsBeforeItIsReadyIsHeard() {
        let cluster = Cluster()
        cluster.start()
        let worker = cluster.join(buildTime: .seconds(50))
        cluster.run { worker.id != nil }
        if let id = worker.id { cluster.dispatch(.failed(id, error: "no\u{1B}memory")) }
        #expect(cluster.notices == ["w is lost: it failed: no?memory"])
    }

    // MARK: Coming and going

    @Test func whoJoinsGetsAShareAtTheNextStep() {
        let cluster = Cluster(.sample(epochs: 10, validateEvery: 10))
        cluster.start()
        cluster.join("first")
        cluster.run { cluster.serverVersion == 2 }
        let second = cluster.join("second")
        cluster.run { cluster.isAdmitted(second) }
        #expect(cluster.shards(of: second) == [])
        let version = cluster.serverVersion
        cluster.run { cluster.serverVersion == version + 1 }
        #expect(cluster.shards(of: second) == [2, 3])
        let leases = cluster.leases(of: second).map(\.lease)
        #expect(leases.map(\.fetch) == [[2, 3], nil] && leases.first?.shards == [])
        #expect(leases.last == Lease(sequence: 2, shards: [2, 3], step: version + 1, until: 40))
        #expect(cluster.coordinator.events.leasesReissued == 0)
    }

    @Test func whoIsOverVStandsByAndStepsInAtOnce() {
        let cluster = Cluster(.sample(epochs: 10, validateEvery: 10))
        cluster.start()
        let workers = (1...6).map { cluster.join("w\($0)") }
        cluster.run { cluster.serverVersion == 3 }
        #expect(workers.map { cluster.shards(of: $0).count }.sorted() == [0, 0, 1, 1, 1, 1])
        #expect(cluster.notices.filter { $0.contains("training.virtual_shards is 4") }.count == 1)
        let victim = workers[0]
        let shards = cluster.shards(of: victim)
        let spare = workers.first { cluster.shards(of: $0).isEmpty }
        cluster.kill(victim)
        cluster.run(for: .seconds(6)) { cluster.coordinator.admittedWorkers == 5 }
        #expect(spare.map(cluster.shards(of:)) == shards)
    }

    @Test func whoLeavesInMidStepIsReplacedAtOnce() throws {
        let cluster = Cluster(.sample(epochs: 10, validateEvery: 10))
        cluster.start()
        let first = cluster.join("first")
        let second = cluster.join("second")
        cluster.run { cluster.serverVersion == 5 }
        cluster.leave(second)
        #expect(cluster.shards(of: first) == [0, 1, 2, 3])
        let lease = try #require(cluster.leases(of: first).last)
        #expect(lease.at == cluster.now && lease.lease.step == 5)
        #expect(cluster.notices.last == "shards 2–3 go to first")
        #expect(cluster.coordinator.events.workersLost == 0 && cluster.coordinator.events.leasesReissued == 1)
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    @Test func aKilledWorkerIsReplacedWhenItsHeartbeatsStop() {
        let cluster = Cluster(.sample(epochs: 10, validateEvery: 10))
        cluster.start()
        cluster.join("first")
        let second = cluster.join("second")
        cluster.run { cluster.serverVersion == 5 }
        cluster.kill(second)
        let killed = cluster.now
        cluster.run { cluster.serverVersion == 6 }
        // 5 heartbeats of 1 s, or the 2 s of the lease: the lease is what counts; then 2 leaves of 0.1 s.
        #expect(cluster.now - killed <= .seconds(3))
    }

    @Test func manyWhoDieTogetherAreReplacedByOneDeal() {
        let cluster = Cluster(.sample(shards: 8, epochs: 10, validateEvery: 10), limits: .sample(minimumWorkers: 8))
        cluster.start()
        let workers = (1...8).map { cluster.join("w\($0)", leafTime: .seconds(1)) }
        cluster.run { cluster.serverVersion == 1 }
        for worker in workers.dropFirst() { cluster.kill(worker) }
        cluster.run { cluster.serverVersion == 2 }
        #expect(cluster.coordinator.events.leasesReissued == 1)
        #expect(cluster.shards(of: workers[0]).count == 8)
    }

    // MARK: Nobody is left

    @Test func whenAllAreGoneTheRunWaitsAndEndsWithACheckpoint() throws {
        let cluster = Cluster(limits: .sample(idleTimeout: .seconds(100)))
        cluster.start()
        let worker = cluster.join()
        cluster.run { cluster.serverVersion == 2 }
        cluster.leave(worker)
        let left = cluster.now
        #expect(
            cluster.notices.last
                == "all workers are gone at step 2; waiting up to 100 s for another: dnn-worker --connect tcp://here:5555")
        cluster.run()
        #expect(cluster.now - left >= .seconds(100) && cluster.now - left < .seconds(101))
        guard case .failed(let error) = try #require(cluster.ending).outcome else {
            Issue.record("\(String(describing: cluster.ending))")
            return
        }
        #expect(error == "no worker for 100 s (cluster.idle_timeout_seconds); the last complete step, 2, is saved")
        #expect(cluster.ending?.version == 2 && cluster.checkpointTimes.count == 1)
    }

    @Test(arguments: ["training", "validation", "final"])
    func whoComesToAnEmptyRunGetsEverythingAtOnce(phase: String) throws {
        let cluster = Cluster(.sample(epochs: 1))
        cluster.start()
        let first = cluster.join("first")
        cluster.run {
            switch phase {
            case "training": cluster.serverVersion == 2
            case "validation": cluster.coordinator.round?.purpose == .validation
            default: cluster.coordinator.round?.purpose == .final
            }
        }
        cluster.leave(first)
        cluster.run(for: .seconds(300))
        let second = cluster.join("second")
        cluster.run { cluster.isAdmitted(second) }
        #expect(cluster.shards(of: second) == [0, 1, 2, 3])
        #expect(try #require(cluster.leases(of: second).first).lease.step == cluster.serverVersion)
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
        // The time without workers makes nobody late.
        #expect(!cluster.notices.contains { $0.contains("is late") })
    }

    // MARK: Local workers

    @Test func localWorkersAreStartedAgainWheneverTheyDie() {
        let cluster = Cluster(.sample(epochs: 50), limits: .sample(localWorkers: 2))
        cluster.start()
        for _ in 0..<10 {
            let version = cluster.serverVersion
            cluster.run { cluster.serverVersion > version + 1 && cluster.coordinator.admittedWorkers == 2 }
            for worker in cluster.workers { cluster.kill(worker) }
        }
        #expect(cluster.starts == [0: 11, 1: 11])
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    @Test func localWorkersThatNeverComeUpEndTheRun() throws {
        let cluster = Cluster(limits: .sample(localWorkers: 2, acceptsRemoteWorkers: false))
        cluster.survivesStart = { _, _ in false }
        cluster.start()
        cluster.run()
        #expect(cluster.starts == [0: 4, 1: 4])
        guard case .failed(let error) = try #require(cluster.ending).outcome else {
            Issue.record("\(String(describing: cluster.ending))")
            return
        }
        #expect(error == "the local workers died 4 times in a row without finishing a step; see logs/worker-*.log")
        #expect(cluster.checkpointTimes.isEmpty && cluster.now < .seconds(10))
    }

    @Test func oneThatNeverComesUpIsGivenUpWhileOthersWork() {
        let cluster = Cluster(.sample(epochs: 20), limits: .sample(localWorkers: 2, acceptsRemoteWorkers: false))
        cluster.survivesStart = { slot, _ in slot == 0 }
        cluster.start()
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
        #expect(cluster.starts == [0: 1, 1: 4])
        #expect(
            cluster.notices.contains(
                "local worker 2 exited with code 1; not started again after 3 restarts without a finished step"))
    }

    @Test func withRemoteWorkersAllowedTheRunOutlivesItsLocalOnes() {
        let cluster = Cluster(limits: .sample(localWorkers: 1))
        cluster.survivesStart = { _, _ in false }
        cluster.start()
        cluster.run(for: .seconds(20))
        #expect(cluster.ending == nil)
        cluster.join()
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    @Test func oneThatDiesInEveryStepIsStartedThreeTimesAgain() throws {
        let cluster = Cluster(limits: .sample(localWorkers: 1, acceptsRemoteWorkers: false))
        cluster.start()
        cluster.run { cluster.serverVersion == 2 }
        while cluster.ending == nil {
            cluster.run(for: .seconds(30)) { cluster.coordinator.admittedWorkers == 1 }
            for worker in cluster.workers { cluster.kill(worker) }
        }
        #expect(cluster.starts == [0: 4])  // and three times again
        #expect(cluster.ending?.version == 2 && cluster.checkpointTimes.count == 1)
    }

    @Test func oneThatLeftPolitelyIsStartedAgainToo() {
        let cluster = Cluster(.sample(epochs: 20), limits: .sample(localWorkers: 1))
        cluster.start()
        cluster.run { cluster.serverVersion == 2 }
        for worker in cluster.workers { cluster.leave(worker) }
        cluster.run()
        #expect(cluster.starts == [0: 2])
        #expect(cluster.ending?.outcome == .completed)
    }
}
