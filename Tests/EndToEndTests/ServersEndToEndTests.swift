import Foundation
import OperatingSystem
import Testing

/// Several parameter servers: the bits of one, for any number of workers, over every transport, through the loss of any process.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ServersEndToEndTests {
    private static let reference = try? RunFiles.train(["--workers", "1"])
    private static let long = ["--set", "training.epochs=30"]
    private static let longReference = try? RunFiles.train(["--workers", "1"] + long)

    /// Chunks so small that the digits' net has four.
    private static func servers(_ count: Int) -> [String] {
        ["--set", "cluster.parameter_servers=\(count)", "--set", "cluster.chunk_bytes=65536"]
    }

    private static func isServer(_ processID: Int32) -> Bool {
        (try? String(contentsOfFile: "/proc/\(processID)/comm", encoding: .utf8)) == "dnn-coord\n"
    }

    @Test(arguments: [2, 3], [1, 2, 3])
    func theStateDoesNotDependOnTheServers(count: Int, workers: Int) throws {
        let reference = try #require(Self.reference)
        for transport in ["auto", "messages"] {
            let result = try RunFiles.train(["--workers", "\(workers)", "--set", "cluster.transport=\(transport)"] + Self.servers(count))
            #expect(result.weightsSha256 == reference.weightsSha256)
            #expect(result.stateSha256 == reference.stateSha256)
            #expect(result.validation?.loss?.bitPattern == reference.validation?.loss?.bitPattern)
            #expect(result.test?.loss?.bitPattern == reference.test?.loss?.bitPattern)
            #expect(result.penalty.bitPattern == reference.penalty.bitPattern)
        }
    }

    /// Every server rounds what it publishes and what it is sent.
    @Test func bf16OnTheWireIsTheSame() throws {
        let wire = ["--set", "cluster.wire=bf16"]
        let reference = try RunFiles.train(["--workers", "1"] + wire)
        for workers in ["1", "3"] {
            let result = try RunFiles.train(["--workers", workers] + wire + Self.servers(2))
            #expect(result.stateSha256 == reference.stateSha256)
        }
    }

    @Test(arguments: [2, 3])
    func theStateIsTheSameOverTCP(count: Int) throws {
        let reference = try #require(Self.reference)
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            [
                "train", file, "--output", folder.appending("run"), "--workers", "1", "--bind", "tcp://127.0.0.1:0", "--insecure",
                "--local-servers", "\(count - 1)", "--set", "cluster.minimum_workers=3",
            ] + Self.servers(count), in: folder)
        let endpoint = try coordinator.invitation()
        let remote = try (0..<2).map {
            try RunningProgram("dnn-worker", ["--connect", endpoint, "--insecure", "--name", "tcp-\($0)"], in: folder)
        }
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        for worker in remote { #expect(worker.end() == 0, "\(worker.text)") }
        let result = try Result(folder: folder.appending("run"))
        #expect(result.stateSha256 == reference.stateSha256)
        #expect(result.workersSeen == 3)
    }

    /// The clipping by global norm, skipping and row limits: the whole gradient is judged by the coordinator.
    @Test func twoPhaseRulesSpanTheServers() throws {
        let reference = try RunFiles.train(["--workers", "1"], runFile: OptimizationEndToEndTests.runFile)
        for (count, workers) in [(2, 1), (3, 2), (3, 3)] {
            let result = try RunFiles.train(
                ["--workers", "\(workers)", "--set", "cluster.parameter_servers=\(count)"], runFile: OptimizationEndToEndTests.runFile)
            #expect(result.stateSha256 == reference.stateSha256, "\(count) servers, \(workers) workers")
            #expect(result.penalty.bitPattern == reference.penalty.bitPattern)
        }
    }

    /// Running means and variances are a chunk of their own, the last server's.
    @Test func theRunningValuesAreAnotherServers() throws {
        let reference = try RunFiles.train(["--workers", "1"], runFile: ImageEndToEndTests.convolutional)
        for (count, workers) in [(2, 1), (3, 2)] {
            let result = try RunFiles.train(
                ["--workers", "\(workers)"] + Self.servers(count), runFile: ImageEndToEndTests.convolutional)
            #expect(result.stateSha256 == reference.stateSha256, "\(count) servers, \(workers) workers")
        }
    }

    @Test func killedWorkersDoNotChangeTheHash() throws {
        let reference = try #require(Self.longReference)
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            ["train", file, "--output", folder.appending("run"), "--workers", "3", "--set", "cluster.minimum_workers=3"] + Self.long
                + Self.servers(3), in: folder)
        for epoch in [1, 4, 8] {
            try coordinator.line(containing: "epoch \(epoch)/")
            kill(try #require(try coordinator.children().first { !Self.isServer($0) }), SIGKILL)
        }
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        let result = try Result(folder: folder.appending("run"))
        #expect(result.stateSha256 == reference.stateSha256)
        #expect(result.events.workersLost >= 1)
    }

    @Test func theRunGoesBackToItsCheckpointWhenAServerIsKilled() throws {
        let reference = try #require(Self.longReference)
        let run = try ResumableRun(
            in: try ResumableRun.makeFolder(),
            Self.long + Self.servers(3) + ["--workers", "2", "--set", "training.checkpoint.every_seconds=0"])
        let coordinator = try run.train()
        for epoch in [2, 6, 12] {
            try coordinator.line(containing: "epoch \(epoch)/")
            kill(try #require(try coordinator.children().first(where: Self.isServer)), SIGKILL)
            try coordinator.line(containing: " is lost: ")
            try coordinator.line(containing: "goes on from the checkpoint of step ")
        }
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(try run.result.stateSha256 == reference.stateSha256)
        #expect(try run.result.weightsSha256 == reference.weightsSha256)
        #expect(try run.history.count == 30)
    }

    @Test func withoutACheckpointTheRunBeginsAgain() throws {
        let reference = try #require(Self.reference)
        let run = try ResumableRun(
            in: try ResumableRun.makeFolder(),
            Self.servers(2) + ["--workers", "1", "--set", "training.checkpoint.every_seconds=3600"])
        let coordinator = try run.train()
        try coordinator.line(containing: "epoch 2/")
        kill(try #require(try coordinator.children().first(where: Self.isServer)), SIGKILL)
        try coordinator.line(containing: "goes on from the beginning")
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(try run.result.stateSha256 == reference.stateSha256)
    }

    @Test func aRunIsResumedWithOtherServers() throws {
        let reference = try #require(Self.longReference)
        for (before, after) in [(2, 3), (3, 1), (1, 2)] {
            let run = try ResumableRun(in: try ResumableRun.makeFolder(), Self.long + Self.servers(before))
            try run.interrupt(atEpoch: 3)
            let resumed = try run.resume(["--workers", "2", "--set", "cluster.parameter_servers=\(after)"])
            #expect(resumed.end() == 0, "\(resumed.text)")
            #expect(try run.result.stateSha256 == reference.stateSha256, "\(before) servers, then \(after)")
        }
    }

    /// Two servers that somebody else has started; one of them dies, and the coordinator starts one in its place.
    @Test func serversStartedByHandTakePart() throws {
        let reference = try #require(Self.longReference)
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, Self.long + Self.servers(3) + ["--set", "training.checkpoint.every_seconds=0"])
        let coordinator = try run.train(
            ["--workers", "2", "--bind", "tcp://127.0.0.1:0", "--insecure", "--set", "cluster.join_timeout_seconds=5"])
        let endpoint = try coordinator.invitation()
        let servers = try (1...2).map { number in
            try RunningProgram(
                "dnn-coord",
                ["serve", "--connect", endpoint, "--bind", "tcp://127.0.0.1:0", "--insecure", "--name", "s\(number)", "--patience", "60"],
                in: folder)
        }
        let line = try coordinator.line(containing: "servers   this one and ")
        #expect(line.contains("s1 (tcp:") && line.contains("s2 (tcp:"))
        try coordinator.line(containing: "epoch 3/")
        servers[0].kill(SIGKILL)
        #expect(servers[0].end() == 128 + SIGKILL)
        // Not by its silence, whatever is waited for at the moment.
        try coordinator.line(containing: "parameter server s1 is lost: its connection has ended")
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(servers[1].end() == 0, "\(servers[1].text)")
        #expect(servers[1].text.contains("saying hello again"))
        #expect(try run.result.stateSha256 == reference.stateSha256)
    }

    @Test func theHashIsTheSameWithKeys() throws {
        let reference = try #require(Self.reference)
        let run = try KeyedRun(
            hosts: ["a", "s"],
            ["--workers", "1", "--local-servers", "1", "--set", "cluster.minimum_workers=2"] + Self.servers(3))
        let server = try RunningProgram(
            "dnn-coord",
            [
                "serve", "--connect", run.endpoint, "--bind", "tcp://127.0.0.1:0", "--keys", "\(run.keys)/hosts/s", "--name", "s",
                "--patience", "20",
            ], in: run.folder)
        let worker = try run.worker("a")
        #expect(run.coordinator.end() == 0, "\(run.coordinator.text)")
        #expect(worker.end() == 0, "\(worker.text)")
        #expect(server.end() == 0, "\(server.text)")
        #expect(try run.result().stateSha256 == reference.stateSha256)
        #expect(try run.result().workersSeen == 2)
    }
}
