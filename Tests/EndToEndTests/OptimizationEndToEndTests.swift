import Foundation
import OperatingSystem
import Testing

/// Clipping by global norm, groups, row limits and schedules with real processes.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct OptimizationEndToEndTests {
    /// 22 chunks of the smallest size, more than a window: everything must come in before anything goes out.
    static let runFile = """
        name: groups
        seed: 7
        data:
          train: {builtin: digits}
          validation: {fraction: 0.1}
          preprocessing: {scale: [0, 16]}
        model:
          layers:
            - flatten
            - {dense: {units: 1024, name: base}}
            - relu
            - {dropout: {rate: 0.2}}
            - {dense: {units: 272}}
            - tanh
            - {dense: {units: 10, name: head}}
          loss: softmax_cross_entropy
        optimizer:
          rule: {rmsprop: {learning_rate: 1e-3}}
          schedule: cosine
          warmup_steps: 10
          clip: {global_norm: 0.5}
          groups:
            - {match: "layers.base.bias", frozen: true}
            - {match: "layers.base.*", learning_rate: 1e-4, l2: 0.01}
            - {match: "layers.head.*", centered: true, momentum: 0.5, max_norm: 0.5}
        regularization: {l1: 1e-5, max_norm: 2}
        training:
          batch_size: 96
          virtual_shards: 4
          epochs: 3
          non_finite: skip
        cluster:
          heartbeat_ms: 200
          chunk_bytes: 65536
        """

    @Test func theStateIsTheSameForAnyNumberOfWorkers() throws {
        let reference = try RunFiles.train(["--workers", "1"], runFile: Self.runFile)
        #expect(reference.parameters > 17 * 16_384)
        #expect(reference.penalty > 0)
        #expect(reference.events.stepsSkipped == 0)
        for arguments in [
            ["--workers", "2"], ["--workers", "3", "--set", "cluster.transport=messages"], ["--workers", "1", "--threads", "2"],
            ["--workers", "3", "--set", "cluster.chunk_bytes=1048576"],
        ] {
            let result = try RunFiles.train(arguments, runFile: Self.runFile)
            #expect(result.stateSha256 == reference.stateSha256, "\(arguments)")
            #expect(result.weightsSha256 == reference.weightsSha256)
            #expect(result.penalty.bitPattern == reference.penalty.bitPattern)
        }
    }

    @Test func aKilledWorkerDoesNotChangeTheState() throws {
        let long = ["--set", "training.epochs=12"]
        let reference = try RunFiles.train(["--workers", "1"] + long, runFile: Self.runFile)
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(Self.runFile, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            ["train", file, "--output", folder.appending("run"), "--workers", "2", "--set", "cluster.minimum_workers=2"] + long, in: folder)
        try coordinator.line(containing: "epoch 2/")
        kill(try #require(try coordinator.children().first), SIGKILL)
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        let result = try Result(folder: folder.appending("run"))
        #expect(result.stateSha256 == reference.stateSha256)
        #expect(result.events.workersLost >= 1)
    }

    private func learningRates(_ arguments: [String]) throws -> [Double] {
        struct Line: Decodable {
            var learningRate: Double
        }
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let program = try RunningProgram(
            "dnn-coord", ["train", file, "--output", folder.appending("run"), "--workers", "1"] + arguments, in: folder)
        guard program.end() == 0 else { throw RunningProgram.Failure(description: program.text) }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try String(contentsOfFile: folder.appending("run/history.jsonl"), encoding: .utf8).split(separator: "\n").map {
            try decoder.decode(Line.self, from: Data($0.utf8)).learningRate
        }
    }

    /// 1,438 rows in steps of 96: 15 steps an epoch; a line holds the rate of the epoch's last step.
    @Test func theHistoryFollowsTheSchedule() throws {
        let rates = try learningRates([
            "--set", "optimizer.schedule={step: {step_size: 15, gamma: 0.5}}", "--set", "optimizer.warmup_steps=15", "--set",
            "optimizer.warmup_start_factor=0", "--set", "training.epochs=4",
        ])
        for (rate, expected) in zip(rates, [1e-3 * 14 / 15, 1e-3, 5e-4, 2.5e-4]) { #expect(abs(rate - expected) < 1e-15) }
        #expect(rates.count == 4)
    }

    /// No validation gains a million: the first one is the best, each further one reduces the rate of the epoch after it.
    @Test func aPlateauReducesTheRate() throws {
        let rates = try learningRates([
            "--set", "optimizer.schedule={reduce_on_plateau: {factor: 0.5, patience: 0, min_delta: 1000000, min_rate: 0.0002}}", "--set",
            "training.epochs=6",
        ])
        #expect(rates == [1e-3, 1e-3, 5e-4, 2.5e-4, 2e-4, 2e-4])
    }

    @Test func gradientsThatAreNotFiniteAreSkippedAndCounted() throws {
        // Rows as far apart as floats go overflow in the first layer; every step is skipped, and the weights stay what they were.
        let overflow = ["--workers", "2", "--set", "data.preprocessing=none", "--set", "model.initializer={constant: 1e37}"]
        let result = try RunFiles.train(overflow + ["--set", "training.non_finite=skip"])
        #expect(result.events.stepsSkipped == result.steps && result.steps > 0)
        #expect(throws: RunningProgram.Failure.self) { try RunFiles.train(overflow) }
    }

    @Test func patternsThatMatchNothingAreReportedWithTheirPlace() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let text = Self.runFile.replacingOccurrences(of: "layers.head.*", with: "layers.haed.*")
        let file = try RunFiles.write(text, to: folder)
        let program = try RunningProgram("dnn-coord", ["check", file], in: folder)
        #expect(program.end() == 2)
        let names = "layers.base.weight, layers.base.bias, layers.4.weight, layers.4.bias, layers.head.weight, layers.head.bias"
        let message = "optimizer.groups[2].match: \"layers.haed.*\" matches no parameter; there are \(names)"
        #expect(program.text.contains("run.yaml:25:15: \(message)"), "\(program.text)")
    }
}
