import Exactness
import Testing
import Wire

@testable import Training

/// Closure rules in virtual time: steps of unknown length, in rounds that are leased, re-issued and waited for like steps.
@Suite struct ClosureCoordinatorTests {
    /// 4 batches an epoch over 4 shards.
    private static func plan(epochs: Int = 3, isFull: Bool = true, earlyStopping: EarlyStoppingPolicy? = nil) -> RunPlan {
        var plan = RunPlan.sample(epochs: epochs, earlyStopping: earlyStopping)
        plan.passes = StepPasses(plan: plan.train, isFull: isFull)
        return plan
    }

    @Test func aFullPassIsAStepAndAnEpoch() {
        let plan = Self.plan(epochs: 5)
        #expect(plan.totalSteps == 5)
        #expect((0...5).filter { plan.isBarrier($0) } == [1, 2, 3, 4, 5])
        #expect(plan.epochs(at: 3) == 3)
        #expect(Self.plan(epochs: 5, isFull: false).totalSteps == 20)
    }

    @Test(arguments: [true, false])
    func aRunGoesThroughAllItsStepsAndValidations(isFull: Bool) throws {
        let cluster = Cluster(Self.plan(isFull: isFull))
        cluster.search?.evaluations = { Int($0 % 3) + 1 }
        cluster.start()
        cluster.join("a")
        cluster.join("b")
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
        #expect(cluster.records.map(\.epoch) == [1, 2, 3])
        let steps = isFull ? 3 : 12
        #expect(cluster.ending?.version == UInt64(steps))
        #expect(cluster.search?.completedPasses == (0..<steps).reduce(0) { $0 + $1 % 3 + 1 })
        #expect(cluster.coordinator.events.leasesReissued == 0)
    }

    /// A look at the curvature: passes that somebody else asked for, and nothing after them.
    @Test func aPlanThatNobodyJudgesEndsWithItsLastStep() throws {
        var plan = Self.plan(epochs: 1)
        plan.isJudged = false
        let cluster = Cluster(plan)
        cluster.search?.evaluations = { _ in 7 }
        cluster.start()
        cluster.join()
        cluster.run()
        #expect(cluster.ending?.outcome == .completed && cluster.ending?.figures.isEmpty == true)
        #expect(cluster.search?.completedPasses == 7)
        #expect(!cluster.effects.contains { if case .evaluate = $0.effect { true } else { false } })
        #expect(cluster.records.isEmpty)
    }

    @Test func validationsAreOfTheWeightsThatTheStepEndsWith() throws {
        let cluster = Cluster(Self.plan(epochs: 1))
        cluster.start()
        cluster.join()
        cluster.run()
        let orders = cluster.effects.compactMap { if case .evaluate(_, let order) = $0.effect { order } else { nil } }
        // One number for the first trial weights, one after each of 3 · 4 rounds.
        #expect(orders.map(\.version) == orders.map { _ in 13 })
        #expect(orders.first?.parts == [.sample, .validation])
    }

