import ArgumentParser
import ProgramEntry
import Runtime

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Holds a part of the parameters of a run whose cluster.parameter_servers is 2 or more.",
        discussion: """
            To be started on hosts with a network card of their own. Servers that do not register in time are started by the \
            coordinator on its own host. Workers connect to --bind, so it names an address that they reach.
            """)

    @Option(help: "The coordinator's endpoint: tcp://HOST:PORT or ipc:///PATH.")
    var connect: String

    @Option(
        parsing: .unconditionalSingleValue,
        help: "Where workers and the coordinator connect to this server: tcp://ADDRESS:PORT or ipc:///PATH.")
    var bind: [String] = []

    @Option(help: "Update threads. Default: one per core, at most 8.")
    var threads: Int?

    @Option(help: "The name in messages. Default: host and process number.")
    var name: String?

    @Option(help: "Seconds to look for a coordinator that does not answer.")
    var patience = 600.0

    @OptionGroup var protection: ProtectionArguments

    @Option(help: .hidden)
    var parent: Int32?

    @Flag(help: .hidden)
    var protected = false

    @Option(help: .hidden)
    var shared: String?

    func validate() throws {
        if let threads, threads < 0 || threads == 0 && parent == nil {
            throw ValidationError("--threads must be 1 or more, got \(threads)")
        }
        if !(patience >= 0 && patience <= 1e9) { throw ValidationError("--patience must be in 0…1e9 seconds, got \(patience)") }
        for endpoint in [connect] + bind where !endpoint.hasPrefix("tcp://") && !endpoint.hasPrefix("ipc://") {
            throw ValidationError("an endpoint is tcp://HOST:PORT or ipc:///PATH, got \(endpoint)")
        }
        if bind.isEmpty { throw ValidationError("--bind is missing: where do workers connect to this server?") }
        if parent == nil {
            for endpoint in bind where endpoint.hasPrefix("tcp://*:") || endpoint.hasPrefix("tcp://0.0.0.0:") {
                throw ValidationError("--bind \(endpoint): workers have to reach it; name the address of this host")
            }
        }
    }

    func run() throws {
        let segments = try shared.map { text in
            guard let option = ServerSegmentsOption(text) else { throw ValidationError("--shared is for dnn-coord only") }
            return option
        }
        throw ExitCode(
            ServerProcess.run(
                ServerOptions(
                    endpoint: connect, binds: bind, threads: threads, name: name, patience: .seconds(patience), parent: parent,
                    keys: try keys(), isProtected: protected || protection.keys != nil && bind.contains { $0.hasPrefix("tcp://") },
                    shared: segments)))
    }

    private func keys() throws -> WorkerKeys? {
        guard parent == nil else { return nil }
        for endpoint in [connect] + bind { try protection.check(endpoint: endpoint, option: "--bind and --connect") }
        guard connect.hasPrefix("tcp://"), let folder = protection.keys else { return nil }
        do {
            for endpoint in bind where endpoint.hasPrefix("ipc://") { try SocketFolder.check(endpoint: endpoint) }
            return try WorkerKeys(folder: folder)
        } catch {
            throw ValidationError("\(error)")
        }
    }
}
