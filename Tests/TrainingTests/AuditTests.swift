import Exactness
import Testing
import Wire

@testable import Training

/// Leaves that two workers compute, and what is made of the comparison.
@Suite struct AuditTests {
    private static func cluster(
        fraction: Double, workers: Int = 2, plan: RunPlan = .sample(epochs: 10)
    ) -> (cluster: Cluster, workers: [FakeWorker]) {
        var limits = CoordinatorLimits.sample(minimumWorkers: workers)
        limits.auditFraction = fraction
        let cluster = Cluster(plan, limits: limits)
        cluster.start()
        return (cluster, (1...workers).map { cluster.join("w\($0)") })
    }

    // MARK: The schedule

    @Test func theScheduleIsAFunctionOfSeedAndStepAlone() {
        let due = (0..<200).map { AuditSchedule(seed: 5, fraction: 0.3).isDue(step: UInt64($0)) }
        #expect(due == (0..<200).map { AuditSchedule(seed: 5, fraction: 0.3).isDue(step: UInt64($0)) })
        #expect(due != (0..<200).map { AuditSchedule(seed: 6, fraction: 0.3).isDue(step: UInt64($0)) })
        #expect(due.contains(true) && due.contains(false))
    }

    /// The standard deviation of the share over 10,000 steps is at most 0.005; four of them are allowed.
    @Test(arguments: [0.01, 0.25, 0.5, 0.9])
    func theShareOfAuditedStepsIsTheFraction(fraction: Double) {
        let due = (0..<10_000).count { AuditSchedule(seed: 1, fraction: fraction).isDue(step: UInt64($0)) }
        #expect(abs(Double(due) / 10_000 - fraction) < 0.02)
    }

    @Test func noneAndAllAreExact() {
        #expect((0..<1_000).allSatisfy { !AuditSchedule(seed: 1, fraction: 0).isDue(step: $0) })
        #expect((0..<1_000).allSatisfy { AuditSchedule(seed: 1, fraction: 1).isDue(step: $0) })
    }

    // MARK: Runs

    @Test(arguments: [2, 3, 4])
    func everyLeafOfAnAuditedStepIsComputedByTwo(workers: Int) {
        let (cluster, _) = Self.cluster(fraction: 1, workers: workers)
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
        // 40 steps of 4 leaves. All come before their senders' next leaves.
        #expect(cluster.coordinator.events.leavesAudited == 160)
    }

    /// Own leaves and those of a neighbour: an audited step takes twice as long, others as long as ever.
    @Test func anAuditCostsItsFraction() {
        func duration(_ fraction: Double) -> Duration {
            let (cluster, _) = Self.cluster(fraction: fraction, plan: .sample(epochs: 50, validateEvery: 50))
            cluster.run { cluster.serverVersion == 1 }
            let began = cluster.now
            cluster.run { cluster.serverVersion == 200 }
            return cluster.now - began
        }
        let (none, some, all) = (duration(0), duration(0.25), duration(1))
        let due = (0..<200).count { AuditSchedule(seed: 1, fraction: 0.25).isDue(step: UInt64($0)) }
        #expect(all / none > 1.9 && all / none < 2.1)
        let expected = 1 + Double(due) / 200
        #expect(some / none > expected - 0.1 && some / none < expected + 0.1)
    }

    @Test func aDifferenceEndsTheRunAndNamesBothWorkersStepAndShards() throws {
        let (cluster, workers) = Self.cluster(fraction: 1)
        cluster.checksum = { worker, step, node in worker === workers[1] && step == 7 ? 1 : UInt64(node.number) }
        cluster.run()
        let ending = try #require(cluster.ending)
        guard case .failed(let error) = ending.outcome else {
            Issue.record("\(ending)")
            return
        }
        let names = ["w1 and w2", "w2 and w1"]
        #expect(names.contains { error.hasPrefix("audit: \($0) have different bits for shards ") }, "\(error)")
        #expect(error.contains(" of step 7 (first in chunk 1): one of them computes wrongly"))
        #expect(cluster.serverVersion <= 9)
        // What has been written since is in doubt, and nothing more is written.
        let last = cluster.effects.suffix(2).map(\.effect)
        #expect(last.first == .distrust(after: 7))
    }

    @Test func withOneWorkerItIsSaidOnceThatNobodyIsThereToAuditWith() {
        let (cluster, _) = Self.cluster(fraction: 0.5, workers: 1, plan: .sample(epochs: 100))
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
        #expect(cluster.notices.filter { $0 == "--audit: w1 computes every leaf; there is nobody to audit with" }.count == 1)
        #expect(cluster.coordinator.events.leavesAudited == 0)
    }

    @Test func everybodyAuditsTheOneBeforeItAndIsToldWithItsLease() throws {
        let (cluster, workers) = Self.cluster(fraction: 0.01, workers: 3, plan: .sample(shards: 8, epochs: 100))
        cluster.run { cluster.coordinator.isTraining }
        let tree = cluster.plan.tree
        for (index, worker) in workers.enumerated() {
            let before = workers[(index + 2) % 3]
            let nodes = tree.maximalSubtrees(of: ShardSet(cluster.shards(of: before))).map(\.number)
            #expect(cluster.leases(of: worker).last?.lease.audits == nodes)
        }
        cluster.leave(workers[0])
        cluster.run(for: .seconds(5))
        let other = tree.maximalSubtrees(of: ShardSet(cluster.shards(of: workers[2]))).map(\.number)
        #expect(workers[1].lease?.audits == other)
    }

