import Foundation
import OperatingSystem
import Testing

/// Workers that no coordinator has started: they outlive it, come and go.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct RemoteWorkerEndToEndTests {
    /// Whoever is held up for a second by a busy machine is not to be given up.
    private static let settings = [
        "--set", "training.epochs=60", "--set", "training.checkpoint.every_seconds=0", "--set", "cluster.heartbeat_ms=1000",
    ]
    private static let reference = try? RunFiles.train(["--workers", "1"] + settings)

    /// A run that starts no worker and waits for some at an endpoint of its own.
    private struct OpenRun {
        let run: ResumableRun
        private let folder: TemporaryFolder
        private let endpoint: String

        init() throws {
            folder = try ResumableRun.makeFolder()
            endpoint = "ipc://" + folder.appending("c")
            run = try ResumableRun(in: folder, RemoteWorkerEndToEndTests.settings)
        }

        func train(workers: Int = 0, _ arguments: [String] = []) throws -> RunningProgram {
            try run.train(["--workers", "\(workers)", "--bind", endpoint] + arguments)
        }

        func resume() throws -> RunningProgram { try run.resume(["--workers", "0", "--bind", endpoint]) }

        func worker(_ arguments: [String], patience: Int = 60) throws -> RunningProgram {
            try RunningProgram("dnn-worker", ["--connect", endpoint, "--patience", "\(patience)"] + arguments, in: folder)
        }
    }

    /// Two coordinators in a row on one endpoint; the workers are the same processes throughout.
    @Test func workersFindTheResumedCoordinatorByThemselves() throws {
        let reference = try #require(Self.reference)
        let open = try OpenRun()
        var coordinator = try open.train(["--set", "cluster.minimum_workers=2"])
        let workers = try (1...2).map { try open.worker(["--name", "w\($0)"]) }
        for epoch in [2, 25] {
            try coordinator.line(containing: "epoch \(epoch)/")
            coordinator.kill(SIGKILL)
            _ = coordinator.end()
            coordinator = try open.resume()
        }
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        for worker in workers {
            #expect(worker.end() == 0)
            #expect(worker.text.contains("saying hello again") && worker.text.contains("the run is over: completed"), "\(worker.text)")
        }
        #expect(try open.run.result.weightsSha256 == reference.weightsSha256)
        #expect(try open.run.result.stateSha256 == reference.stateSha256)
    }

    @Test func aWorkerGivesUpAfterItsPatience() throws {
        let open = try OpenRun()
        let coordinator = try open.train(["--set", "cluster.heartbeat_ms=200"])
        let lost = try open.worker([], patience: 1)
        try coordinator.line(containing: "epoch 1/")
        coordinator.kill(SIGKILL)
        _ = coordinator.end()
        #expect(lost.end() == 1)
        #expect(
            lost.text.contains("nothing heard from the coordinator for ") && lost.text.contains("no coordinator answered for 1 s"),
            "\(lost.text)")
    }

    @Test func whoIsAskedToGoFinishesItsLeavesAndHandsBackItsLeases() throws {
        let reference = try #require(Self.reference)
        let open = try OpenRun()
        let coordinator = try open.train(["--set", "cluster.minimum_workers=2"])
        let staying = try open.worker(["--name", "staying"])
        let leaving = try open.worker(["--name", "leaving"])
        try coordinator.line(containing: "epoch 2/")
        leaving.kill(SIGTERM)
        #expect(leaving.end() == 0)
        try coordinator.line(containing: "leaving left: stopped by a signal")
        try coordinator.line(containing: "go to staying")
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(staying.end() == 0)
        let result = try open.run.result
        #expect(result.weightsSha256 == reference.weightsSha256)
        #expect(result.events.workersLost == 0 && result.events.leasesReissued == 1)
    }

    @Test func namesakesWorkSideBySide() throws {
        let reference = try #require(Self.reference)
        let open = try OpenRun()
        let coordinator = try open.train(["--set", "cluster.minimum_workers=2"])
        let first = try open.worker(["--name", "twin"])
        try coordinator.line(containing: "twin joined, 1 there")
        let twins = [first, try open.worker(["--name", "twin"])]
        try coordinator.line(containing: "twin#2 joined, 2 there")
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        for twin in twins { #expect(twin.end() == 0) }
        #expect(try open.run.result.weightsSha256 == reference.weightsSha256)
        #expect(try open.run.result.workersSeen == 2)
    }

    /// Killed, and started again on the same host under the same name before anybody has missed it.
    @Test func aWorkerThatIsStartedAgainAtOnceTakesPart() throws {
        let reference = try #require(Self.reference)
        let open = try OpenRun()
        let coordinator = try open.train(["--set", "cluster.minimum_workers=2"])
        let staying = try open.worker(["--name", "staying"])
        let first = try open.worker(["--name", "again"])
        try coordinator.line(containing: "epoch 2/")
        first.kill(SIGKILL)
        let second = try open.worker(["--name", "again"])
        _ = first.end()
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(staying.end() == 0 && second.end() == 0)
        #expect(try open.run.result.weightsSha256 == reference.weightsSha256)
        #expect(try open.run.result.workersSeen == 3)
    }

    @Test func aWorkerThatJoinsInTheMiddleTakesPart() throws {
        let reference = try #require(Self.reference)
        let open = try OpenRun()
        let coordinator = try open.train(workers: 1)
        try coordinator.line(containing: "epoch 2/")
        let joining = try open.worker(["--name", "joining"])
        try coordinator.line(containing: "joining joined, 2 there")
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(joining.end() == 0)
        #expect(try open.run.result.weightsSha256 == reference.weightsSha256)
    }
}
