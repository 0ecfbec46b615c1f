import ArgumentParser
import ProgramEntry
import Runtime

/// Who computes.
struct WorkerArguments: ParsableArguments {
    @Option(help: "Workers to start on this host; 0 waits for others only. Default: as many as can share a step and have cores.")
    var workers: Int?

    @Option(help: "Compute threads of each local worker.")
    var threads = 1

    @Option(help: "Takes workers of other hosts as well: tcp://ADDRESS:PORT (port 0 chooses one) or ipc:///PATH.")
    var bind: String?

    @OptionGroup var protection: ProtectionArguments

    func validate() throws {
        if let workers, workers < 0 { throw ValidationError("--workers must be 0 or more, got \(workers)") }
        if threads < 1 { throw ValidationError("--threads must be 1 or more, got \(threads)") }
        if workers == 0, bind == nil { throw ValidationError("--workers 0 needs --bind: there would be nobody to compute") }
    }

    func options(isQuiet: Bool) throws -> CoordinatorOptions {
        CoordinatorOptions(
            workers: workers, threads: threads, bind: bind, protection: try protection.ofCoordinator(bind: bind), isQuiet: isQuiet)
    }
}

/// What every start of a run may say of its own: nothing of it touches the run's bits.
struct StartArguments: ParsableArguments {
    @OptionGroup var workers: WorkerArguments

    @Option(
        help: """
            Parameter servers to start on this host at once, beside the coordinator's own. Default: all without --bind; with it, those that \
            have not registered within 10 s.
            """)
    var localServers: Int?

    @Option(
        help: ArgumentHelp(
            "Lets a second worker compute this share of the leaves and compares the bits, 0…1; a difference ends the run and names both.",
            valueName: "fraction"))
    var audit = 0.0

    @Flag(help: "Says nothing but warnings.")
    var quiet = false

    @Flag(help: "Prints result.json on standard output.")
    var json = false

    func validate() throws {
        if let localServers, localServers < 0 { throw ValidationError("--local-servers must be 0 or more, got \(localServers)") }
        if !(audit >= 0 && audit <= 1) { throw ValidationError("--audit must be in 0…1, got \(audit)") }
    }

    func options() throws -> CoordinatorOptions {
        var options = try workers.options(isQuiet: quiet)
        options.servers = localServers
        options.auditFraction = audit
        return options
    }
}
