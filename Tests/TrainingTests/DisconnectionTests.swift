import Exactness
import Testing
import Wire

@testable import Training

/// A remote worker's death shows by the end of its connection: its lease goes at once, heartbeats decide about the rest.
@Suite struct DisconnectionTests {
    @Test func theLeaseGoesAtOnceAndTheMembershipWithTheHeartbeats() throws {
        let cluster = Cluster()
        cluster.leafTime = .milliseconds(100)
        cluster.start()
        let first = cluster.join("first")
        let second = cluster.join("second")
        cluster.run { cluster.isAdmitted(first) && cluster.isAdmitted(second) && cluster.coordinator.version >= 2 }
        let id = try #require(first.id)
        #expect(!cluster.shards(of: first).isEmpty)
        let (at, version) = (cluster.now, cluster.coordinator.version)
        cluster.sever(first)
        #expect(cluster.coordinator.leases.shards(of: id).isEmpty)
        #expect(cluster.shards(of: second) == Array(0..<cluster.plan.tree.shardCount))
        #expect(cluster.coordinator.members[id] != nil)
        #expect(cluster.coordinator.events.leasesReissued == 1 && cluster.coordinator.events.workersLost == 0)
        cluster.run { cluster.coordinator.version > version }
        // Four leaves one after the other, and one that the survivor may have been at.
        #expect(cluster.now - at <= .milliseconds(100) * 5 + Cluster.quantum * 5)
        cluster.run(for: .seconds(6)) { cluster.coordinator.members[id] == nil }
        #expect(cluster.coordinator.members[id] == nil && cluster.coordinator.events.workersLost == 1)
        #expect(cluster.notices.contains("the connection of first has ended"))
    }

    @Test func theOnlyWorkersLeaseWaitsForAnotherInMidStep() throws {
        let cluster = Cluster()
        cluster.start()
        let only = cluster.join("only")
        cluster.run { cluster.coordinator.version >= 1 }
        let version = cluster.coordinator.version
        cluster.sever(only)
        #expect(cluster.coordinator.leases.orphanCount == cluster.plan.tree.shardCount)
        cluster.run(for: .seconds(1))
        #expect(cluster.coordinator.version == version && cluster.ending == nil)
        let other = cluster.join("other")
        cluster.run(for: .seconds(2)) { cluster.coordinator.version > version }
        #expect(cluster.coordinator.version > version)
        #expect(cluster.shards(of: other).count == cluster.plan.tree.shardCount)
    }

    @Test func aWorkerThatComesAgainTakesThePlaceOfItsFormerSession() throws {
        var coordinator = Coordinator(plan: .sample(), limits: .sample(), rules: .sample)
        _ = coordinator.handle(.hello(1, .sample("a"), localSlot: nil), now: .zero)
        _ = coordinator.handle(.ready(1, leafClass: "x"), now: .zero)
        _ = coordinator.handle(.disconnected(1), now: .seconds(1))
        #expect(coordinator.handle(.disconnected(1), now: .seconds(1)) == [])
        let effects = coordinator.handle(.hello(2, .sample("a"), localSlot: nil), now: .seconds(2))
        #expect(effects.first == .cut(1, reason: "it said hello again"))
        #expect(effects.last == .welcome(2))
        #expect(coordinator.members.keys.sorted() == [2] && coordinator.name(of: 2) == "a")
    }

    /// The hello of a connection that the worker gave up may come just before that of the next one, and its end later than both.
    @Test func aProcessIsThereOnce() {
        var coordinator = Coordinator(plan: .sample(), limits: .sample(), rules: .sample)
        _ = coordinator.handle(.hello(1, .sample("a", instance: 9), localSlot: nil), now: .zero)
        let effects = coordinator.handle(.hello(2, .sample("a", instance: 9), localSlot: nil), now: .zero)
        #expect(effects == [.cut(1, reason: "it said hello again"), .welcome(2)])
        #expect(coordinator.members.keys.sorted() == [2] && coordinator.name(of: 2) == "a")
    }

    @Test func aGreetedWorkersDisconnectionMovesNothing() {
        let cluster = Cluster()
        cluster.start()
        cluster.join("w")
        cluster.run { cluster.coordinator.isTraining }
        let greeted = cluster.join("greeted", buildTime: .seconds(30))
        cluster.run { greeted.id != nil }
        cluster.sever(greeted)
        #expect(cluster.coordinator.events.leasesReissued == 0)
        cluster.run(for: .seconds(7))
        #expect(cluster.notices.contains { $0.hasPrefix("greeted is lost: no heartbeat") })
    }

    @Test func aDisconnectionDuringAnEvaluationMovesItsShards() throws {
        let cluster = Cluster()
        cluster.start()
        let first = cluster.join("first", leafTime: .seconds(1))
        let second = cluster.join("second", leafTime: .milliseconds(50))
        cluster.run { cluster.coordinator.phase == .evaluating && cluster.isAdmitted(first) && cluster.isAdmitted(second) }
        let version = cluster.coordinator.version
        cluster.sever(first)
        cluster.run(for: .seconds(4)) { cluster.coordinator.version > version }
        #expect(cluster.coordinator.version > version)
    }
}
