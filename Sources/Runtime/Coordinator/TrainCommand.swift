internal import Checkpoints
internal import Foundation
internal import OperatingSystem
internal import RunConfiguration

/// `dnn-coord train`: what the command line says.
public struct TrainCommand: Sendable {
    public var runFile: String
    public var overrides: [String]
    /// nil: runs/<name> in the current folder.
    public var output: String?
    public var options: CoordinatorOptions
    public var printsJSON: Bool

    public init(runFile: String, overrides: [String], output: String?, options: CoordinatorOptions, printsJSON: Bool) {
        self.runFile = runFile
        self.overrides = overrides
        self.output = output
        self.options = options
        self.printsJSON = printsJSON
    }

    /// Exit codes of the programs (definitions.md).
    public enum ExitCode {
        public static let completed: Int32 = 0
        public static let failed: Int32 = 1
        public static let badInput: Int32 = 2
    }

    /// Trains; says everything that has to be said, and gives the exit code. To be called first in `main`: it blocks signals for all
    /// threads to come.
    public func run(stepObserver: ((UInt64, Duration) -> Void)? = nil) -> Int32 {
        RunExecution.reportingErrors {
            let signals = try SignalDescriptor()
            let prepared = try Self.prepare(runFile, overrides: overrides)
            let folder = try RunFolder(creating: RunExecution.absolute(output ?? "runs/\(prepared.configuration.name)"))
            let start = try folder.begin(runFile: prepared.configuration.effectiveYAML, keeping: HistoryCut(), after: nil)
            let store = try CheckpointStore<ProgressState>(
                folder: folder.checkpoints, keep: prepared.configuration.training.keptCheckpoints)
            return try RunExecution.run(
                RunExecution.Plan(
                    run: prepared, options: options, signals: signals, printsJSON: printsJSON, stepObserver: stepObserver),
                folder: folder, beginning: RunBeginning(start: start, store: store))
        }
    }

    static func prepare(_ runFile: String, overrides: [String]) throws(ProblemList) -> PreparedRun {
        try PreparedRun(
            RunConfiguration.load(path: runFile, environment: ProcessInfo.processInfo.environment, overrides: overrides))
    }
}

/// `dnn-coord check`: validates a run file with its data and prints what was understood.
public enum CheckCommand {
    public static func run(runFile: String, overrides: [String]) -> Int32 {
        do {
            let prepared = try TrainCommand.prepare(runFile, overrides: overrides)
            print(prepared.overview)
            return TrainCommand.ExitCode.completed
        } catch {
            printError("\(error)")
            return TrainCommand.ExitCode.badInput
        }
    }
}
