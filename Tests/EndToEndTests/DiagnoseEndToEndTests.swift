import Foundation
import OperatingSystem
import Testing

/// The verdict on real runs over the built-in digits. The rules were not made on these: the same settings on other nets and data give the
/// same causes.
@Suite struct DiagnoseEndToEndTests {
    struct Run: Sendable, CustomTestStringConvertible {
        var name: String
        var layers: [String]
        var isOfImages = false
        var rule = "{adam: {learning_rate: 1e-3}}"
        var epochs = 20
        var initializer = "auto"
        var limit = "none"
        var l2 = "0"
        var exitCode: Int32 = 0

        var training = "not_fitted"
        var heldOut = "unknown"
        /// The first cause, and others that must be among them.
        var causes: [String]

        var testDescription: String { name }

        var yaml: String {
            """
            name: \(name.filter { $0.isLetter || $0.isNumber })
            seed: 3
            data:
              train: {builtin: digits}
              validation: {fraction: 0.1}
              test: {fraction: 0.2}
              preprocessing: {scale: [0, 16]}
              limit: \(limit)
            model:
              initializer: \(initializer)
              layers: [\(isOfImages ? "" : "flatten, ")\(layers.joined(separator: ", "))]
              loss: softmax_cross_entropy
            optimizer:
              rule: \(rule)
            regularization: {l2: \(l2)}
            training:
              batch_size: 64
              epochs: \(epochs)
            """
        }
    }

    static func dense(_ widths: Int..., activation: String, after: [String] = [], options: String = "") -> [String] {
        widths.flatMap { ["{dense: {units: \($0)\(options)}}", activation] + after } + ["{dense: {units: 10}}"]
    }

    static let runs = [
        Run(name: "a good run", layers: dense(64, 32, activation: "relu"), training: "fitted", heldOut: "good", causes: []),
        Run(
            name: "12 layers of sigmoids", layers: dense(48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, activation: "sigmoid"),
            causes: ["vanishing_gradient"]),
        Run(
            name: "Adam at rate 10", layers: dense(48, 32, activation: "relu"), rule: "{adam: {learning_rate: 10}}", epochs: 6,
            causes: ["learning_rate_too_high"]),
        Run(
            name: "SGD at rate 10", layers: dense(48, 32, activation: "tanh"), rule: "{sgd: {learning_rate: 10}}", epochs: 6,
            causes: ["learning_rate_too_high", "saturated_units"]),
        Run(
            name: "Adam at rate 1e-7", layers: dense(48, 32, activation: "relu"), rule: "{adam: {learning_rate: 1e-7}}", epochs: 6,
            causes: ["learning_rate_too_low"]),
        Run(
            name: "SGD at rate 1e-7", layers: dense(48, activation: "sigmoid"), rule: "{sgd: {learning_rate: 1e-7}}", epochs: 6,
            causes: ["learning_rate_too_low"]),
        Run(
            name: "dropout 0.9", layers: dense(96, 64, activation: "relu", after: ["{dropout: {rate: 0.9}}"]), epochs: 12,
            causes: ["over_regularised"]),
        Run(name: "l2 of 0.3", layers: dense(48, 32, activation: "relu"), l2: "0.3", causes: ["over_regularised"]),
        Run(
            name: "300 rows and a wide net", layers: dense(400, 400, activation: "relu"), epochs: 30, limit: "300", training: "fitted",
            heldOut: "overfitting", causes: ["overfitting", "too_little_data"]),
        Run(
            name: "dead from the start", layers: dense(48, 32, activation: "relu", options: ", bias_initializer: {constant: -10}"),
            epochs: 5,
            causes: ["dead_units"]),
        Run(
            name: "dead convolutions behind which images are pooled",
            layers: ["{conv2d: {filters: 8, kernel: 3, bias_initializer: {constant: -10}}}", "relu", "{max_pool2d: {kernel: 2}}"]
                + ["flatten", "{dense: {units: 10}}"], isOfImages: true, epochs: 4, causes: ["dead_units"]),
        Run(
            name: "a rate of 10 that fits in the end", layers: ["{dense: {units: 10}}"], rule: "{sgd: {learning_rate: 10}}",
            training: "fitted", heldOut: "good", causes: ["learning_rate_too_high"]),
        Run(
            name: "half of 8 units dropped", layers: dense(8, 8, activation: "relu", after: ["{dropout: {rate: 0.5}}"]), epochs: 100,
            causes: ["over_regularised"]),
        Run(
            name: "units that begin alike", layers: dense(48, 32, activation: "tanh"), epochs: 6, initializer: "{constant: 0}",
            causes: ["plateau"]),
        Run(name: "two units for ten classes", layers: dense(2, activation: "tanh"), epochs: 30, causes: ["too_small_model"]),
        Run(
            name: "saturated from the start", layers: dense(48, 32, activation: "tanh"), epochs: 5, initializer: "{normal: {std: 2}}",
            causes: ["saturated_units"]),
        Run(
            name: "weights that are too large", layers: dense(48, 48, 48, 48, 48, 48, activation: "relu"), epochs: 3,
            initializer: "{normal: {std: 1}}", causes: ["exploding_gradient"]),
        Run(
            name: "NaN in the first steps", layers: dense(48, 48, 48, 48, 48, 48, activation: "relu"), rule: "{sgd: {learning_rate: 0.1}}",
            initializer: "{normal: {std: 1}}", exitCode: 1, causes: ["non_finite", "exploding_gradient"]),
    ]

