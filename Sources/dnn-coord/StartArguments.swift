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

    @Flag(help: "Says nothing but warnings.")
    var quiet = false

    @Flag(help: "Prints result.json on standard output.")
    var json = false

    func options() throws -> CoordinatorOptions {
        try workers.options(isQuiet: quiet)
    }
}
