import ArgumentParser
import Runtime

struct Diagnose: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Says what is wrong with a run, on what evidence, and what to try next.")

    @Argument(help: "A run folder, also of a run that failed.")
    var folder: String

    @Flag(help: "Tells a minimum from a saddle from a plateau at the final weights; computes gradients over all training rows.")
    var curvature = false

    @Option(help: "Compute threads for --curvature. Default: one per core.")
    var threads: Int?

    @Flag(help: "Prints the verdict as JSON.")
    var json = false

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more, got \(threads)") }
    }

    func run() throws {
        throw ExitCode(DiagnoseCommand(folder: folder, printsJSON: json, withCurvature: curvature, threads: threads).run())
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
