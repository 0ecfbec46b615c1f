import Exactness
import Testing
import Wire

@testable import Training

/// Modes ssp and async: weights have more versions than there are steps, and some are waited for while others go on.
@Suite struct StaleCoordinatorTests {
    /// 4 steps an epoch over 4 shards.
    private static var plan: RunPlan {
        var plan = RunPlan.sample(epochs: 1)
        plan.isStale = true
        return plan
    }

    /// Two workers, with two shards each.
    private static func training() -> Coordinator {
        var coordinator = Coordinator(plan: plan, limits: .sample(minimumWorkers: 2), rules: .sample)
        _ = coordinator.handle(.start, now: .zero)
        for worker in 1...2 as ClosedRange<WorkerID> {
            _ = coordinator.handle(.hello(worker, .sample("w\(worker)"), localSlot: nil), now: .zero)
            _ = coordinator.handle(.ready(worker, leafClass: "class"), now: .zero)
        }
        return coordinator
    }

    @Test func validationsAreOfTheUpdatesThatAllShardsHaveMade() {
        var coordinator = Self.training()
        var effects: [Effect] = []
        for step in 1...4 as ClosedRange<UInt64> {
            for half in 1...2 as ClosedRange<UInt64> {
                _ = coordinator.handle(.roundReached(step * 2 - 2 + half, afterGradient: true), now: .seconds(Int(step)))
            }
            effects = coordinator.handle(.stepCompleted(version: step), now: .seconds(Int(step)))
        }
        #expect(coordinator.version == 4 && !coordinator.isTraining)
        let orders = effects.compactMap { if case .evaluate(_, let order) = $0 { order } else { nil } }
        #expect(orders.map(\.version) == [8, 8])
    }

    /// A worker whose computation hangs is late, however many updates the other one makes.
    @Test func updatesOfOneAreNoExcuseForAnother() {
        var coordinator = Self.training()
        let held = coordinator.leases.shards(of: 1)
        #expect(held.count == 2)
        var round: UInt64 = 0
        var now = Duration.zero
        while coordinator.leases.shards(of: 1) == held, now < .seconds(60) {
            now += .milliseconds(500)
            round += 1
            for worker in 1...2 as ClosedRange<WorkerID> { _ = coordinator.handle(.heartbeat(worker), now: now) }
            _ = coordinator.handle(.roundReached(round, afterGradient: true), now: now)
            _ = coordinator.handle(.tick(uncovered: ShardSet(held)), now: now)
        }
        #expect(coordinator.leases.shards(of: 2) == [0, 1, 2, 3])
        #expect(now < CoordinatorLimits.newLeaseGrace + CoordinatorLimits.leaseMinimum + .seconds(2))
    }

    /// Whoever comes in the middle gets a lease from the present number of updates on.
    @Test func leasesGoByUpdates() {
        var coordinator = Self.training()
        for round in 1...3 as ClosedRange<UInt64> { _ = coordinator.handle(.roundReached(round, afterGradient: true), now: .seconds(1)) }
        let effects = coordinator.handle(.lost(1, reason: "gone"), now: .seconds(1))
        let leases = effects.compactMap { if case .lease(2, let lease) = $0 { lease } else { nil } }
        #expect(leases.map(\.step) == [3] && leases.map(\.until) == [.max])
        #expect(leases.first?.shards == [0, 1, 2, 3])
    }
}
