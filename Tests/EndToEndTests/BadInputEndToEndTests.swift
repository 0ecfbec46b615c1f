import Foundation
import OperatingSystem
import Testing

/// Whatever is wrong with the input is said before anything starts, with its place, and exits with 2.
@Suite(.timeLimit(.minutes(2)))
struct BadInputEndToEndTests {
    private func refusal(_ text: String, _ arguments: [String] = [], files: [String: [UInt8]] = [:]) throws -> String {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        for (name, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: folder.appending(name))) }
        let file = try RunFiles.write(text, to: folder)
        let program = try RunningProgram("dnn-coord", ["train", file, "--output", folder.appending("run")] + arguments, in: folder)
        #expect(program.end() == 2)
        #expect(!FileManager.default.fileExists(atPath: folder.appending("run/result.json")))
        return program.text.replacingOccurrences(of: folder.path + "/", with: "")
    }

    private func digits(replacing old: String, with new: String) -> String {
        RunFiles.digits.replacingOccurrences(of: old, with: new)
    }

    @Test(arguments: [
        ("epochs: 6", "epoch: 6", "run.yaml:16:3: training.epoch: unknown key", "did you mean epochs?"),
        ("epochs: 6", "epochs: many", "run.yaml:16:11: training.epochs: must be", "many"),
        ("rate: 0.2", "rate: 1.0", "model.layers[3].dropout.rate: must be", "got 1.0"),
        ("learning_rate: 1e-3", "learning_rate: -1", "optimizer.rule.adam.learning_rate: must be", "got -1"),
        ("batch_size: 96", "batch_size: 98", "run.yaml:15:19: training.virtual_shards: must divide batch_size", "96 and 100"),
        ("[flatten, ", "[", "model.layers[0]", "1×8×8"),
        ("{dense: {units: 10}}", "{dense: {units: 9}}", "model.loss: the data has 10 classes", "9 outputs"),
        ("builtin: digits", "csv: {path: missing.csv, target: y}", "run.yaml:3:1: data", "missing.csv"),
    ])
    func isRefused(old: String, new: String, place: String, detail: String) throws {
        let text = try refusal(digits(replacing: old, with: new))
        #expect(text.contains(place), "\(text)")
        #expect(text.contains(detail), "\(text)")
    }

    @Test func severalProblemsAreReportedTogether() throws {
        let text = try refusal(
            RunFiles.digits.replacingOccurrences(of: "rate: 0.2", with: "rate: 7").replacingOccurrences(of: "seed: 7", with: "seed: -1"))
        #expect(text.contains("run.yaml:2:7: seed:"), "\(text)")
        #expect(text.contains("dropout.rate:"), "\(text)")
    }

    @Test func notYAML() throws {
        #expect(try refusal("{ this: [is not").contains("run.yaml:2:1: not YAML"))
    }

    @Test(arguments: [
        ("1,2,a\n3,x,b\n", "x"),
        ("1,2,a\n3,nan,b\n", "nan"),
        ("1,2,a\n3,b\n", "data.csv:2: has 2 fields"),
    ])
    func badCellIsNamed(csv: String, detail: String) throws {
        let text = try refusal(
            digits(replacing: "builtin: digits", with: "csv: {path: data.csv, target: 2, header: false}"),
            files: ["data.csv": Array(csv.utf8)])
        #expect(text.contains("data.csv"), "\(text)")
        #expect(text.contains(detail), "\(text)")
    }

    @Test(arguments: [
        ([UInt8]([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5]), "features.idx"),  // a byte is missing
        ([9, 9, 9, 9, 0, 0, 0, 2], "features.idx"),  // not IDX at all
        ([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3], "1"),  // one row, two labels
    ])
    func badIDXIsNamed(features: [UInt8], detail: String) throws {
        let text = try refusal(
            digits(replacing: "builtin: digits", with: "idx: {features: features.idx, labels: labels.idx}"),
            files: ["features.idx": features, "labels.idx": [0, 0, 8, 1, 0, 0, 0, 2, 0, 1]])
        #expect(text.contains(detail), "\(text)")
    }

    @Test(arguments: [["--workers", "-1"], ["--threads", "0"], ["--worker", "2"], ["--workers", "0"], ["--bind", "udp://x"]])
    func badCommandLine(arguments: [String]) throws {
        #expect(try !refusal(RunFiles.digits, arguments).isEmpty)
    }

    @Test func takenRunFolderIsRefused() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let arguments = ["train", file, "--output", folder.appending("run"), "--workers", "1", "--set", "training.epochs=1"]
        #expect(try RunningProgram("dnn-coord", arguments, in: folder).end() == 0)
        let again = try RunningProgram("dnn-coord", arguments, in: folder)
        #expect(again.end() == 2)
        #expect(again.text.contains("--output"))
    }
}
