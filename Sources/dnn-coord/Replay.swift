import ArgumentParser
import Runtime

struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Computes the weights of a run in an inexact mode again, from the order that it has logged.",
        discussion: "In one process, whatever the run's workers were. Exits with 0 if the weights are the run's, with 1 if they are not.")

    @Argument(help: "The folder of a run that has ended.")
    var folder: String

    @Option(help: "Compute threads. Default: one per core.")
    var threads: Int?

    @Flag(help: "Prints the verdict as JSON.")
    var json = false

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more, got \(threads)") }
    }

    func run() throws {
        throw ExitCode(ReplayCommand(folder: folder, threads: threads, printsJSON: json).run())
    }
}