    /// Deaths, hangs and newcomers lead to audits that are not made, never to a difference.
    @Test(arguments: [UInt64](1...10))
    func comingsAndGoingsAreNoDifference(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let (cluster, _) = Self.cluster(fraction: 0.5, workers: 3, plan: .sample(shards: 8, epochs: 40))
        // Whoever has lost its lease computes with what others have written over.
        cluster.checksum = { [unowned cluster] worker, step, node in
            step + 1 < cluster.serverVersion ? UInt64.max : UInt64(node.number)
        }
        while cluster.ending == nil, cluster.now < .seconds(200) {
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: if cluster.workers.count < 8 { cluster.join("w") }
            case 1: if cluster.workers.count > 1, let worker = cluster.workers.randomElement(using: &generator) { cluster.kill(worker) }
            case 2: cluster.workers.randomElement(using: &generator)?.health = .hung
            case 3: cluster.workers.randomElement(using: &generator)?.health = .stopped
            default: for worker in cluster.workers { worker.health = .well }
            }
            cluster.run(for: .milliseconds(Int.random(in: 100...4_000, using: &generator)))
        }
        for worker in cluster.workers { worker.health = .well }
        cluster.join("last")
        cluster.run(for: .seconds(20_000))
        #expect(cluster.ending?.outcome == .completed)
        #expect(cluster.coordinator.events.leavesAudited > 0)
    }

    // MARK: Single reports

    private static func report(step: UInt64, node: UInt32, _ checksum: UInt64 = 1, loss: Double = 0) -> AuditReport {
        AuditReport(step: step, node: TreeNode(number: node), loss: loss, checksums: [checksum, 2])
    }

    @Test func aBookComparesWhatTwoWorkersSayOfTheSameNodeOfTheSameStep() {
        var book = AuditBook()
        #expect(book.take(Self.report(step: 3, node: 4), from: 1, name: "a") == .noted)
        #expect(book.take(Self.report(step: 3, node: 4, 9), from: 1, name: "a") == .noted)
        #expect(book.take(Self.report(step: 3, node: 5, 9), from: 2, name: "b") == .noted)
        #expect(book.take(Self.report(step: 4, node: 4, 9), from: 2, name: "b") == .noted)
        #expect(book.take(Self.report(step: 3, node: 4), from: 2, name: "b") == .same)
        #expect(book.take(Self.report(step: 3, node: 4), from: 3, name: "c") == .noted)
        #expect(book.take(Self.report(step: 3, node: 4, 7), from: 3, name: "c") == .different(chunk: 0, formerName: "a"))
    }

    @Test func aLossOfOtherBitsIsADifference() {
        var book = AuditBook()
        #expect(book.take(Self.report(step: 3, node: 4, loss: 0), from: 1, name: "a") == .noted)
        #expect(book.take(Self.report(step: 3, node: 4, loss: -0.0), from: 2, name: "b") == .different(chunk: 0, formerName: "a"))
    }

    @Test func checksumsAreKeptForTwoSteps() {
        var book = AuditBook()
        #expect(book.take(Self.report(step: 3, node: 4), from: 1, name: "a") == .noted)
        #expect(book.take(Self.report(step: 4, node: 4), from: 1, name: "a") == .noted)
        #expect(book.take(Self.report(step: 3, node: 4), from: 2, name: "b") == .same)
        #expect(book.take(Self.report(step: 5, node: 4), from: 1, name: "a") == .noted)
        #expect(book.take(Self.report(step: 3, node: 4, 8), from: 3, name: "c") == .noted)
    }

    /// Its weights may have been written over while it computed.
    @Test func whoHasLostItsLeaseIsNotBelieved() throws {
        let (cluster, workers) = Self.cluster(fraction: 1, plan: .sample(epochs: 50, validateEvery: 50))
        cluster.run { cluster.serverVersion == 5 }
        workers[1].health = .hung
        cluster.run { cluster.serverVersion == 6 }
        let id = try #require(workers[1].id)
        for node in [2, 3] as [UInt32] {
            cluster.dispatch(.audited(id, Self.report(step: 5, node: node, 77), uncovered: ShardSet(0..<4)))
        }
        #expect(cluster.ending == nil)
    }

    @Test func aReportThatComesAfterTheNextStepsLeavesIsNotBelieved() throws {
        let (cluster, workers) = Self.cluster(fraction: 0, plan: .sample(epochs: 50, validateEvery: 50))
        cluster.run { cluster.serverVersion == 5 }
        for worker in workers {
            let id = try #require(worker.id)
            let report = Self.report(step: 4, node: worker === workers[0] ? 2 : 3, UInt64(id))
            #expect(cluster.coordinator.handleForTest(.audited(id, report, uncovered: ShardSet())) == [])
        }
    }
}

extension Coordinator {
    fileprivate func handleForTest(_ event: Event) -> [Effect] {
        var copy = self
        return copy.handle(event, now: .seconds(1))
    }
}