    private struct Verdict: Decodable {
        struct Cause: Decodable {
            var id: String
            var layer: String?
            var evidence: [String: Double]
            var because: String
        }

        struct Change: Decodable {
            var set: String
            var because: String
        }

        struct Curvature: Decodable {
            var shape: String
            var smallestEigenvalue: Double
            var largestEigenvalue: Double
            var gradientNorm: Double
            var loss: Double
        }

        var training: String
        var heldOut: String
        var causes: [Cause]
        var next: [Change]
        var curvature: Curvature?
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    private func verdict(_ folder: TemporaryFolder, _ arguments: [String] = []) throws -> Verdict {
        let program = try RunningProgram("dnn-coord", ["diagnose", folder.appending("run"), "--json"] + arguments, in: folder)
        try #require(program.end() == 0, "\(program.text)")
        return try Self.decoder.decode(Verdict.self, from: Data(program.output.utf8))
    }

    private func train(_ run: Run, in folder: TemporaryFolder, output: String = "run", workers: Int = 1) throws -> RunningProgram {
        let file = try RunFiles.write(run.yaml, to: folder, name: output + ".yaml")
        let program = try RunningProgram(
            "dnn-coord", ["train", file, "--workers", "\(workers)", "--output", folder.appending(output)], in: folder)
        try #require(program.end() == run.exitCode, "\(program.text)")
        return program
    }

    @Test(arguments: runs)
    func theCauseIsFound(_ run: Run) throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let program = try train(run, in: folder)
        let verdict = try verdict(folder)
        #expect(verdict.training == run.training && verdict.heldOut == run.heldOut)
        #expect(verdict.causes.first?.id == run.causes.first)
        #expect(Set(run.causes).isSubset(of: verdict.causes.map(\.id)), "\(verdict.causes)")
        if run.causes.isEmpty { #expect(verdict.causes.isEmpty && verdict.next.isEmpty) }
        // `train` has said the same at its end.
        for cause in verdict.causes { #expect(program.text.contains("cause      \(cause.id)")) }
        // What is advised can be done.
        for change in verdict.next {
            let check = try RunningProgram("dnn-coord", ["check", folder.appending("run.yaml"), "--set", change.set], in: folder)
            #expect(check.end() == 0, "\(change.set): \(check.text)")
        }
    }

    @Test func theFiguresOfUnitsDoNotDependOnTheWorkers() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        var run = Run(
            name: "units", layers: ["{dense: {units: 48}}", "relu", "{dense: {units: 32}}", "tanh", "{dense: {units: 10}}"], causes: [])
        run.epochs = 3
        var histories: [[String]] = []
        for workers in 1...2 {
            _ = try train(run, in: folder, output: "run\(workers)", workers: workers)
            let history = try String(contentsOfFile: folder.appending("run\(workers)/history.jsonl"), encoding: .utf8)
            // Everything but the time.
            histories.append(
                history.split(separator: "\n").map { line in
                    line.split(separator: ",").filter { !$0.contains("\"seconds\"") }.joined(separator: ",")
                })
        }
        #expect(histories[0] == histories[1])
        #expect(histories[0].count == 3 && histories[0].allSatisfy { $0.contains("\"dead\"") && $0.contains("\"saturated\"") })
    }

