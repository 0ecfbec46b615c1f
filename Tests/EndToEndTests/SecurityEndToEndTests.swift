import Foundation
import OperatingSystem
import Testing

/// K4: nobody gets in who is not on the list, and whoever is taken off it is out at once.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SecurityEndToEndTests {
    @Test func theHashIsTheSameWithKeys() throws {
        let reference = try RunFiles.train(["--workers", "1"])
        let run = try KeyedRun(hosts: ["a", "b"], ["--workers", "1", "--set", "cluster.minimum_workers=3"])
        let workers = try [run.worker("a"), run.worker("b", keys: run.keys)]
        #expect(run.coordinator.end() == 0, "\(run.coordinator.text)")
        for worker in workers { #expect(worker.end() == 0, "\(worker.text)") }
        let result = try run.result()
        #expect(result.weightsSha256 == reference.weightsSha256)
        #expect(result.workersSeen == 3)
        #expect(!run.coordinator.text.contains("insecure"))
    }

    @Test func aRevokedWorkerIsOutAtOnceAndTheRunGoesOn() throws {
        let long = ["--set", "training.epochs=60"]
        let reference = try RunFiles.train(["--workers", "1"] + long)
        let run = try KeyedRun(hosts: ["a"], ["--workers", "1", "--set", "cluster.minimum_workers=2"] + long)
        let worker = try run.worker("a")
        try run.coordinator.line(containing: "epoch 2/")
        try FileManager.default.removeItem(atPath: run.keys + "/workers/a.pub")
        try run.coordinator.line(containing: "a is lost: its key was revoked")
        #expect(worker.end() == 3, "\(worker.text)")
        #expect(worker.text.contains("refused by the coordinator: this worker's key"))
        #expect(run.coordinator.end() == 0, "\(run.coordinator.text)")
        let result = try run.result()
        #expect(result.weightsSha256 == reference.weightsSha256)
        #expect(result.events.workersLost == 1 && result.events.handshakesFailed >= 1)
    }

    @Test func whoIsNotOnTheListAndWhoHasNoKeyIsRefusedAndSaidSo() throws {
        let run = try KeyedRun(hosts: ["a", "stranger"], ["--workers", "0", "--set", "cluster.minimum_workers=1"])
        try FileManager.default.removeItem(atPath: run.keys + "/workers/stranger.pub")
        let stranger = try run.worker("stranger")
        #expect(stranger.end() == 3)
        try run.coordinator.line(containing: "is not in \(run.keys)/workers")
        let open = try RunningProgram("dnn-worker", ["--connect", run.endpoint, "--insecure", "--patience", "60"], in: run.folder)
        try open.line(containing: "the handshake failed")
        try run.coordinator.line(containing: "a handshake failed")
        let worker = try run.worker("a")
        #expect(run.coordinator.end() == 0, "\(run.coordinator.text)")
        #expect(worker.end() == 0)
        let result = try run.result()
        #expect(result.outcome == "completed")
        #expect(result.workersSeen == 1)
        #expect(result.events.handshakesFailed >= 2)
    }

    /// The key in `server.pub` is the only coordinator that a worker speaks to.
    @Test func aWorkerKnowsItsCoordinator() throws {
        let run = try KeyedRun(hosts: ["a"], ["--workers", "0"])
        let other = try RunningProgram("dnn-coord", ["keygen", run.folder.appending("other")], in: run.folder)
        #expect(other.end() == 0)
        let worker = try run.worker("a", keys: run.folder.appending("other"))
        try worker.line(containing: "is \(run.folder.appending("other"))/server.pub the key of this coordinator")
        run.coordinator.kill(SIGTERM)
        #expect(run.coordinator.end() == 143)
        #expect(try run.result().workersSeen == 0)
    }

    @Test(arguments: [["--bind", "tcp://127.0.0.1:0"], ["--bind", "tcp://127.0.0.1:0", "--keys", "nowhere"]])
    func tcpNeedsKeysOrTheWordThatItHasNone(arguments: [String]) throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let program = try RunningProgram("dnn-coord", ["train", file, "--output", folder.appending("run")] + arguments, in: folder)
        #expect(program.end() == 2)
        #expect(program.text.contains("dnn-coord keygen DIR"), "\(program.text)")
        #expect(!FileManager.default.fileExists(atPath: folder.appending("run")))
        let worker = try RunningProgram("dnn-worker", ["--connect", "tcp://127.0.0.1:9"], in: folder)
        #expect(worker.end() == 2)
        #expect(worker.text.contains("--insecure"))
    }

    @Test func insecureSaysWhatItRisks() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let program = try RunningProgram(
            "dnn-coord",
            ["train", file, "--output", folder.appending("run"), "--workers", "1", "--bind", "tcp://127.0.0.1:0", "--insecure"], in: folder)
        try program.line(containing: "whoever reaches the port can read the data")
        #expect(program.end() == 0)
    }

    @Test func aSocketInAFolderOfOthersIsRefused() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        try FileManager.default.createDirectory(atPath: folder.appending("open"), withIntermediateDirectories: false)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.appending("open"))
        let program = try RunningProgram(
            "dnn-coord", ["train", file, "--output", folder.appending("run"), "--bind", "ipc://\(folder.appending("open"))/s"], in: folder)
        #expect(program.end() == 2)
        #expect(program.text.contains("chmod 700 \(folder.appending("open"))"))
    }

    @Test func aRemoteWorkersDeathMovesItsLeaseBeforeItCountsAsSilent() throws {
        let long = ["--set", "training.epochs=60", "--set", "cluster.heartbeat_ms=60000"]
        let reference = try RunFiles.train(["--workers", "1"] + long)
        let run = try KeyedRun(hosts: ["a"], ["--workers", "1", "--set", "cluster.minimum_workers=2"] + long)
        let worker = try run.worker("a")
        try run.coordinator.line(containing: "epoch 2/")
        worker.kill(SIGKILL)
        try run.coordinator.line(containing: "the connection of a has ended")
        #expect(run.coordinator.end() == 0, "\(run.coordinator.text)")
        #expect(try run.result().weightsSha256 == reference.weightsSha256)
        #expect(try run.result().events.leasesReissued == 1)
    }
}
