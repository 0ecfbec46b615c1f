import Foundation
import OperatingSystem
import Testing

/// K2: nothing hangs, and no process outlives its run.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct LifecycleEndToEndTests {
    private static let endless = ["--set", "training.epochs=100000", "--workers", "2"]

    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func signalLeavesACheckpointAndNoProcess(signal: Int32, code: Int32) throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let coordinator = try RunningProgram("dnn-coord", ["train", file, "--output", folder.appending("run")] + Self.endless, in: folder)
        try coordinator.line(containing: "epoch 2/")
        let workers = try coordinator.children()
        #expect(workers.count == 2)
        coordinator.kill(signal)
        #expect(coordinator.end() == code)
        let result = try Result(folder: folder.appending("run"))
        #expect(result.outcome == "interrupted")
        let checkpoint = folder.appending("run/checkpoints/step-\(result.steps)/manifest.json")
        #expect(FileManager.default.fileExists(atPath: checkpoint))
        for worker in workers { #expect(try RunningProgram.waitForEnd(of: worker)) }
        let history = try String(contentsOfFile: folder.appending("run/history.jsonl"), encoding: .utf8).split(separator: "\n")
        #expect(history.last?.contains("\"validation\":null") == true)
    }

    @Test func localWorkersEndWithAKilledCoordinator() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let coordinator = try RunningProgram("dnn-coord", ["train", file, "--output", folder.appending("run")] + Self.endless, in: folder)
        try coordinator.line(containing: "epoch 1/")
        let workers = try coordinator.children()
        #expect(!workers.isEmpty)
        coordinator.kill(SIGKILL)
        #expect(coordinator.end() == 128 + SIGKILL)
        for worker in workers { #expect(try RunningProgram.waitForEnd(of: worker)) }
    }

    /// As a full disk does: the run goes on, says so, and what was written before stays.
    @Test func checkpointsThatCannotBeWrittenAreAWarning() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let run = try ResumableRun(in: folder, ["--set", "training.epochs=30", "--set", "training.checkpoint.every_seconds=0"])
        let program = try run.train(["--workers", "1"])
        try program.line(containing: "epoch 2/")
        try FileManager.default.moveItem(atPath: run.path("checkpoints"), toPath: run.path("elsewhere"))
        try Data().write(to: URL(fileURLWithPath: run.path("checkpoints")))
        try program.line(containing: "failed, the one before is intact and training goes on: ")
        #expect(program.end() == 0, "\(program.text)")
        try FileManager.default.removeItem(atPath: run.path("checkpoints"))
        try FileManager.default.moveItem(atPath: run.path("elsewhere"), toPath: run.path("checkpoints"))
        let weights = try run.result.weightsSha256
        try FileManager.default.removeItem(atPath: run.path("result.json"))
        let next = try run.resume(["--workers", "1"])
        #expect(next.end() == 0, "\(next.text)")
        #expect(try run.result.weightsSha256 == weights)
    }

    @Test func nobodyComing() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            [
                "train", file, "--output", folder.appending("run"), "--workers", "0", "--bind", "tcp://127.0.0.1:0", "--insecure", "--set",
                "cluster.join_timeout_seconds=1", "--set", "cluster.minimum_workers=2",
            ], in: folder)
        #expect(coordinator.end() == 1)
        #expect(coordinator.text.contains("2 workers were awaited (cluster.minimum_workers), 0 came within 1 s"))
        #expect(coordinator.text.contains("start one with: dnn-worker --connect tcp://127.0.0.1:"))
        #expect(try Result(folder: folder.appending("run")).outcome == "failed")
    }

    @Test func workerWithoutACoordinatorGivesUp() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let worker = try RunningProgram(
            "dnn-worker", ["--connect", "ipc://" + folder.appending("nobody"), "--patience", "1"], in: folder)
        #expect(worker.end() == 1)
        #expect(worker.text.contains("no coordinator answered for 1 s"))
    }

    /// A local worker that is stopped keeps its connection and says nothing: it is replaced.
    @Test func stoppedWorkerIsReplaced() throws {
        let long = ["--set", "training.epochs=30", "--set", "cluster.heartbeat_ms=50"]
        let reference = try RunFiles.train(["--workers", "1"] + long)
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            ["train", file, "--output", folder.appending("run"), "--workers", "2", "--set", "cluster.minimum_workers=2"] + long,
            in: folder)
        try coordinator.line(containing: "epoch 1/")
        kill(try #require(try coordinator.children().first), SIGSTOP)
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        let result = try Result(folder: folder.appending("run"))
        #expect(result.weightsSha256 == reference.weightsSha256)
        #expect(result.events.workersLost == 1)
    }

    @Test func resultHasItsOwnOutput() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord", ["train", file, "--output", folder.appending("run"), "--json", "--quiet", "--workers", "1"], in: folder)
        #expect(coordinator.end() == 0)
        #expect(coordinator.text.isEmpty)
        let onDisk = try String(contentsOfFile: folder.appending("run/result.json"), encoding: .utf8)
        #expect(coordinator.output == onDisk)
        let result = try Result(folder: folder.appending("run"))
        #expect(result.outcome == "completed")
        #expect(result.train?.samples == 1_437)
        #expect(result.validation?.samples == 180)
        #expect(result.test?.samples == 180)
        #expect((result.test?.accuracy ?? 0) > 0.9)
    }
}
