internal import Checkpoints
internal import Foundation
internal import OperatingSystem
internal import RunConfiguration
internal import Training

/// `dnn-coord resume`: continues the run of a folder from its last good checkpoint.
public struct ResumeCommand: Sendable {
    public var folder: String
    public var overrides: [String]
    public var options: CoordinatorOptions
    public var printsJSON: Bool

    public init(folder: String, overrides: [String], options: CoordinatorOptions, printsJSON: Bool) {
        self.folder = folder
        self.overrides = overrides
        self.options = options
        self.printsJSON = printsJSON
    }

    /// Continues; says everything that has to be said, and gives the exit code. To be called first in `main`, as `TrainCommand.run`.
    public func run() -> Int32 {
        RunExecution.reportingErrors {
            let signals = try SignalDescriptor()
            let folder = try RunFolder(resuming: RunExecution.absolute(folder))
            let configuration = try load(folder, overrides: overrides)
            let original = overrides.isEmpty ? configuration : try load(folder, overrides: [])
            try refuse(folder, ResumeCheck.obstacles(from: original.bitRelevantKeys, to: configuration.bitRelevantKeys))
            if let finished = FinishedRun(folder: folder), !finished.isShorter(than: configuration.training.epochs) {
                return try finished.show(isQuiet: options.isQuiet, printsJSON: printsJSON)
            }
            let store = try CheckpointStore<ProgressState>(folder: folder.checkpoints, keep: configuration.training.keptCheckpoints)
            let former = store.found.set?.manifest
            if let former {
                try refuse(folder, ResumeCheck.obstacles(from: former.coordinator.bitRelevantKeys, to: configuration.bitRelevantKeys))
            }
            let prepared = try PreparedRun(configuration)
            if let former { try refuse(folder, prepared.resumeCheck.obstacles(former.identity, former.coordinator)) }
            let start = try folder.begin(
                runFile: configuration.effectiveYAML, keeping: HistoryCut(lastJudged: former?.coordinator.stopping.judgedStep),
                after: UInt32(clamping: former?.incarnation ?? 0))
            return try RunExecution.run(
                RunExecution.Plan(run: prepared, options: options, signals: signals, printsJSON: printsJSON), folder: folder,
                beginning: RunBeginning(start: start, store: store))
        }
    }

    private func load(_ folder: RunFolder, overrides: [String]) throws(ProblemList) -> RunConfiguration {
        try RunConfiguration.load(path: folder.runFile, environment: ProcessInfo.processInfo.environment, overrides: overrides)
    }

    private func refuse(_ folder: RunFolder, _ obstacles: [String]) throws(RunFolderError) {
        guard obstacles.isEmpty else { throw .otherRun(folder.path, obstacles) }
    }
}

/// A run that has come to its planned end, as its result tells.
struct FinishedRun {
    private struct Result: Decodable {
        var outcome: String
        var steps: UInt64
        var epochs: Int
        var train: PartReport?
        var validation: PartReport?
        var test: PartReport?
        var weightsSHA256: String

        private enum CodingKeys: String, CodingKey {
            case outcome, steps, epochs, train, validation, test
            case weightsSHA256 = "weights_sha256"
        }
    }

    private let bytes: Data
    private let result: Result
    private let path: String

    /// nil while there is more to do: no result, one that can't be read, a run that failed or was interrupted.
    init?(folder: RunFolder) {
        guard let bytes = FileManager.default.contents(atPath: folder.result),
            let result = try? JSONDecoder().decode(Result.self, from: bytes), ["completed", "stopped_early"].contains(result.outcome)
        else { return nil }
        (self.bytes, self.result, path) = (bytes, result, folder.path)
    }

    /// Whether a run of so many epochs would have gone on.
    func isShorter(than epochs: Int) -> Bool {
        result.outcome == "completed" && result.epochs < epochs
    }

    func show(isQuiet: Bool, printsJSON: Bool) throws -> Int32 {
        if !isQuiet {
            printError("the run is over: \(result.outcome) after \(result.epochs) epochs, \(result.steps) steps")
            for (name, report) in [("train", result.train), ("validation", result.validation), ("test", result.test)] {
                guard let report else { continue }
                printError("\(name.padding(toLength: 11, withPad: " ", startingAt: 0))\(report.summary)  (\(report.samples) samples)")
            }
            printError("weights    \(result.weightsSHA256)")
            printError("folder     \(path)")
        }
        if printsJSON { try FileHandle.standardOutput.write(contentsOf: bytes) }
        return TrainCommand.ExitCode.completed
    }
}
