internal import Diagnosis
internal import Foundation
internal import OperatingSystem

/// `dnn-coord diagnose`: the verdict on a run, from what its folder holds.
public struct DiagnoseCommand: Sendable {
    public var folder: String
    public var printsJSON: Bool
    /// Who computes gradients to look at the loss around the final weights as well, which needs the run's data; nil: nobody looks.
    public var curvature: CoordinatorOptions?

    public init(folder: String, printsJSON: Bool, curvature: CoordinatorOptions? = nil) {
        self.folder = folder
        self.printsJSON = printsJSON
        self.curvature = curvature
    }

    private struct Answer: Encodable {
        var diagnosis: Diagnosis
        var curvature: Curvature?

        private enum CodingKeys: String, CodingKey {
            case curvature
        }

        func encode(to encoder: any Encoder) throws {
            try diagnosis.encode(to: encoder)
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encodeIfPresent(curvature, forKey: .curvature)
        }
    }

    /// To be called first in `main` where it looks at the curvature: it blocks signals for all threads to come.
    public func run() -> Int32 {
        do {
            var answer = Answer(diagnosis: Diagnosis(try RunEvidence(folder: folder)))
            if let curvature {
                let signals = try SignalDescriptor()
                answer.curvature = try CurvatureRun(folder: folder).curvature(options: curvature, signals: signals)
            }
            try report(answer, lines: { $0.diagnosis.lines + ($0.curvature?.lines ?? []) }, asJSON: printsJSON)
            return TrainCommand.ExitCode.completed
        } catch let error as UnfinishedLook {
            printError("dnn-coord: \(error)")
            return error.exitCode
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
