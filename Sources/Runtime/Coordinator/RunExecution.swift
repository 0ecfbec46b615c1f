internal import Checkpoints
internal import Foundation
internal import OperatingSystem
internal import RunConfiguration
internal import Training

/// What the commands that train have in common.
enum RunExecution {
    /// Starts in a row that lose a parameter server without a step more in a checkpoint.
    private static let restartsWithoutStep = 3

    /// What a start of a run is made from.
    struct Plan {
        var run: PreparedRun
        var options: CoordinatorOptions
        var signals: SignalDescriptor
        var printsJSON: Bool
        /// Told when a version is complete; for benchmarks.
        var stepObserver: ((UInt64, Duration) -> Void)?
    }

    /// Runs to the end and gives the exit code; goes back to the last checkpoint whenever a parameter server is lost.
    static func run(_ plan: Plan, folder: RunFolder, beginning: RunBeginning) throws -> Int32 {
        var (plan, beginning) = (plan, beginning)
        var losses = 0
        while true {
            switch try start(&plan, folder: folder, beginning: beginning) {
            case .over(let code): return code
            case .lost(let name):
                let former = beginning.former.map(\.coordinator.step)
                beginning = try again(plan, folder: folder)
                let latest = beginning.former.map(\.coordinator.step)
                losses = latest == former ? losses + 1 : 1
                guard losses <= restartsWithoutStep else {
                    printError(
                        "dnn-coord: parameter server \(name) is lost, \(losses) times in a row since the last checkpoint; "
                            + "its log is in \(folder.logs); `dnn-coord resume \(folder.path)` goes on")
                    return TrainCommand.ExitCode.failed
                }
                let place = latest.map { "the checkpoint of step \($0)" } ?? "the beginning, as there is no checkpoint yet"
                printError("dnn-coord: goes on from \(place), with parameter servers started anew")
            }
        }
    }

    private enum Outcome {
        case over(code: Int32)
        case lost(server: String)
    }

    /// One start; its sockets and processes are gone when this returns.
    private static func start(_ plan: inout Plan, folder: RunFolder, beginning: RunBeginning) throws -> Outcome {
        let process = try CoordinatorProcess(
            plan.run, folder: folder, beginning: beginning, options: plan.options, signals: plan.signals)
        process.stepObserver = plan.stepObserver
        // Workers and servers of other hosts look for the next start where this one was.
        if let bound = process.boundEndpoint {
            if plan.options.bind?.hasSuffix(":0") ?? false { plan.options.isPortChosen = true }
            plan.options.bind = bound
        }
        let code = try run(process, printsJSON: plan.printsJSON)
        if let name = process.lostServer, process.interruption == nil { return .lost(server: name) }
        return .over(code: code)
    }

    /// The state of the last checkpoint, for another start.
    private static func again(_ plan: Plan, folder: RunFolder) throws -> RunBeginning {
        let store = try CheckpointStore<ProgressState>(
            folder: folder.checkpoints, keep: plan.run.configuration.training.keptCheckpoints)
        let former = store.found.set?.manifest
        let start = try folder.begin(
            runFile: plan.run.configuration.effectiveYAML, keeping: HistoryCut(lastJudged: former?.coordinator.stopping.judgedStep),
            after: UInt32(clamping: former?.incarnation ?? 0))
        return RunBeginning(start: start, store: store)
    }

    private static func run(_ process: CoordinatorProcess, printsJSON: Bool) throws -> Int32 {
        guard try process.execute() != nil else { return process.interruption ?? TrainCommand.ExitCode.failed }
        if printsJSON { try FileHandle.standardOutput.write(contentsOf: Data(process.resultJSON)) }
        switch process.ending?.outcome {
        case .completed, .stoppedEarly: return process.isSaved ? TrainCommand.ExitCode.completed : TrainCommand.ExitCode.failed
        case .interrupted(let signal): return 128 + signal
        case .failed, nil: return TrainCommand.ExitCode.failed
        }
    }

    /// Says what went wrong, and gives the exit code of a program.
    static func reportingErrors(_ body: () throws -> Int32) -> Int32 {
        do {
            return try body()
        } catch let error as ProblemList {
            printError("\(error)")
            return TrainCommand.ExitCode.badInput
        } catch {
            printError("dnn-coord: \(error)")
            let isInput = error is RunFolderError || error is EndpointError || error is CheckpointError
            return isInput ? TrainCommand.ExitCode.badInput : TrainCommand.ExitCode.failed
        }
    }

    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}
