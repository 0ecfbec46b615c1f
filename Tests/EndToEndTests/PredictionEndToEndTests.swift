import Foundation
import OperatingSystem
import Testing

/// A saved net holds all that it needs: what is said of it later is what the run said.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct PredictionEndToEndTests {
    private static let iris = """
        name: flowers
        data:
          train: {csv: {path: train.csv, target: kind, categorical: [garden]}}
          validation: none
          test: {csv: {path: test.csv, target: kind, categorical: [garden]}}
          preprocessing: {standardize: true}
        model:
          layers: [{dense: {units: 16}}, relu, {dropout: {rate: 0.2}}, {dense: {units: 3}}]
          loss: softmax_cross_entropy
        optimizer:
          rule: {adam: {learning_rate: 1e-2}}
        training: {batch_size: 16, virtual_shards: 2, epochs: 8}
        """

    /// Rows in three clouds that overlap, so that some answers are wrong.
    private static func rows(_ range: Range<Int>) -> [(features: String, kind: String)] {
        range.map { row in
            let kind = row % 3
            let noise = { (factor: Int) in Double((row &* factor &+ 5) % 97) / 97 - 0.5 }
            let (length, width) = (Double(kind) + 1.8 * noise(31), Double(kind * kind) / 2 + 2.2 * noise(57))
            return ("\(length),\(row % 2 == 0 ? "north" : "south"),\(width)", ["rose", "a, b", "lily"][kind])
        }
    }

    private static func csv(_ range: Range<Int>) -> String {
        "length,garden,width,kind\n" + rows(range).map { "\($0.features),\"\($0.kind)\"\n" }.joined()
    }

    /// Trains in `folder`; the run folder is `run`.
    private func train(_ text: String, in folder: TemporaryFolder, _ arguments: [String] = []) throws -> Result {
        let file = try RunFiles.write(text, to: folder)
        let program = try RunningProgram("dnn-coord", ["train", file, "--output", "run", "--workers", "1"] + arguments, in: folder)
        let code = program.end()
        guard code == 0 else { throw RunningProgram.Failure(description: "exit \(code):\n\(program.text)") }
        return try Result(folder: folder.appending("run"))
    }

    private func flowers(in folder: TemporaryFolder) throws -> Result {
        _ = try RunFiles.write(Self.csv(0..<240), to: folder, name: "train.csv")
        _ = try RunFiles.write(Self.csv(240..<377), to: folder, name: "test.csv")
        return try train(Self.iris, in: folder)
    }

    private func run(_ arguments: [String], in folder: TemporaryFolder, code: Int32 = 0) throws -> RunningProgram {
        let program = try RunningProgram("dnn-coord", arguments, in: folder)
        #expect(program.end() == code, "\(program.text)")
        return program
    }

    private struct Evaluation: Decodable {
        var test: Result.Part?
        var validation: Result.Part?
        var weightsSha256: String
    }

    private func evaluate(_ arguments: [String], in folder: TemporaryFolder) throws -> Evaluation {
        let program = try run(["evaluate", "run/model.safetensors", "--json"] + arguments, in: folder)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Evaluation.self, from: Data(program.output.utf8))
    }

    @Test(arguments: ["1", "3"])
    func evaluationHasTheRunsOwnFigures(threads: String) throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let result = try train(RunFiles.digits, in: folder)
        let test = try evaluate(["--data", "run.yaml", "--threads", threads], in: folder)
        #expect(test.test?.loss == result.test?.loss)
        #expect(test.test?.accuracy == result.test?.accuracy)
        #expect(test.weightsSha256 == result.weightsSha256)
        // The run's copy of the run file does as well; without a test the validation rows are measured.
        let validation = try evaluate(["--data", "run/run.yaml", "--set", "data.test=none"], in: folder)
        #expect(validation.test == nil)
        #expect(validation.validation?.samples == 180)
    }

    @Test func evaluationOfARegressionIsInOriginalUnits() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let rows = (0..<300).map { "\($0 % 17),\($0 % 23),\(100 + 20 * ($0 % 17) - 3 * ($0 % 23))\n" }.joined()
        _ = try RunFiles.write("a,b,price\n" + rows, to: folder, name: "houses.csv")
        let result = try train(
            """
            data:
              train: {csv: {path: houses.csv, target: price}}
              test: {fraction: 0.2}
              task: regression
              preprocessing: {standardize: true}
              target_standardize: true
              redeal_every: 1
            model: {layers: [{dense: {units: 16}}, relu, {dense: {units: 1}}], loss: mean_squared_error}
            optimizer: {rule: {adam: {learning_rate: 1e-2}}}
            training: {batch_size: 16, virtual_shards: 2, epochs: 8}
            """, in: folder)
        let test = try evaluate(["--data", "run.yaml"], in: folder)
        #expect(test.test?.loss == result.test?.loss)
        #expect(test.test?.rmse == result.test?.rmse)
        #expect(test.test?.r2 == result.test?.r2)
        _ = try run(["predict", "run/model.safetensors", "--input", "houses.csv", "--output", "values.csv"], in: folder)
        let lines = try String(contentsOfFile: folder.appending("values.csv"), encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 301)
        #expect(lines[0] == "row,value")
        let values = lines.dropFirst().compactMap { Double($0.split(separator: ",")[1]) }
        // In original units: the targets lie between 34 and 420.
        #expect(abs(values.reduce(0, +) / 300 - 227) < 30)
    }

    @Test func predictionsOfTheTestRowsHaveTheTestAccuracy() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let result = try flowers(in: folder)
        let accuracy = try #require(result.test?.accuracy)
        #expect(accuracy > 0.5 && accuracy < 1)
        _ = try run(["predict", "run/model.safetensors", "--input", "test.csv", "--output", "answers.csv"], in: folder)
        let text = try String(contentsOfFile: folder.appending("answers.csv"), encoding: .utf8)
        let lines = text.split(separator: "\n")
        #expect(lines[0] == "row,class,\"p_a, b\",p_lily,p_rose")
        let kinds = Self.rows(240..<377).map(\.kind)
        let right = zip(lines.dropFirst(), kinds).count { line, kind in
            line.split(separator: ",", maxSplits: 1)[1].hasPrefix(kind.contains(",") ? "\"\(kind)\"" : kind)
        }
        #expect(Double(right) / Double(kinds.count) == accuracy)

        // The same without the target, from standard input, columns in another order.
        let shuffled =
            "width,length,garden\n"
            + Self.rows(240..<377).map { row in
                let fields = row.features.split(separator: ",")
                return "\(fields[2]),\(fields[0]),\(fields[1])\n"
            }.joined()
        _ = try RunFiles.write(shuffled, to: folder, name: "bare.csv")
        let shell = try RunningProgram(
            executable: "/bin/sh",
            ["-c", "exec \(try Programs.path("dnn-coord")) predict run/model.safetensors --input - --output - < bare.csv"], in: folder)
        #expect(shell.end() == 0, "\(shell.text)")
        #expect(shell.output == text)

        // Twice the same net, by mean or by vote, and masks.
        let both = ["predict", "run/model.safetensors", "run/model.safetensors", "--input", "test.csv", "--output", "-"]
        #expect(try run(both, in: folder).output == text)
        let votes = try run(both + ["--combine", "vote"], in: folder).output.split(separator: "\n")
        #expect(votes.map { $0.split(separator: ",")[1] } == lines.map { $0.split(separator: ",")[1] })
        #expect(Set(votes.dropFirst().flatMap { $0.split(separator: ",").suffix(3) }) == ["0.0", "1.0"])
        let masked = try run(
            ["predict", "run/model.safetensors", "--input", "test.csv", "--output", "-", "--masks", "20"], in: folder
        ).output
        #expect(masked != text)
        #expect(masked.split(separator: "\n").count == lines.count)
    }

    @Test func whatCannotBeUsedIsSaidAndExitsWithTwo() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        _ = try flowers(in: folder)
        let model = "run/model.safetensors"
        func refused(_ arguments: [String], _ message: String) throws {
            let text = try run(arguments, in: folder, code: 2).text
            #expect(text.contains(message), "\(text)")
        }
        _ = try RunFiles.write("length,garden,width\n1,north,2\n", to: folder, name: "good.csv")
        _ = try RunFiles.write("length,garden,breadth\n1,north,2\n", to: folder, name: "bad.csv")
        _ = try RunFiles.write("1 9:2\n", to: folder, name: "wide.libsvm")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.appending(model)))
        try bytes.prefix(bytes.count - 3).write(to: URL(fileURLWithPath: folder.appending("cut.safetensors")))
        let to = ["--output", "out.csv"]
        try refused(["predict", "nowhere", "--input", "good.csv"] + to, "nowhere: open failed: No such file or directory")
        try refused(["predict", "good.csv", "--input", "good.csv"] + to, "good.csv: is no whole safetensors file")
        try refused(["predict", "cut.safetensors", "--input", "good.csv"] + to, "cut.safetensors: is no whole safetensors file")
        try refused(["predict", model, "--input", "bad.csv"] + to, "bad.csv:1: the model knows no column “breadth”")
        try refused(["predict", model, "--input", "nowhere.csv"] + to, "nowhere.csv: cannot be read: there is no such file")
        try refused(["predict", model, "--input", "wide.libsvm"] + to, "the index 9 is beyond the last of 4 features")
        try refused(["predict", model, "--input", "good.csv", "--output", "good.csv"], "--output good.csv: is the input")
        try refused(["predict", model, "--input", "good.csv", "--format", "cvs"] + to, "--format must be one of csv, idx, npy")
        try refused(["predict", model, "--inptu", "good.csv"] + to, "unknown option --inptu")
        try refused(["evalute", model], "unknown command evalute; commands are train, resume, serve, check")
        #expect(!FileManager.default.fileExists(atPath: folder.appending("out.csv")))
        let file = try RunFiles.write(RunFiles.digits, to: folder, name: "digits.yaml")
        try refused(["evaluate", model, "--data", file], "has 64 columns beside the target, the training source has 3")
        try refused(["evaluate", "digits.yaml", "--data", file], "digits.yaml: is no whole safetensors file")
        _ = try run(
            ["train", file, "--output", "digits", "--workers", "1", "--set", "training.epochs=1", "--quiet"], in: folder)
        try refused(
            ["predict", "digits/model.safetensors", model, "--input", "good.csv"] + to, "(read for digits/model.safetensors)")
    }

    @Test func netsWithOtherClassesAreNotCombined() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        _ = try flowers(in: folder)
        let two = Self.csv(0..<240).split(separator: "\n").filter { !$0.contains("lily") }.joined(separator: "\n")
        _ = try RunFiles.write(two, to: folder, name: "train.csv")
        for units in [2, 3] {
            _ = try run(
                [
                    "train", "run.yaml", "--output", "other-\(units)", "--workers", "1", "--quiet", "--set", "data.test=none", "--set",
                    "model.layers.3.dense.units=\(units)",
                ], in: folder)
        }
        func refused(_ other: String, _ message: String) throws {
            let text = try run(
                ["predict", "run/model.safetensors", "\(other)/model.safetensors", "--input", "test.csv", "--output", "-"], in: folder,
                code: 2
            ).text
            #expect(text.contains(message), "\(text)")
        }
        try refused("other-2", "run/model.safetensors tells 3 classes apart, other-2/model.safetensors 2")
        try refused("other-3", "run/model.safetensors has a class “lily” where other-3/model.safetensors has “rose”")
    }

    @Test func fineTuningStartsFromTheParametersThatFit() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let first = try flowers(in: folder)
        let tuned = Self.iris.replacingOccurrences(of: "{dense: {units: 3}}", with: "{dense: {units: 3, name: head}}")
            .replacingOccurrences(of: "model:\n", with: "model:\n  initialize_from: run/model.safetensors\n")
        let file = try RunFiles.write(tuned, to: folder, name: "tuned.yaml")
        let check = try run(["check", file], in: folder)
        #expect(check.output.contains("start     2 of 4 parameters from"))
        #expect(check.output.contains("initialized by rule: layers.head.weight (not in the file), layers.head.bias (not in the file)"))
        #expect(check.output.contains("in the file only: layers.3.weight, layers.3.bias"))

        // All of them and a rate of nothing: the same net, on any number of workers.
        let same = Self.iris.replacingOccurrences(of: "model:\n", with: "model:\n  initialize_from: run/model.safetensors\n")
            .replacingOccurrences(of: "{adam: {learning_rate: 1e-2}}", with: "{sgd: {learning_rate: 1e-30}}")
        let still = try RunFiles.write(same, to: folder, name: "still.yaml")
        _ = try run(["train", still, "--output", "again", "--workers", "2", "--quiet"], in: folder)
        #expect(try Result(folder: folder.appending("again")).weightsSha256 == first.weightsSha256)
        // Its bytes count as data.
        func dataHash(_ run: String) throws -> String? {
            let text = try String(contentsOfFile: folder.appending("\(run)/result.json"), encoding: .utf8)
            return text.split(separator: "\n").first { $0.contains("data_sha256") }.map { String($0) }
        }
        #expect(try dataHash("again") != dataHash("run"))

        let foreign = tuned.replacingOccurrences(of: "{dense: {units: 16}}", with: "{dense: {units: 17}}")
        let text = try run(["check", try RunFiles.write(foreign, to: folder, name: "foreign.yaml")], in: folder, code: 2).text
        #expect(text.contains("foreign.yaml:8:20: model.initialize_from: "))
        #expect(text.contains("none of the net's parameters has its name and shape there"))
    }
}
