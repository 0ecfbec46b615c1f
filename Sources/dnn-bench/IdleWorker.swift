import ArgumentParser
import ProgramEntry
import Runtime

/// `dnn-worker` without computing, for what lies around it.
struct IdleWorker: ParsableCommand {
    static let name = "idle-worker"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Works for a benchmark's coordinator without computing.", shouldDisplay: false)

    @Option var connect: String
    @Option var threads = 1
    @Option var name: String?
    @Option var parent: Int32?
    @Option(
        transform: { text in
            guard let option = SharedSegmentsOption(text) else { throw ValidationError("--shared is for a coordinator only") }
            return option
        })
    var shared: SharedSegmentsOption?
    @OptionGroup var protection: ProtectionArguments

    func run() throws {
        let keys = try protection.keys.map { try WorkerKeys(folder: $0) }
        throw ExitCode(
            WorkerProcess.run(
                WorkerOptions(
                    endpoint: connect, threads: threads, name: name, patience: .seconds(60), parent: parent, shared: shared, keys: keys,
                    computes: false)))
    }
}
