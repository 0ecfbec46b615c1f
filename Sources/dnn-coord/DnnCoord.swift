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
        subcommands: [Train.self, Check.self, Keygen.self, Evaluate.self, Predict.self, Diagnose.self, Compare.self])

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

    @Option(help: "Workers to start on this host; 0 waits for others only. Default: as many as can share a step and have cores.")
    var workers: Int?

    @Option(help: "Compute threads of each local worker.")
    var threads = 1

    @Option(help: "Takes workers of other hosts as well: tcp://ADDRESS:PORT (port 0 chooses one) or ipc:///PATH.")
    var bind: String?

    @OptionGroup var protection: ProtectionArguments

    @Option(help: "The run folder. Default: runs/<name>.")
    var output: String?

    @Flag(help: "Says nothing but warnings.")
    var quiet = false

    @Flag(help: "Prints result.json on standard output.")
    var json = false

    func validate() throws {
        if let workers, workers < 0 { throw ValidationError("--workers must be 0 or more, got \(workers)") }
        if threads < 1 { throw ValidationError("--threads must be 1 or more, got \(threads)") }
        if workers == 0, bind == nil { throw ValidationError("--workers 0 needs --bind: there would be nobody to compute") }
    }

    func run() throws {
        let command = TrainCommand(
            runFile: file.runFile, overrides: file.overrides, output: output,
            options: CoordinatorOptions(
                workers: workers, threads: threads, bind: bind, protection: try protection.ofCoordinator(bind: bind), isQuiet: quiet),
            printsJSON: json)
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
