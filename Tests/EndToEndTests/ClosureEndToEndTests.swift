import Foundation
import OperatingSystem
import Testing

/// Closure rules with real processes: the same bits for any number of workers and through kills, and an optimum that others know.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ClosureEndToEndTests {
    /// Dropout, several chunks, an epoch with a tail; few evaluations, so that steps end in every way.
    private static func digits(_ rule: String) -> String {
        RunFiles.digits.replacingOccurrences(of: "{adam: {learning_rate: 1e-3}}", with: rule)
    }

    static let rules = [
        "lbfgs": digits("{lbfgs: {history: 3, max_evaluations: 5}}"),
        "conjugate_gradient": digits("{conjugate_gradient: {max_evaluations: 4}}"),
        "batchwise": digits("{lbfgs: {history: 3, max_evaluations: 3, full_pass: false}}"),
        "steady": digits("{lbfgs: {history: 3, max_evaluations: 5}}").replacingOccurrences(of: "{dropout: {rate: 0.2}}, ", with: ""),
    ]

    @Test(arguments: ["lbfgs", "conjugate_gradient", "batchwise", "steady"])
    func hashIsTheSame(name: String) throws {
        let text = try #require(Self.rules[name])
        let reference = try RunFiles.train(["--workers", "1"], runFile: text)
        #expect(reference.outcome == "completed")
        for arguments in [
            ["--workers", "2"], ["--workers", "4"], ["--workers", "3", "--set", "cluster.chunk_bytes=65536"],
            ["--workers", "3", "--threads", "2", "--set", "cluster.transport=messages"],
        ] {
            let result = try RunFiles.train(arguments, runFile: text)
            #expect(result.weightsSha256 == reference.weightsSha256, "\(arguments)")
            #expect(result.stateSha256 == reference.stateSha256, "\(arguments)")
            #expect(result.evaluations == reference.evaluations)
        }
    }

    /// More chunks than the window holds: nothing of the next weights can come before the whole gradient is there.
    @Test func moreChunksThanTheWindowHolds() throws {
        let text = try #require(Self.rules["lbfgs"]).replacingOccurrences(of: "units: 256", with: "units: 4096")
            .replacingOccurrences(of: "{dense: {units: 160}}, tanh, ", with: "")
        let short = ["--set", "training.epochs=2", "--set", "data.limit=300"]
        let reference = try RunFiles.train(["--workers", "1"] + short, runFile: text)
        #expect(reference.parameters > 16 * 16_384)
        for transport in ["messages", "shared_memory"] {
            let result = try RunFiles.train(
                ["--workers", "2", "--set", "cluster.chunk_bytes=65536", "--set", "cluster.transport=\(transport)"] + short, runFile: text)
            #expect(result.stateSha256 == reference.stateSha256, "\(transport)")
        }
    }

    @Test func killedWorkersDoNotChangeTheHash() throws {
        let text = try #require(Self.rules["lbfgs"])
        let long = ["--set", "training.epochs=40"]
        let reference = try RunFiles.train(["--workers", "1"] + long, runFile: text)
        let result = try RunFiles.trainKilling(at: [1, 5, 9], workers: 3, long, runFile: text)
        #expect(result.weightsSha256 == reference.weightsSha256)
        #expect(result.stateSha256 == reference.stateSha256)
        #expect(result.evaluations == reference.evaluations)
        #expect(result.events.workersLost >= 1)
    }

    /// The only worker dies in a step, another one comes over tcp: it takes over the pass.
    @Test func anotherWorkerTakesOverFromTheOnlyOne() throws {
        let text = try #require(Self.rules["steady"])
        let long = ["--set", "training.epochs=30"]
        let reference = try RunFiles.train(["--workers", "1"] + long, runFile: text)
        #expect(try RunFiles.trainTakingOver(long, runFile: text).stateSha256 == reference.stateSha256)
    }

    /// Multinomial logistic regression on all digits: SciPy's L-BFGS needs 61 evaluations for 0.738514 + 1e-4.
    @Test func logisticRegressionOnTheDigitsIsSolvedInSixtyEvaluations() throws {
        let text = """
            data:
              train: {builtin: digits}
              validation: none
              preprocessing: {scale: [0, 16]}
            model:
              layers: [flatten, {dense: {units: 10}}]
              loss: softmax_cross_entropy
            optimizer:
              rule: {lbfgs: {max_evaluations: 20}}
            regularization: {l2: 0.01}
            training: {batch_size: 256, epochs: 3}
            """
        let result = try RunFiles.train(["--workers", "2"], runFile: text)
        let loss = try #require(result.train?.loss)
        #expect(result.train?.samples == 1_797)
        #expect(result.steps == 3 && result.epochs == 3)
        #expect(result.evaluations <= 60)
        #expect(loss + result.penalty <= 0.738614)
        #expect(loss + result.penalty >= 0.738513, "the optimum is 0.738514")
    }

    /// What Ctrl-C leaves in the middle of a search is the state after the last complete step, slots included.
    @Test func interruptionLeavesTheLastCompleteStep() throws {
        let text = try #require(Self.rules["steady"])
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(text, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            ["train", file, "--output", folder.appending("run"), "--workers", "2", "--set", "training.epochs=100000"], in: folder)
        try coordinator.line(containing: "epoch 5/")
        coordinator.kill(SIGINT)
        #expect(coordinator.end() == 130)
        let result = try Result(folder: folder.appending("run"))
        let whole = try RunFiles.train(["--workers", "1", "--set", "training.epochs=\(result.steps)"], runFile: text)
        #expect(result.stateSha256 == whole.stateSha256)
        let slots = try Data(contentsOf: URL(fileURLWithPath: folder.appending("run/checkpoints/step-\(result.steps)/slots.safetensors")))
        for name in ["layers.1.weight.gradient", "layers.1.weight.weight_change_2", "layers.1.weight.gradient_change_2"] {
            #expect(slots.range(of: Data("\"\(name)\"".utf8)) != nil, "\(name)")
        }
    }

    @Test func progressTellsStepsAndEvaluations() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(try #require(Self.rules["lbfgs"]), to: folder)
        let program = try RunningProgram("dnn-coord", ["train", file, "--output", folder.appending("run"), "--workers", "1"], in: folder)
        #expect(program.end() == 0)
        #expect(program.text.contains("6 epochs of 1 step, each up to 5 evaluations of one pass over all 1437 rows (15 batches)"))
        #expect(program.text.contains("epoch 3/6  step 3, 15 evaluations, loss "))
    }
}
