import Foundation
import OperatingSystem

/// A run in a folder that is begun, interrupted and resumed by real programs.
struct ResumableRun {
    let folder: TemporaryFolder
    private let file: String
    private let settings: [String]

    /// - Parameter settings: of the first start; a resumed run knows them from its folder.
    init(in folder: TemporaryFolder, _ settings: [String], runFile text: String = RunFiles.digits) throws {
        self.folder = folder
        self.settings = settings
        file = try RunFiles.write(text, to: folder)
    }

    /// In memory, where the system has such a place: checkpoints are then as many as steps, however slow the disk.
    static func makeFolder() throws -> TemporaryFolder {
        let isThere = FileManager.default.isWritableFile(atPath: "/dev/shm")
        return try TemporaryFolder(prefix: "dnn-e2e-", in: isThere ? "/dev/shm" : nil)
    }

    func path(_ name: String) -> String { folder.appending("run/" + name) }

    func train(_ arguments: [String] = []) throws -> RunningProgram {
        try RunningProgram("dnn-coord", ["train", file, "--output", folder.appending("run")] + settings + arguments, in: folder)
    }

    func resume(_ arguments: [String] = []) throws -> RunningProgram {
        try RunningProgram("dnn-coord", ["resume", folder.appending("run")] + arguments, in: folder)
    }

    /// Begins the run and ends it with Ctrl-C.
    func interrupt(atEpoch epoch: Int) throws {
        let program = try train(["--workers", "1"])
        try program.line(containing: "epoch \(epoch)/")
        program.kill(SIGINT)
        guard program.end() == 130 else { throw RunningProgram.Failure(description: program.text) }
    }

    var result: Result {
        get throws { try Result(folder: folder.appending("run")) }
    }

    /// The lines of the history without the time they took.
    var history: [String] {
        get throws {
            try String(contentsOfFile: path("history.jsonl"), encoding: .utf8).split(separator: "\n").map {
                String($0).replacing(/"seconds":[0-9.e-]+,/, with: "")
            }
        }
    }

    /// What lies in a folder of the run; nothing if there is none.
    func names(_ name: String) -> Set<String> {
        Set((try? FileManager.default.contentsOfDirectory(atPath: path(name))) ?? [])
    }

    /// Of the committed checkpoints, ascending.
    var checkpointSteps: [Int] {
        names("checkpoints").compactMap { $0.hasPrefix("step-") ? Int($0.dropFirst(5)) : nil }.sorted()
    }

    /// Turns over a bit in the middle of a file.
    func damage(_ name: String) throws {
        let url = URL(fileURLWithPath: path(name))
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: url)
    }

    /// Notes a later start in the folder, as a coordinator on another host would.
    func takeOver() throws {
        let url = URL(fileURLWithPath: path(".incarnation"))
        var start = try JSONDecoder().decode(Start.self, from: Data(contentsOf: url))
        start.incarnation += 1
        try JSONEncoder().encode(start).write(to: url, options: .atomic)
    }

    private struct Start: Codable {
        var run: String
        var incarnation: UInt32
    }
}
