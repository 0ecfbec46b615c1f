internal import Diagnosis
internal import Foundation

/// `dnn-coord diagnose`: the verdict on a run, from what its folder holds.
public struct DiagnoseCommand: Sendable {
    public var folder: String
    public var printsJSON: Bool

    public init(folder: String, printsJSON: Bool) {
        self.folder = folder
        self.printsJSON = printsJSON
    }

    public func run() -> Int32 {
        do {
            try report(Diagnosis(RunEvidence(folder: folder)), lines: \.lines, asJSON: printsJSON)
            return TrainCommand.ExitCode.completed
        } catch {
            printError("dnn-coord: \(error)")
            return TrainCommand.ExitCode.badInput
        }
    }
}

/// `dnn-coord compare`: two runs, which of them is better and where.
public struct CompareCommand: Sendable {
    public var first: String
    public var second: String
    public var printsJSON: Bool

    public init(first: String, second: String, printsJSON: Bool) {
        self.first = first
        self.second = second
        self.printsJSON = printsJSON
    }

    public func run() -> Int32 {
        do {
            let comparison = Comparison(a: try RunEvidence(folder: first), b: try RunEvidence(folder: second))
            try report(comparison, lines: \.lines, asJSON: printsJSON)
            return TrainCommand.ExitCode.completed
        } catch {
            printError("dnn-coord: \(error)")
            return TrainCommand.ExitCode.badInput
        }
    }
}

/// JSON on standard output, or lines for a person.
private func report<Answer: Encodable>(_ answer: Answer, lines: (Answer) -> [String], asJSON: Bool) throws {
    guard asJSON else {
        print(lines(answer).joined(separator: "\n"))
        return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try FileHandle.standardOutput.write(contentsOf: encoder.encode(answer) + Data("\n".utf8))
}

/// The folder holds no run, or something that no run wrote.
struct UnreadableRun: Error, CustomStringConvertible {
    var description: String
}

extension RunEvidence {
    /// Reads `run.yaml`, and `history.jsonl` and `result.json` where they are.
    init(folder: String) throws(UnreadableRun) {
        func contents(_ name: String) -> Data? { FileManager.default.contents(atPath: "\(folder)/\(name)") }
        guard let settings = contents("run.yaml") else {
            throw UnreadableRun(description: "\(folder): holds no run: there is no run.yaml; a run's folder is named at the end of `train`")
        }
        do {
            try self.init(
                settings: String(decoding: settings, as: UTF8.self), history: contents("history.jsonl"), result: contents("result.json"))
        } catch {
            throw UnreadableRun(description: "\(folder)/\(error)")
        }
    }
}
