public import ArgumentParser
public import Runtime

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures a saved net on the test rows of a run file.",
        discussion: "Takes the test rows, or the validation rows where there is no test. With the run's own run.yaml the figures are "
            + "those of its result.json, bit for bit.")

    @Argument(help: "The net: a run folder's model.safetensors.")
    var model: String

    @Option(help: ArgumentHelp("The run file that says where the rows are.", valueName: "run.yaml"))
    var data: String

    @Option(
        name: .customLong("set"), parsing: .unconditionalSingleValue,
        help: "Overrides a key of the run file: data.test='{fraction: 0.2}'. Repeatable.")
    var overrides: [String] = []

    @Option(help: "Compute threads. Default: one per core.")
    var threads: Int?

    @Flag(help: "Prints the figures as JSON, under the names of result.json.")
    var json = false

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more, got \(threads)") }
    }

    func run() throws {
        throw ExitCode(EvaluateCommand(model: model, runFile: data, overrides: overrides, threads: threads, printsJSON: json).run())
    }
}

struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says what saved nets make of the rows of a file.",
        discussion: "Writes CSV: row,class,p_<name>… for classes, row,value for values; rows are counted from 0. The input may hold "
            + "labels; they are not looked at. For idx and npy it is the features file. Several nets are combined into one answer.")

    @Argument(help: "The nets: model.safetensors of one or more run folders.")
    var models: [String]

    @Option(help: ArgumentHelp("The rows, plain or gzip; - is standard input.", valueName: "file"))
    var input: String

    @Option(help: ArgumentHelp("The CSV file to write; - is standard output.", valueName: "file"))
    var output: String

    @Option(help: "The input's format: \(PredictCommand.formats.joined(separator: ", ")). Default: recognised by content and name.")
    var format: String?

    @Option(help: "How several nets answer: mean of their probabilities or values, or vote.")
    var combine = PredictCommand.Combination.mean

    @Option(help: "Averages so many dropout masks instead of switching dropout off.")
    var masks: Int?

    @Option(help: "Compute threads. Default: one per core.")
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more, got \(threads)") }
        if let masks, masks < 1 { throw ValidationError("--masks must be 1 or more, got \(masks)") }
        if let format, !PredictCommand.formats.contains(format) {
            throw ValidationError("--format must be one of \(PredictCommand.formats.joined(separator: ", ")), got \(format)")
        }
    }

    func run() throws {
        let command = PredictCommand(
            models: models, input: input, format: format, output: output, combination: combine, masks: masks, threads: threads)
        throw ExitCode(command.run())
    }
}

extension PredictCommand.Combination: ExpressibleByArgument {}
