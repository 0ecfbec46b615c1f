import ArgumentParser
import Runtime

struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Continues a run from its last good checkpoint, to the same weights as without the interruption.",
        discussion: "Workers, threads, endpoints and cluster settings may change; what the resulting bits depend on may not.")

    @Argument(help: "The run folder.")
    var folder: String

    @Option(
        name: .customLong("set"), parsing: .unconditionalSingleValue,
        help: "Overrides a key of the folder's run.yaml: cluster.heartbeat_ms=200. Repeatable.")
    var overrides: [String] = []

    @OptionGroup var start: StartArguments

    func run() throws {
        let command = ResumeCommand(folder: folder, overrides: overrides, options: try start.options(), printsJSON: start.json)
        throw ExitCode(command.run())
    }
}
