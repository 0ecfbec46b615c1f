import Foundation
import OperatingSystem

/// Run files of the tests, written into a folder of their own.
enum RunFiles {
    /// Digits with V = 4, dropout, several chunks at the smallest chunk size, tails in every epoch.
    static let digits = """
        name: digits
        seed: 7
        data:
          train: {builtin: digits}
          validation: {fraction: 0.1}
          test: {fraction: 0.1}
          preprocessing: {scale: [0, 16]}
        model:
          layers: [flatten, {dense: {units: 256}}, relu, {dropout: {rate: 0.2}}, {dense: {units: 160}}, tanh, {dense: {units: 10}}]
          loss: softmax_cross_entropy
        optimizer:
          rule: {adam: {learning_rate: 1e-3}}
        training:
          batch_size: 96
          virtual_shards: 4
          epochs: 6
          early_stopping: {patience: 100}
        cluster:
          heartbeat_ms: 200
        """

    static func write(_ text: String, to folder: TemporaryFolder, name: String = "run.yaml") throws -> String {
        let path = folder.appending(name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Trains to the end and gives the result; `arguments` follow the run file.
    static func train(_ arguments: [String], runFile text: String = digits, environment: [String: String] = [:]) throws -> Result {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try write(text, to: folder)
        let program = try RunningProgram(
            "dnn-coord", ["train", file, "--output", folder.appending("run")] + arguments, in: folder, environment: environment)
        let code = program.end()
        guard code == 0 else { throw RunningProgram.Failure(description: "exit \(code):\n\(program.text)") }
        return try Result(folder: folder.appending("run"))
    }
}
