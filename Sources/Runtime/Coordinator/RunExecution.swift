internal import Checkpoints
internal import Foundation
internal import RunConfiguration
internal import Training

/// What the commands that train have in common.
enum RunExecution {
    /// Runs to the end and gives the exit code.
    static func run(_ process: CoordinatorProcess, printsJSON: Bool) throws -> Int32 {
        _ = try process.execute()
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
