import ArgumentParser
import ProgramEntry
import Runtime

/// The head node's program.
@main
struct DnnCoord: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dnn-coord",
        abstract: "Trains a deep net on worker processes: the same weights, bit for bit, for any number of them.",
        version: Release.version,
        subcommands: [
            Train.self, Resume.self, Serve.self, Check.self, Plan.self, Keygen.self, Evaluate.self, Predict.self, Diagnose.self,
            Compare.self, Replay.self,
        ])

    static func main() {
        runAsProgram()
    }
}

struct RunFileArguments: ParsableArguments {
    @Argument(help: "The run file (YAML).")
    var runFile: String

    @Option(
        name: .customLong("set"), parsing: .unconditionalSingleValue,
        help: "Overrides a key of the run file: training.epochs=3. Repeatable.")
    var overrides: [String] = []
}

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Trains the net that a run file describes.")

    @OptionGroup var file: RunFileArguments

    @OptionGroup var start: StartArguments

    @Option(help: "The run folder. Default: runs/<name>.")
    var output: String?

    func run() throws {
        let command = TrainCommand(
            runFile: file.runFile, overrides: file.overrides, output: output,
            options: try start.options(), printsJSON: start.json)
        throw ExitCode(command.run())
    }
}

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Validates a run file with its data and prints what it understood.")

    @OptionGroup var file: RunFileArguments

    func run() throws {
        throw ExitCode(CheckCommand.run(runFile: file.runFile, overrides: file.overrides))
    }
}
