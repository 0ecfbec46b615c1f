import ArgumentParser
import ProgramEntry
import Runtime

/// What every start of a run may say of its own: nothing of it touches the run's bits.
struct StartArguments: ParsableArguments {
    @Option(help: "Workers to start on this host; 0 waits for others only. Default: as many as can share a step and have cores.")
    var workers: Int?

    @Option(help: "Compute threads of each local worker.")
    var threads = 1

    @Option(help: "Takes workers of other hosts as well: tcp://ADDRESS:PORT (port 0 chooses one) or ipc:///PATH.")
    var bind: String?

    @Option(
        help: """
            Parameter servers to start on this host at once, beside the coordinator's own. Default: all without --bind; with it, those that \
            have not registered within 10 s.
            """)
    var localServers: Int?

    @OptionGroup var protection: ProtectionArguments

    @Flag(help: "Says nothing but warnings.")
    var quiet = false

    @Flag(help: "Prints result.json on standard output.")
    var json = false

    func validate() throws {
        if let workers, workers < 0 { throw ValidationError("--workers must be 0 or more, got \(workers)") }
        if let localServers, localServers < 0 { throw ValidationError("--local-servers must be 0 or more, got \(localServers)") }
        if threads < 1 { throw ValidationError("--threads must be 1 or more, got \(threads)") }
        if workers == 0, bind == nil { throw ValidationError("--workers 0 needs --bind: there would be nobody to compute") }
    }

    func options() throws -> CoordinatorOptions {
        CoordinatorOptions(
            workers: workers, threads: threads, bind: bind, protection: try protection.ofCoordinator(bind: bind), isQuiet: quiet,
            servers: localServers)
    }
}
