import Exactness
import Testing
import Wire

@testable import Training

/// Whole runs in which workers join, die, hang, wake and leave at random; `Cluster` checks what must hold after every event.
@Suite struct ChaosTests {
    private static let epochs = 12
    private static let chaos = Duration.seconds(240)

    @Test(arguments: [UInt64](1...20))
    func aRunIsWholeWhateverHappensToItsWorkers(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let plan = RunPlan.sample(shards: 1 << Int.random(in: 0...4, using: &generator), epochs: Self.epochs)
        let limits = CoordinatorLimits.sample(
            minimumWorkers: Int.random(in: 1...2, using: &generator), localWorkers: Int.random(in: 0...3, using: &generator),
            joinTimeout: .seconds(10_000), idleTimeout: .seconds(10_000))
        let cluster = Cluster(plan, limits: limits)
        cluster.quantum = .milliseconds(50)
        cluster.survivesStart = { slot, start in (slot + start) % 3 != 0 }
        cluster.start()
        while cluster.ending == nil, cluster.now < Self.chaos {
            cluster.leafTime = .milliseconds(Int.random(in: 20...800, using: &generator))
            meddle(with: cluster, using: &generator)
            cluster.run(for: .milliseconds(Int.random(in: 20...3_000, using: &generator)))
        }
        for worker in cluster.workers { worker.health = .well }
        cluster.leafTime = .milliseconds(100)
        cluster.join("last")
        cluster.run(for: .seconds(20_000))

        let ending = try #require(cluster.ending, "the run does not come to an end")
        #expect(ending.outcome == .completed)
        #expect(cluster.records.map(\.step) == (1...UInt64(Self.epochs)).map { $0 * 4 })
        #expect(cluster.records.allSatisfy { $0.sample.rows == 12 && $0.validation?.rows == 10 })
        #expect(ending.figures.mapValues(\.rows) == plan.parts.mapValues(\.rowCount).filter { $0.key != .sample })
        #expect(cluster.stepTimes.map(\.version) == (1...plan.totalSteps).map { $0 })
        for step in 0..<plan.totalSteps {
            let present = (0..<plan.tree.shardCount).filter { plan.train.isPresent(shard: $0, step: step) }
            #expect(cluster.contributors[step]?.keys.sorted() == present)
        }
    }

    private func meddle(with cluster: Cluster, using generator: inout SeededGenerator) {
        let victim = cluster.workers.randomElement(using: &generator)
        switch Int.random(in: 0..<12, using: &generator) {
        case 0, 1, 2:
            if cluster.workers.count < 20 {
                cluster.join("w", buildTime: .milliseconds(Int.random(in: 20...5_000, using: &generator)))
            }
        case 3: if let victim { cluster.kill(victim) }
        case 4: if let victim { cluster.leave(victim) }
        case 5, 6: victim?.health = .hung
        case 7: victim?.health = .stopped
        case 8, 9: victim?.health = .well
        case 10: for worker in cluster.workers where Bool.random(using: &generator) { worker.health = .well }
        default: cluster.pause(for: .seconds(Int.random(in: 1...20, using: &generator)))
        }
    }
}
