import Foundation
import Testing
import Wire

@testable import Training

/// Rows of the failure table (Training.docc/Failures.md) that no other suite is about.
@Suite struct FailureRowTests {
    private static func pair(_ plan: RunPlan = .sample(epochs: 50, validateEvery: 50)) -> (Cluster, FakeWorker, FakeWorker) {
        let cluster = Cluster(plan, limits: .sample(minimumWorkers: 2))
        cluster.start()
        let workers = (cluster.join("first"), cluster.join("second"))
        cluster.run { cluster.coordinator.isTraining }
        return (cluster, workers.0, workers.1)
    }

    @Test func aNetworkThatIsCutForAWhileIsADeathAndAReturn() {
        let (cluster, first, second) = Self.pair()
        cluster.run { cluster.serverVersion == 5 }
        second.health = .stopped
        let cut = cluster.now
        cluster.run { cluster.serverVersion == 6 }
        // The lease's 2 s, a tick, and at most 4 leaves of 0.1 s.
        #expect(cluster.now - cut <= .seconds(3))
        cluster.run { cluster.coordinator.admittedWorkers == 1 }
        #expect(cluster.now - cut <= .seconds(7))  // 5 heartbeats, the last of which may just have been sent
        #expect(cluster.shards(of: first).count == 4)
        second.health = .well
        let healed = cluster.now
        cluster.run { cluster.shards(of: second).count == 2 }
        #expect(cluster.now - healed <= .seconds(3))
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    @Test func aCoordinatorThatLosesAndRegainsItsNetworkGoesOn() {
        let (cluster, first, second) = Self.pair()
        cluster.run { cluster.serverVersion == 5 }
        for worker in [first, second] { worker.health = .stopped }
        cluster.run(for: .seconds(60))
        #expect(cluster.coordinator.admittedWorkers == 0 && cluster.ending == nil)
        #expect(cluster.notices.contains { $0.hasPrefix("all workers are gone at step 5; waiting up to 600 s for another") })
        for worker in [first, second] { worker.health = .well }
        let regained = cluster.now
        cluster.run { cluster.serverVersion == 6 }
        #expect(cluster.now - regained <= .seconds(3))
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
        #expect(cluster.coordinator.events.workersLost == 2)
    }

    @Test func aWorkerThatIsRestartedAtOnceIsANewOne() {
        let (cluster, _, second) = Self.pair()
        cluster.run { cluster.serverVersion == 5 }
        let died = cluster.now
        // Nothing shows that it is gone: its host's system has not said so yet.
        cluster.kill(second)
        let again = cluster.join("second")
        cluster.run { cluster.isAdmitted(again) }
        #expect(again.id.map(cluster.coordinator.name(of:))?.hasPrefix("second#") == true)
        cluster.run { cluster.serverVersion == 6 }
        #expect(cluster.now - died <= .seconds(3))
        cluster.run(for: .seconds(8)) { cluster.coordinator.admittedWorkers == 2 && !cluster.shards(of: again).isEmpty }
        #expect(cluster.coordinator.admittedWorkers == 2 && !cluster.shards(of: again).isEmpty)
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    @Test func aWorkerThatBecomesSlowIsRelievedAndItsLateAnswersAreIgnored() {
        let (cluster, first, second) = Self.pair(.sample(epochs: 200, validateEvery: 200))
        cluster.run { cluster.serverVersion == 5 }
        second.leafTime = .seconds(4)
        let slowed = cluster.now
        cluster.run { cluster.serverVersion == 6 }
        #expect(cluster.now - slowed <= .seconds(3))
        #expect(cluster.shards(of: first).count == 4)
        cluster.run { cluster.serverVersion == 60 }
        // It had begun one of its two leaves before; what comes of the other comes too late.
        #expect(cluster.contributors[5]?.values.filter { $0 == "second" }.count == 1)
        cluster.run()
        #expect(cluster.ending?.outcome == .completed)
    }

    /// Deadlines are of the time since start, which the shells take from the monotonic clock: a clock that is set changes nothing.
    @Test func noDecisionReadsTheWallClock() throws {
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Sources")
        let wallClocks = ["Date()", "Date.now", "CLOCK_REALTIME", "gettimeofday", "time(nil)", "CFAbsoluteTime", "DispatchWallTime"]
        var files = 0
        for target in ["Training", "Runtime", "ParameterServer", "ZeroMQ", "OperatingSystem", "dnn-coord", "dnn-worker"] {
            let folder = sources.appendingPathComponent(target)
            let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
            for name in names {
                let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
                for clock in wallClocks { #expect(!text.contains(clock), "\(target)/\(name) asks the wall clock: \(clock)") }
                files += 1
            }
        }
        #expect(files > 100)
    }
}
