import ArgumentParser
import ProgramEntry
import Runtime

struct Keygen: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes the keys that protect connections between hosts.",
        discussion: """
            A new folder gets the coordinator's keys, and a worker.key that all workers may share. --worker makes a key for one host \
            alone, so that it can be revoked alone: by removing DIR/workers/NAME.pub, which takes effect at once.
            """)

    @Argument(help: "The folder for the keys; made with mode 0700, its files with mode 0600.")
    var folder: String

    @Option(
        name: .customLong("worker"), parsing: .unconditionalSingleValue,
        help: "A host that gets a key of its own, in DIR/hosts/NAME. Repeatable.")
    var workers: [String] = []

    func run() throws {
        throw ExitCode(KeygenCommand.run(folder: folder, workers: workers))
    }
}

extension ProtectionArguments {
    /// The keys for `--bind`; an endpoint that is not protected is refused.
    func ofCoordinator(bind: String?) throws -> LinkProtection {
        do {
            if let bind, bind.hasPrefix("ipc://"), !insecure { try SocketFolder.check(endpoint: bind) }
            if let bind { try check(endpoint: bind, option: "--bind") }
            guard let keys else { return .none }
            return .keys(try CoordinatorKeys(folder: keys))
        } catch let error as KeyError {
            throw ValidationError("\(error)")
        }
    }
}
