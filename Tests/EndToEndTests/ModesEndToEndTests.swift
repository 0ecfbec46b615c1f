import Foundation
import OperatingSystem
import Testing

/// The inexact modes with real processes: what a run has logged gives its weights again, whoever computed them, and whatever happened.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ModesEndToEndTests {
    /// Reads what a test has to look at of `order.jsonl`.
    private struct Entry: Decodable {
        var step: Int?
        var update: Int?
        var clock: Int?
        var shards: [Int]?
        var read: Int?
        var at: Int?
        var reached: Int?
    }

    private static let modes = ["fast", "{ssp: {staleness: 1}}", "async"]
    /// Small chunks, so that there is more than one; leaves that are short at the end of an epoch.
    private static let settings = ["--set", "cluster.chunk_bytes=65536", "--set", "training.virtual_shards=8"]

    private func entries(_ run: ResumableRun) throws -> [Entry] {
        try String(contentsOfFile: run.path("order.jsonl"), encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(Entry.self, from: Data($0.utf8))
        }
    }

    @discardableResult
    private func expectReplay(_ run: ResumableRun, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let result = try run.result
        let replay = try RunningProgram("dnn-coord", ["replay", run.path("")], in: run.folder)
        #expect(replay.end() == 0, "\(replay.text)\n\(replay.output)", sourceLocation: sourceLocation)
        #expect(replay.output.contains("the same weights: "), sourceLocation: sourceLocation)
        #expect(replay.output.contains(result.weightsSha256), sourceLocation: sourceLocation)
        return replay.output
    }

    /// The clocks of all shards, which have rows in every step, from the log: every sample once per epoch, and nobody further ahead than the bound.
    private func expectClocks(_ entries: [Entry], staleness: Int?, run: ResumableRun) throws {
        let updates = entries.filter { $0.update != nil }
        var clocks = [Int](repeating: 0, count: 8)
        let result = try run.result
        let stepsPerEpoch = result.steps / result.epochs
        for entry in updates {
            let clock = try #require(entry.clock), shards = try #require(entry.shards)
            let slowest = try #require(clocks.min())
            if let staleness { #expect(clock - slowest <= staleness, "update \(entry.update ?? -1)") }
            #expect(clock / stepsPerEpoch == slowest / stepsPerEpoch, "a validation is a barrier")
            for shard in shards {
                #expect(clocks[shard] == clock, "update \(entry.update ?? -1)")
                clocks[shard] += 1
            }
            #expect(try #require(entry.read) <= (try #require(entry.update)))
        }
        #expect(clocks == [Int](repeating: result.steps, count: 8))
        #expect(updates.count == result.evaluations)
    }

    @Test(arguments: modes)
    func whatIsLoggedGivesTheSameWeights(mode: String) throws {
        for workers in [1, 2, 3] {
            let folder = try ResumableRun.makeFolder()
            let run = try ResumableRun(in: folder, Self.settings + ["--set", "training.mode=\(mode)"])
            let program = try run.train(["--workers", "\(workers)", "--set", "cluster.minimum_workers=\(workers)"])
            try program.line(containing: ": inexact, ")
            #expect(program.end() == 0, "\(program.text)")
            let result = try run.result
            #expect(result.outcome == "completed" && result.epochs == 6)
            #expect(result.mode == (mode.contains("ssp") ? "ssp" : mode))
            #expect((result.validation?.accuracy ?? 0) > 0.8, "it learns as well")
            let text = try expectReplay(run)
            #expect(text.contains("6 validations compared"))
            if mode != "fast" { try expectClocks(entries(run), staleness: mode.contains("ssp") ? 1 : nil, run: run) }
        }
    }

    /// Convolutions, running statistics, clipping by norm, row limits, a schedule that looks at validations, rows that change shards.
    @Test(arguments: modes)
    func everythingGoesWithIt(mode: String) throws {
        let text = RunFiles.digits.replacingOccurrences(
            of: "[flatten, {dense: {units: 256}}, relu, ",
            with: "[{conv2d: {filters: 16, kernel: 3}}, batch_norm, relu, flatten, {dense: {units: 64}}, relu, ")
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(
            in: folder,
            Self.settings + [
                "--set", "training.mode=\(mode)", "--set", "optimizer.clip={global_norm: 0.5}", "--set", "regularization.max_norm=2",
                "--set", "optimizer.schedule={reduce_on_plateau: {patience: 0, factor: 0.5}}", "--set", "data.redeal_every=2",
            ], runFile: text)
        let program = try run.train(["--workers", "2", "--set", "cluster.minimum_workers=2"])
        #expect(program.end() == 0, "\(program.text)")
        try expectReplay(run)
    }

    @Test(arguments: modes)
    func killedWorkersAreReplayed(mode: String) throws {
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, Self.settings + ["--set", "training.mode=\(mode)", "--set", "training.epochs=20"])
        let coordinator = try run.train(["--workers", "3", "--set", "cluster.minimum_workers=3"])
        for epoch in [1, 4, 8] {
            try coordinator.line(containing: "epoch \(epoch)/")
            kill(try #require(try coordinator.children().first), SIGKILL)
        }
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(try run.result.events.workersLost >= 1)
        try expectReplay(run)
        if mode != "fast" { try expectClocks(entries(run), staleness: mode.contains("ssp") ? 1 : nil, run: run) }
    }

    /// The coordinator is killed in the middle of an epoch: the log is cut back to the checkpoint, as the history is.
    @Test(arguments: modes)
    func resumedRunsAreReplayed(mode: String) throws {
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(
            in: folder,
            ["--set", "training.mode=\(mode)", "--set", "training.epochs=20", "--set", "training.checkpoint.every_seconds=0"])
        var program = try run.train(["--workers", "2"])
        for (epoch, way) in zip([2, 9], [["--workers", "1"], ["--workers", "3", "--set", "cluster.chunk_bytes=65536"]]) {
            try program.line(containing: "epoch \(epoch)/")
            program.kill(SIGKILL)
            _ = program.end()
            program = try run.resume(way)
            try program.line(containing: "from the checkpoint of step ")
        }
        #expect(program.end() == 0, "\(program.text)")
        let starts = try entries(run).compactMap(\.at)
        #expect(starts.count == 3 && starts == starts.sorted() && starts[1] > 0)
        try expectReplay(run)
    }

    /// Ctrl-C, and a log that somebody has touched.
    @Test(arguments: ["fast", "async"])
    func anotherOrderHasOtherWeights(mode: String) throws {
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(
            in: folder, Self.settings + ["--set", "training.mode=\(mode)", "--set", "training.epochs=100000"])
        let program = try run.train(["--workers", "2", "--set", "cluster.minimum_workers=2"])
        try program.line(containing: "epoch 2/")
        program.kill(SIGINT)
        #expect(program.end() == 130)
        try expectReplay(run)
        let url = URL(fileURLWithPath: run.path("order.jsonl"))
        let text = try String(contentsOf: url, encoding: .utf8)
        try Data(text.replacing(/"rate":0.001/, with: "\"rate\":0.002").utf8).write(to: url)
        let other = try RunningProgram("dnn-coord", ["replay", run.path(""), "--json"], in: folder)
        #expect(other.end() == 1, "\(other.text)\n\(other.output)")
        #expect(other.output.contains("\"same\" : false"))
        try Data(text.split(separator: "\n").dropLast().joined(separator: "\n").utf8).write(to: url)
        let short = try RunningProgram("dnn-coord", ["replay", run.path("")], in: folder)
        #expect(short.end() == 2 && short.text.contains("the rest of it is lost"), "\(short.text)")
    }

    @Test func whatHasNoLogIsRefused() throws {
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, ["--set", "training.epochs=1"])
        #expect(try run.train(["--workers", "1"]).end() == 0)
        #expect(!run.names(".").contains("order.jsonl"))
        let replay = try RunningProgram("dnn-coord", ["replay", run.path("")], in: folder)
        #expect(replay.end() == 2 && replay.text.contains("mode exact"), "\(replay.text)")
    }
}
