import ArgumentParser
import ProgramEntry
import Runtime

/// Each machine's program: computes gradients for a coordinator.
@main
struct DnnWorker: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dnn-worker", abstract: "Computes gradients for a dnn-coord, wherever it is.", version: Release.version)

    @Option(help: "The coordinator's endpoint: tcp://HOST:PORT or ipc:///PATH.")
    var connect: String

    @Option(help: "Compute threads.")
    var threads = 1

    @Option(help: "The name in messages. Default: host and process number.")
    var name: String?

    @Option(help: "Seconds to look for a coordinator that does not answer.")
    var patience = 600.0

    @OptionGroup var protection: ProtectionArguments

    @Option(help: .hidden)
    var parent: Int32?

    @Option(
        help: .hidden,
        transform: { text in
            guard let option = SharedSegmentsOption(text) else { throw ValidationError("--shared is for dnn-coord only") }
            return option
        })
    var shared: SharedSegmentsOption?

    func validate() throws {
        if threads < 1 { throw ValidationError("--threads must be 1 or more, got \(threads)") }
        if !(patience >= 0 && patience <= 1e9) { throw ValidationError("--patience must be in 0…1e9 seconds, got \(patience)") }
        if !connect.hasPrefix("tcp://"), !connect.hasPrefix("ipc://") {
            throw ValidationError("--connect must be tcp://HOST:PORT or ipc:///PATH, got \(connect)")
        }
    }

    func run() throws {
        throw ExitCode(
            WorkerProcess.run(
                WorkerOptions(
                    endpoint: connect, threads: threads, name: name, patience: .seconds(patience), parent: parent, shared: shared,
                    keys: try workerKeys())))
    }

    private func workerKeys() throws -> WorkerKeys? {
        try protection.check(endpoint: connect, option: "--connect")
        guard connect.hasPrefix("tcp://") || parent != nil, let folder = protection.keys else { return nil }
        do {
            return try WorkerKeys(folder: folder)
        } catch {
            throw ValidationError("\(error)")
        }
    }

    static func main() {
        runAsProgram()
    }
}
