import Exactness
import Testing
import Wire

@testable import Training

/// Leases follow speed and newcomers at step boundaries; rows travel before them.
@Suite struct MovingLeasesTests {
    private static func cluster(_ plan: RunPlan = .sample(shards: 16, epochs: 500, validateEvery: 500)) -> Cluster {
        let cluster = Cluster(plan)
        cluster.start()
        return cluster
    }

    private static func longestStep(_ cluster: Cluster, after start: Duration) -> Duration {
        let times = cluster.stepTimes.map(\.at).filter { $0 >= start }
        return zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? .zero
    }

    // MARK: Speed

    @Test func twiceTheSpeedGetsTwiceTheLeaves() {
        let cluster = Self.cluster(.sample(shards: 16, epochs: 500, validateEvery: 500))
        let fast = cluster.join("fast", leafTime: .milliseconds(40))
        let slow = cluster.join("slow", leafTime: .milliseconds(80))
        cluster.run(for: .seconds(60)) { cluster.shards(of: slow).count == 5 }
        #expect(cluster.shards(of: fast).count == 11 && cluster.shards(of: slow).count == 5)
        #expect(cluster.coordinator.events.leasesReissued == 0 && cluster.coordinator.events.workersLost == 0)
    }

    @Test func aLeaseByWeightIsOfFewSubtrees() {
        let tree = ShardTree(shardCount: 64)
        var table = LeaseTable(tree: tree)
        _ = table.rebalance(among: [1, 2, 3], leafTimes: [1: .milliseconds(10), 2: .milliseconds(20), 3: .milliseconds(20)])
        #expect([1, 2, 3].map { table.shards(of: $0).count } == [32, 16, 16])
        for worker in WorkerID(1)...3 { #expect(tree.maximalSubtrees(of: ShardSet(table.shards(of: worker))).count == 1) }
    }

    @Test(arguments: [
        ([10, 10], [4, 4]), ([10, 20], [6, 2]), ([10, 11], [4, 4]), ([10, 30], [6, 2]), ([10, 1_000], [8, 0]), ([10, 10, 20], [4, 3, 1]),
    ])
    func theSlowestShareIsAsShortAsCanBe(milliseconds: [Int], expected: [Int]) {
        var table = LeaseTable(tree: ShardTree(shardCount: 8))
        let workers = (1...WorkerID(milliseconds.count)).map { $0 }
        let times = Dictionary(uniqueKeysWithValues: zip(workers, milliseconds.map { Duration.milliseconds($0) }))
        _ = table.rebalance(among: workers, leafTimes: times)
        #expect(workers.map { table.shards(of: $0).count } == expected)
        #expect(table.orphanCount == 0)
    }

    @Test func whoIsNotMeasuredCountsAsAverage() {
        var table = LeaseTable(tree: ShardTree(shardCount: 8))
        _ = table.rebalance(among: [1, 2], leafTimes: [1: .milliseconds(10)])
        #expect(table.shards(of: 1).count == 4 && table.shards(of: 2).count == 4)
    }

    /// Data moves with leases: neither noise nor small differences are worth it.
    @Test func smallDifferencesMoveNothing() {
        let cluster = Self.cluster()
        let first = cluster.join("first", leafTime: .milliseconds(80))
        let second = cluster.join("second", leafTime: .milliseconds(90))
        cluster.run { cluster.coordinator.isTraining && cluster.shards(of: second).count == 8 }
        cluster.run(for: .seconds(10))
        let before = cluster.effects.count
        for round in 0..<20 {
            first.leafTime = .milliseconds(round % 2 == 0 ? 76 : 84)
            second.leafTime = .milliseconds(round % 3 == 0 ? 85 : 94)
            cluster.run(for: .seconds(5))
        }
        #expect(cluster.effects.count == before)
    }

    @Test func aWorkerThatBecomesSlowIsRelievedAndOneThatRecoversIsTriedAgain() {
        let cluster = Self.cluster(.sample(shards: 8, epochs: 5_000, validateEvery: 5_000))
        let first = cluster.join("first", leafTime: .milliseconds(40))
        let second = cluster.join("second", leafTime: .milliseconds(40))
        cluster.run { cluster.shards(of: second).count == 4 }
        second.leafTime = .milliseconds(160)
        cluster.run(for: .seconds(90)) { cluster.shards(of: second).count < 3 }
        #expect(cluster.shards(of: second).count < 3)
        second.leafTime = .milliseconds(40)
        // A quarter is within what counts as noise.
        cluster.run(for: .seconds(400)) { cluster.shards(of: second).count >= 3 }
        #expect(cluster.shards(of: first).count <= 5 && cluster.shards(of: second).count >= 3)
    }

    @Test func speedMovesRowsBeforeLeasesAndHoldsNoStepUp() throws {
        let cluster = Self.cluster()
        let fast = cluster.join("fast", leafTime: .milliseconds(20))
        let slow = cluster.join("slow", leafTime: .milliseconds(60))
        fast.fetchTime = .seconds(3)
        cluster.run { cluster.shards(of: slow).count == 8 }
        let began = cluster.now
        cluster.run(for: .seconds(90)) { cluster.shards(of: slow).count == 4 }
        #expect(cluster.shards(of: slow).count == 4)
        // 8 leaves of 60 ms, and a quantum.
        #expect(Self.longestStep(cluster, after: began) <= .milliseconds(60) * 8 + Cluster.quantum * 2)
        let announced = try #require(cluster.leases(of: fast).first { $0.at > began && $0.lease.fetch != nil }).at
        let moved = try #require(cluster.leases(of: fast).first { $0.lease.shards.count == 12 }).at
        #expect(moved - announced >= .seconds(11))  // four shards of 3 s
    }

    // MARK: Newcomers

    /// The bound of the promise is 5 s; a step's end is all that it takes.
    @Test(arguments: [Duration.zero, .seconds(1), .seconds(30)])
    func whoJoinsTakesPartOneStepAfterItsRowsAreThereAndHoldsNothingUp(fetchTime: Duration) {
        let cluster = Self.cluster()
        let first = cluster.join("first")
        cluster.run { cluster.serverVersion == 4 }
        let second = cluster.join("second")
        second.fetchTime = fetchTime
        let began = cluster.now
        cluster.run { cluster.leases(of: second).contains { $0.lease.fetch?.count == 8 } }
        let announced = cluster.now
        let step = Duration.milliseconds(100) * 16
        cluster.run(for: .seconds(600)) { !cluster.shards(of: second).isEmpty }
        let arrived = announced + fetchTime * 8
        #expect(cluster.now - arrived <= step + Cluster.quantum * 3)
        #expect(cluster.now - arrived < .seconds(5))
        #expect(cluster.shards(of: second).count == 8 && cluster.shards(of: first).count == 8)
        let version = cluster.serverVersion
        cluster.run { cluster.serverVersion == version + 2 }
        #expect(cluster.contributors[version]?.values.filter { $0 == "second" }.count == 8)
        #expect(Self.longestStep(cluster, after: began) <= step + Cluster.quantum * 3)
        #expect(cluster.coordinator.events.leasesReissued == 0)
    }

    @Test func whoDiesBeforeItsRowsAreThereHasHeldNothing() {
        let cluster = Self.cluster()
        let first = cluster.join("first")
        cluster.run { cluster.serverVersion == 2 }
        let second = cluster.join("second")
        second.fetchTime = .seconds(100)
        cluster.run { cluster.leases(of: second).contains { $0.lease.fetch != nil } }
        cluster.sever(second)
        cluster.run(for: .seconds(10))
        #expect(cluster.coordinator.moves.isEmpty)
        #expect(cluster.shards(of: first).count == 16 && cluster.coordinator.events.leasesReissued == 0)
        let third = cluster.join("third")
        cluster.run(for: .seconds(10)) { cluster.shards(of: third).count == 8 }
        #expect(cluster.shards(of: third).count == 8)
    }

    @Test func eachOfSeveralNewcomersBeginsWhenItsOwnRowsAreThere() {
        let cluster = Self.cluster()
        cluster.join("first")
        cluster.run { cluster.serverVersion == 2 }
        let near = cluster.join("near"), far = cluster.join("far")
        far.fetchTime = .seconds(20)
        cluster.run(for: .seconds(20)) { !cluster.shards(of: near).isEmpty }
        #expect(!cluster.shards(of: near).isEmpty && cluster.shards(of: far).isEmpty)
        cluster.run(for: .seconds(300)) { !cluster.shards(of: far).isEmpty }
        #expect(cluster.workers.map { cluster.shards(of: $0).count }.sorted() == [5, 5, 6])
    }

    /// A giver that dies leaves orphans, which cannot wait for anything: the plan is made anew.
    @Test func aGiverThatDiesMakesThePlanVoid() {
        let cluster = Self.cluster()
        let first = cluster.join("first"), second = cluster.join("second")
        cluster.run { cluster.shards(of: second).count == 8 }
        let third = cluster.join("third")
        third.fetchTime = .seconds(2)
        cluster.run { !cluster.coordinator.moves.isEmpty }
        cluster.sever(first)
        #expect(cluster.shards(of: second).count + cluster.shards(of: third).count == 16)
        cluster.run(for: .seconds(120)) { abs(cluster.shards(of: second).count - cluster.shards(of: third).count) <= 1 }
        #expect(cluster.shards(of: second).count == 8 && cluster.shards(of: third).count == 8)
    }

    @Test func wordOfALeaseThatWasNeverGivenIsIgnored() throws {
        let cluster = Self.cluster()
        cluster.join("first")
        cluster.run { cluster.serverVersion == 2 }
        let second = cluster.join("second")
        second.fetchTime = .seconds(100)
        cluster.run { !cluster.coordinator.moves.isEmpty }
        let id = try #require(second.id)
        cluster.dispatch(.fetched(id, sequence: 0))
        cluster.dispatch(.fetched(id, sequence: 99))
        cluster.dispatch(.fetched(77, sequence: 1))
        cluster.run(for: .seconds(5))
        #expect(cluster.shards(of: second).isEmpty)
    }
}
