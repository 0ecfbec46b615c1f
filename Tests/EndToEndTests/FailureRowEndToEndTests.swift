import Foundation
import OperatingSystem
import Testing

/// Rows of the failure table (Training.docc/Failures.md) that no other suite plays with real processes.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct FailureRowEndToEndTests {
    /// 0.5 s of silence is a death.
    private static let settings = ["--set", "training.epochs=400", "--set", "cluster.heartbeat_ms=100"]
    private static let reference = try? RunFiles.train(["--workers", "1"] + settings)

    private func worker(_ relay: Relay, _ name: String, in folder: TemporaryFolder) throws -> RunningProgram {
        try RunningProgram("dnn-worker", ["--connect", relay.endpoint, "--name", name, "--patience", "60"], in: folder)
    }

    /// Packets vanish, nothing is reset. While one is cut the other computes; then the healed one goes on alone.
    @Test func aWorkerWhoseNetworkIsCutComesBack() throws {
        let reference = try #require(Self.reference)
        let folder = try ResumableRun.makeFolder()
        let endpoint = "ipc://" + folder.appending("c")
        let run = try ResumableRun(in: folder, Self.settings)
        let coordinator = try run.train(["--workers", "0", "--bind", endpoint, "--set", "cluster.minimum_workers=2"])
        try coordinator.line(containing: "workers   0 local")
        let relays = try ["one", "two"].map { try Relay(to: endpoint, in: folder, name: "relay-\($0)") }
        let workers = [try worker(relays[0], "one", in: folder), try worker(relays[1], "two", in: folder)]
        try coordinator.line(containing: "epoch 2/")
        relays[0].cut(true)
        try coordinator.line(containing: "one is lost: no heartbeat for ")
        relays[0].cut(false)
        relays[1].cut(true)
        try coordinator.line(containing: "two is lost: no heartbeat for ")
        try coordinator.line(containing: "epoch ")
        relays[1].cut(false)
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        for worker in workers { #expect(worker.end() == 0, "\(worker.text)") }
        for relay in relays { relay.close() }
        #expect(try run.result.weightsSha256 == reference.weightsSha256)
        #expect(try run.result.events.workersLost >= 2)
    }

    @Test func aCoordinatorThatLosesAndRegainsItsNetworkGoesOn() throws {
        let reference = try #require(Self.reference)
        let folder = try ResumableRun.makeFolder()
        let endpoint = "ipc://" + folder.appending("c")
        let run = try ResumableRun(in: folder, Self.settings)
        let coordinator = try run.train(["--workers", "0", "--bind", endpoint, "--set", "cluster.minimum_workers=2"])
        try coordinator.line(containing: "workers   0 local")
        let relays = try (1...2).map { try Relay(to: endpoint, in: folder, name: "relay-\($0)") }
        let workers = try relays.enumerated().map { try worker($1, "far-\($0)", in: folder) }
        try coordinator.line(containing: "epoch 2/")
        for relay in relays { relay.cut(true) }
        try coordinator.line(containing: "all workers are gone at step ")
        for relay in relays { relay.cut(false) }
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        for worker in workers { #expect(worker.end() == 0, "\(worker.text)") }
        for relay in relays { relay.close() }
        #expect(try run.result.weightsSha256 == reference.weightsSha256)
        #expect(try run.result.events.workersLost >= 2)
    }

    @Test func whenTheLastWorkerHasGoneTheRunIsSavedAndEnds() throws {
        let folder = try ResumableRun.makeFolder()
        let endpoint = "ipc://" + folder.appending("c")
        let run = try ResumableRun(in: folder, Self.settings + ["--set", "cluster.idle_timeout_seconds=1"])
        let coordinator = try run.train(["--workers", "0", "--bind", endpoint])
        let only = try RunningProgram("dnn-worker", ["--connect", endpoint], in: folder)
        try coordinator.line(containing: "epoch 2/")
        only.kill(SIGTERM)
        #expect(only.end() == 0)
        #expect(coordinator.end() == 1)
        #expect(coordinator.text.contains("no worker for 1 s (cluster.idle_timeout_seconds); the last complete step, "))
        #expect(try run.checkpointSteps.last == run.result.steps)
    }
}