    @Test func aDeeperNetThatIsWorseInTrainingIsNotOverfitting() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        for (name, depth) in [("shallow", 2), ("deep", 12)] {
            let layers = Array(repeating: ["{dense: {units: 32}}", "sigmoid"], count: depth).flatMap { $0 } + ["{dense: {units: 10}}"]
            _ = try train(
                Run(name: name, layers: layers, rule: "{adam: {learning_rate: 0.01}}", epochs: 8, causes: []), in: folder, output: name)
        }
        let program = try RunningProgram(
            "dnn-coord", ["compare", folder.appending("shallow"), folder.appending("deep"), "--json"], in: folder)
        try #require(program.end() == 0, "\(program.text)")
        struct Answer: Decodable {
            var a: Verdict
            var b: Verdict
            var conclusion: String
            var because: String
        }
        let answer = try Self.decoder.decode(Answer.self, from: Data(program.output.utf8))
        #expect(answer.conclusion == "b is worse on training data: not trained well, not overfitting")
        #expect(answer.b.causes.first?.id == "vanishing_gradient" && answer.a.training == "fitted")
        #expect(answer.because.contains("13 layers can do all that 3 can"))
    }

    /// Logistic regression with decay is convex: the smallest eigenvalue is at least λ. Units that begin at 0 sit on a saddle.
    @Test func theCurvatureTellsAMinimumFromASaddle() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        _ = try train(
            Run(
                name: "convex", layers: ["{dense: {units: 10}}"], rule: "{adam: {learning_rate: 1e-2}}", epochs: 20, l2: "0.001", causes: []
            ),
            in: folder)
        let convex = try #require(try verdict(folder, ["--curvature"]).curvature)
        #expect(convex.shape == "minimum")
        #expect(convex.smallestEigenvalue > 0 && convex.largestEigenvalue > 0.1)
        // K1: it hangs neither on who computes nor on how it travels.
        for arguments in [["--workers", "1"], ["--workers", "2"], ["--workers", "3", "--threads", "2"]] {
            let found = try #require(try verdict(folder, ["--curvature"] + arguments).curvature)
            #expect(found.smallestEigenvalue.bitPattern == convex.smallestEigenvalue.bitPattern)
            #expect(found.largestEigenvalue.bitPattern == convex.largestEigenvalue.bitPattern)
            #expect(found.gradientNorm.bitPattern == convex.gradientNorm.bitPattern && found.loss.bitPattern == convex.loss.bitPattern)
        }

        let other = try TemporaryFolder(prefix: "dnn-e2e-")
        _ = try train(
            Run(name: "saddle", layers: Self.dense(12, activation: "tanh"), epochs: 3, initializer: "{constant: 0}", causes: []), in: other)
        let saddle = try #require(try verdict(other, ["--curvature"]).curvature)
        #expect(saddle.shape == "saddle")
        #expect(saddle.smallestEigenvalue < 0 && saddle.largestEigenvalue > 0)
    }

    @Test func theCurvatureOfBatchesIsRefused() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        _ = try train(
            Run(name: "batches", layers: ["{dense: {units: 8}}", "batch_norm", "{dense: {units: 10}}"], epochs: 1, causes: []), in: folder)
        let program = try RunningProgram("dnn-coord", ["diagnose", folder.appending("run"), "--curvature"], in: folder)
        #expect(program.end() == 2)
        #expect(program.text.contains("with batch_norm the loss of a row depends on the rows beside it"), "\(program.text)")
    }

    @Test func aFolderWithoutARunIsRefused() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let program = try RunningProgram("dnn-coord", ["diagnose", folder.path], in: folder)
        #expect(program.end() == 2)
        #expect(program.text.contains("holds no run"))
    }
}
