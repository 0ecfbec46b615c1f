import Foundation
import OperatingSystem

/// A coordinator over tcp with keys, whose workers are started by hand.
struct KeyedRun {
    let folder: TemporaryFolder
    let coordinator: RunningProgram
    let endpoint: String

    /// - Parameter hosts: each has a key of its own.
    init(hosts: [String], _ arguments: [String], runFile text: String = RunFiles.digits) throws {
        folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let keygen = try RunningProgram(
            "dnn-coord", ["keygen", folder.appending("keys")] + hosts.flatMap { ["--worker", $0] }, in: folder)
        guard keygen.end() == 0 else { throw RunningProgram.Failure(description: keygen.text) }
        let file = try RunFiles.write(text, to: folder)
        coordinator = try RunningProgram(
            "dnn-coord",
            [
                "train", file, "--output", folder.appending("run"), "--bind", "tcp://127.0.0.1:0", "--keys", folder.appending("keys"),
            ] + arguments, in: folder)
        endpoint = try coordinator.invitation()
    }

    var keys: String { folder.appending("keys") }

    func worker(_ host: String, keys: String? = nil) throws -> RunningProgram {
        try RunningProgram(
            "dnn-worker", ["--connect", endpoint, "--name", host, "--keys", keys ?? "\(self.keys)/hosts/\(host)", "--patience", "20"],
            in: folder)
    }

    func result() throws -> Result {
        try Result(folder: folder.appending("run"))
    }
}
