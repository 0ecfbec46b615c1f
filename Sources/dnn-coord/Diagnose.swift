import ArgumentParser
import Runtime

struct Diagnose: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Says what is wrong with a run, on what evidence, and what to try next.")

    @Argument(help: "A run folder, also of a run that failed.")
    var folder: String

    @Flag(help: "Tells a minimum from a saddle from a plateau at the final weights; workers compute gradients over all training rows.")
    var curvature = false

    @OptionGroup(title: "Options for --curvature") var workers: WorkerArguments

    @Flag(help: "Prints the verdict as JSON.")
    var json = false

    func run() throws {
        let command = DiagnoseCommand(
            folder: folder, printsJSON: json, curvature: curvature ? try workers.options(isQuiet: workers.bind == nil) : nil)
        throw ExitCode(command.run())
    }
}

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Says which of two runs is better, and whether in training or on other data.")

    @Argument(help: "A run folder.")
    var first: String

    @Argument(help: "Another one.")
    var second: String

    @Flag(help: "Prints both verdicts and the conclusion as JSON.")
    var json = false

    func run() throws {
        throw ExitCode(CompareCommand(first: first, second: second, printsJSON: json).run())
    }
}