    @Test func aWorkersDeathGivesItsShardsAwayInTheMiddleOfAPass() {
        let cluster = Cluster(Self.plan())
        cluster.start()
        let first = cluster.join("first")
        let second = cluster.join("second")
        cluster.run { cluster.search?.completedPasses == 1 && cluster.serverVersion == 7 }
        cluster.kill(first)
        cluster.dispatch(.lost(1, reason: "its connection is gone"))
        #expect(cluster.shards(of: second) == [0, 1, 2, 3])
        let before = cluster.now
        let reached = cluster.run { cluster.serverVersion == 8 }
        #expect(reached && cluster.now - before < .seconds(3))
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    @Test func theOnlyWorkersDeathLeavesThePassToTheNextOne() {
        let cluster = Cluster(Self.plan())
        cluster.start()
        let first = cluster.join("first")
        cluster.run { cluster.serverVersion == 6 }
        cluster.kill(first)
        cluster.dispatch(.lost(1, reason: "its connection is gone"))
        cluster.run(for: .seconds(5)) { false }
        #expect(cluster.serverVersion == 6 && cluster.coordinator.version == 0)
        let second = cluster.join("second")
        cluster.run { cluster.isAdmitted(second) }
        #expect(cluster.leases(of: second).last?.lease.shards == [0, 1, 2, 3])
        #expect(cluster.leases(of: second).last?.lease.step == 6)
        cluster.run()
        #expect(cluster.ending?.outcome == .completed && cluster.ending?.version == 3)
    }

    @Test func whoJoinsInTheMiddleOfAPassGetsShardsWithTheNextRound() {
        let cluster = Cluster(Self.plan())
        cluster.start()
        cluster.join("first")
        cluster.run { cluster.serverVersion == 4 }
        let second = cluster.join("second")
        cluster.run { cluster.isAdmitted(second) }
        let joined = cluster.serverVersion
        cluster.run { !cluster.shards(of: second).isEmpty }
        #expect(cluster.serverVersion <= joined + 1)
        #expect(cluster.leases(of: second).last?.lease.until == .max)
        cluster.run()
        #expect(cluster.contributors.values.contains { Set($0.values) == ["first", "second"] })
        #expect(cluster.ending?.outcome == .completed)
    }

    @Test func aLateRoundIsReissuedAndTheWorkerThatWakesIsHarmless() {
        let cluster = Cluster(Self.plan(epochs: 6))
        cluster.start()
        cluster.join("good")
        let slow = cluster.join("slow")
        cluster.run { cluster.search?.completedPasses == 2 }
        slow.health = .hung
        let version = cluster.serverVersion
        let reached = cluster.run(for: .seconds(15)) { cluster.serverVersion > version + 1 }
        #expect(reached)
        #expect(cluster.coordinator.events.leasesReissued >= 1)
        slow.health = .well
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    @Test func checkpointsComeBetweenSteps() {
        let plan = Self.plan(epochs: 4)
        let cluster = Cluster(plan, limits: .sample(checkpointEvery: .zero))
        cluster.start()
        cluster.join()
        cluster.run()
        var version: UInt64 = 0
        for (_, effect) in cluster.effects {
            if case .record(let record) = effect { version = record.step }
            // One at every verdict, none in the middle of a search.
            if case .checkpoint = effect { #expect(version >= 1) }
        }
        #expect(cluster.checkpointTimes.count == 4)
    }

    @Test func aStepThatNeedsNothingIsAStep() {
        let cluster = Cluster(Self.plan(epochs: 2))
        cluster.start()
        cluster.join()
        cluster.run { cluster.coordinator.phase == .training }
        // The search found itself at rest: no round, no new number.
        cluster.search = nil
        cluster.dispatch(.stepCompleted(version: 1))
        #expect(cluster.coordinator.version == 1 && cluster.coordinator.wireStep == cluster.serverVersion)
        #expect(cluster.coordinator.phase == .evaluating)
    }

    @Test func earlyStoppingWorksOnEpochs() throws {
        let cluster = Cluster(Self.plan(epochs: 9, earlyStopping: EarlyStoppingPolicy(patience: 2)))
        cluster.validation = { ($0 < 20 ? 1 / Double($0) : 1, 0) }
        cluster.start()
        cluster.join()
        cluster.run()
        let ending = try #require(cluster.ending)
        #expect(ending.restoresBest)
        #expect(cluster.coordinator.stopping.best?.step == 1)
        #expect(ending.version == 3)
    }

    @Test func interruptionKeepsTheLastCompleteStep() {
        let cluster = Cluster(Self.plan())
        cluster.start()
        cluster.join()
        cluster.run { cluster.coordinator.version == 1 && cluster.search?.completedPasses == 4 }
        cluster.dispatch(.interrupted(signal: 2))
        #expect(cluster.ending?.version == 1)
        #expect(cluster.checkpointTimes.count == 1)
    }
}
