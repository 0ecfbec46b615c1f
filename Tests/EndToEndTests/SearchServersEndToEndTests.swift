import Foundation
import OperatingSystem
import Testing

/// Rules that search with several parameter servers: the bits of one, through the loss of any process.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct SearchServersEndToEndTests {
    private static let long = ["--set", "training.epochs=40"]

    private static func isServer(_ processID: Int32) -> Bool {
        (try? String(contentsOfFile: "/proc/\(processID)/comm", encoding: .utf8)) == "dnn-coord\n"
    }

    /// Chunks so small that the digits' net has four.
    private static func servers(_ count: Int) -> [String] {
        ["--set", "cluster.parameter_servers=\(count)", "--set", "cluster.chunk_bytes=65536"]
    }

    @Test(arguments: ["lbfgs", "conjugate_gradient", "batchwise", "steady"])
    func theStateDoesNotDependOnTheServers(name: String) throws {
        let text = try #require(ClosureEndToEndTests.rules[name])
        let reference = try RunFiles.train(["--workers", "1"], runFile: text)
        for (count, workers, transport) in [(2, 1, "auto"), (3, 2, "auto"), (2, 3, "messages"), (3, 1, "messages")] {
            let result = try RunFiles.train(
                ["--workers", "\(workers)", "--set", "cluster.transport=\(transport)"] + Self.servers(count), runFile: text)
            #expect(result.outcome == "completed")
            #expect(result.stateSha256 == reference.stateSha256, "\(count) servers, \(workers) workers, \(transport)")
            #expect(result.weightsSha256 == reference.weightsSha256)
            #expect(result.evaluations == reference.evaluations)
            #expect(result.test?.loss?.bitPattern == reference.test?.loss?.bitPattern)
        }
    }

    /// Weights and sums travel between servers as they are; what workers are sent and send is rounded.
    @Test func bf16OnTheWireIsTheSame() throws {
        let text = try #require(ClosureEndToEndTests.rules["lbfgs"])
        let wire = ["--set", "cluster.wire=bf16"]
        let reference = try RunFiles.train(["--workers", "1"] + wire, runFile: text)
        let result = try RunFiles.train(["--workers", "2"] + wire + Self.servers(3), runFile: text)
        #expect(result.stateSha256 == reference.stateSha256)
    }

    /// More chunks of a server's than the window holds.
    @Test func moreChunksThanTheWindowHolds() throws {
        let text = try #require(ClosureEndToEndTests.rules["lbfgs"]).replacingOccurrences(of: "units: 256", with: "units: 8192")
            .replacingOccurrences(of: "{dense: {units: 160}}, tanh, ", with: "")
        let short = ["--set", "training.epochs=2", "--set", "data.limit=300"]
        let reference = try RunFiles.train(["--workers", "1"] + short, runFile: text)
        #expect(reference.parameters > 2 * 17 * 16_384)
        let result = try RunFiles.train(["--workers", "2"] + short + Self.servers(2), runFile: text)
        #expect(result.stateSha256 == reference.stateSha256)
    }

    @Test func killedWorkersDoNotChangeTheHash() throws {
        let text = try #require(ClosureEndToEndTests.rules["lbfgs"])
        let reference = try RunFiles.train(["--workers", "1"] + Self.long, runFile: text)
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(text, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            ["train", file, "--output", folder.appending("run"), "--workers", "3", "--set", "cluster.minimum_workers=3"] + Self.long
                + Self.servers(3), in: folder)
        for epoch in [1, 5, 9] {
            try coordinator.line(containing: "epoch \(epoch)/")
            kill(try #require(try coordinator.children().first { !Self.isServer($0) }), SIGKILL)
        }
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        let result = try Result(folder: folder.appending("run"))
        #expect(result.stateSha256 == reference.stateSha256)
        #expect(result.events.workersLost >= 1)
    }

    @Test(arguments: ["lbfgs", "batchwise"])
    func theRunGoesBackToItsCheckpointWhenAServerIsKilled(name: String) throws {
        let text = try #require(ClosureEndToEndTests.rules[name])
        let reference = try RunFiles.train(["--workers", "1"] + Self.long, runFile: text)
        let run = try ResumableRun(
            in: try ResumableRun.makeFolder(),
            Self.long + Self.servers(3) + ["--workers", "2", "--set", "training.checkpoint.every_seconds=0"], runFile: text)
        let coordinator = try run.train()
        for epoch in [2, 6, 12] {
            try coordinator.line(containing: "epoch \(epoch)/")
            kill(try #require(try coordinator.children().first(where: Self.isServer)), SIGKILL)
            try coordinator.line(containing: " is lost: ")
            try coordinator.line(containing: "goes on from the checkpoint of step ")
        }
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(try run.result.stateSha256 == reference.stateSha256)
        #expect(try run.history.count == 40)
    }

    @Test func aRunIsResumedWithOtherServers() throws {
        let text = try #require(ClosureEndToEndTests.rules["conjugate_gradient"])
        let reference = try RunFiles.train(["--workers", "1"] + Self.long, runFile: text)
        for (before, after) in [(2, 3), (3, 1), (1, 2)] {
            let run = try ResumableRun(in: try ResumableRun.makeFolder(), Self.long + Self.servers(before), runFile: text)
            try run.interrupt(atEpoch: 3)
            let resumed = try run.resume(["--workers", "2", "--set", "cluster.parameter_servers=\(after)"])
            #expect(resumed.end() == 0, "\(resumed.text)")
            #expect(try run.result.stateSha256 == reference.stateSha256, "\(before) servers, then \(after)")
        }
    }

    /// A server and a worker over tcp with keys, a worker of the coordinator's own.
    @Test func theHashIsTheSameWithKeys() throws {
        let text = try #require(ClosureEndToEndTests.rules["lbfgs"])
        let reference = try RunFiles.train(["--workers", "1"], runFile: text)
        let run = try KeyedRun(
            hosts: ["a", "s"],
            ["--workers", "1", "--local-servers", "1", "--set", "cluster.minimum_workers=2"] + Self.servers(3), runFile: text)
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

    /// The look at the curvature is a search, too.
    @Test func theCurvatureDoesNotDependOnTheServers() throws {
        let text = RunFiles.digits.replacingOccurrences(of: "{dropout: {rate: 0.2}}, ", with: "")
        var found: [String] = []
        for count in [1, 3] {
            let folder = try TemporaryFolder(prefix: "dnn-e2e-")
            let file = try RunFiles.write(text, to: folder)
            let training = try RunningProgram(
                "dnn-coord", ["train", file, "--workers", "2", "--output", folder.appending("run")] + Self.servers(count), in: folder)
            #expect(training.end() == 0, "\(training.text)")
            let look = try RunningProgram(
                "dnn-coord", ["diagnose", folder.appending("run"), "--curvature", "--json", "--workers", "2"], in: folder)
            #expect(look.end() == 0, "\(look.text)")
            found.append(String(look.output.split(separator: "\"curvature\"").last ?? ""))
        }
        #expect(found[0] == found[1])
        #expect(found[0].contains("largest_eigenvalue"))
    }
}
