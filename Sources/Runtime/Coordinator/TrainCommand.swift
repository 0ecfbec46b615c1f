internal import Foundation
internal import OperatingSystem
internal import RunConfiguration
internal import Training

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
        do {
            let signals = try SignalDescriptor()
            let prepared = try Self.prepare(runFile, overrides: overrides)
            let folder = try RunFolder(
                creating: absolute(output ?? "runs/\(prepared.configuration.name)"), runFile: prepared.configuration.effectiveYAML)
            let process = try CoordinatorProcess(prepared, folder: folder, options: options, signals: signals)
            process.stepObserver = stepObserver
            let result = try process.execute()
            if printsJSON { try FileHandle.standardOutput.write(contentsOf: Data(process.resultJSON)) }
            let code = exitCode(of: process.ending?.outcome, result: result)
            return code == ExitCode.completed && !process.isSaved ? ExitCode.failed : code
        } catch let error as ProblemList {
            printError("\(error)")
            return ExitCode.badInput
        } catch let error as RunFolderError {
            printError("dnn-coord: \(error)")
            return ExitCode.badInput
        } catch let error as EndpointError {
            printError("dnn-coord: \(error)")
            return ExitCode.badInput
        } catch {
            printError("dnn-coord: \(error)")
            return ExitCode.failed
        }
    }

    private func exitCode(of outcome: Ending.Outcome?, result: RunResult) -> Int32 {
        switch outcome {
        case .completed, .stoppedEarly: ExitCode.completed
        case .interrupted(let signal): 128 + signal
        case .failed, nil: ExitCode.failed
        }
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
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
