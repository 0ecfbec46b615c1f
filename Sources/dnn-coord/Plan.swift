import ArgumentParser
import Runtime

struct Plan: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Predicts the step time of a run on a cluster, and says what would make it faster.",
        discussion: """
            Measures this machine for a few seconds – the run's own net and rule, real messages – and plays steps of such machines in \
            simulated time. Without --bandwidth everybody is on this host.
            """)

    @OptionGroup var file: RunFileArguments

    @Option(help: "Workers.")
    var workers: Int

    @Option(
        help: "Bits per second of every host's network card: 100M, 10G. Every worker and every server then has a host of its own.",
        transform: { text in
            guard let bandwidth = PlanCommand.bandwidth(text) else {
                throw ValidationError("--bandwidth must be a number of bits per second such as 100M or 10G, got \(text)")
            }
            return bandwidth
        })
    var bandwidth: Double?

    @Option(help: "Microseconds that a byte is on its way.")
    var latency = 50.0

    @Option(help: "Compute threads of each worker.")
    var threads = 1

    @Option(help: "Parameter servers; without it as many as the run file has.")
    var servers: Int?

    @Flag(help: "With --bandwidth: everybody shares this host's cores all the same, as in a laboratory of namespaces.")
    var sharedHost = false

    @Flag(inversion: .prefixedNo, help: "The wire in bf16, or in f32; without it as the run file has it.")
    var bf16Wire: Bool?

    @Flag(help: "Prints JSON.")
    var json = false

    func validate() throws {
        if workers < 1 || workers > 100_000 { throw ValidationError("--workers must be in 1…100000, got \(workers)") }
        if threads < 1 { throw ValidationError("--threads must be 1 or more, got \(threads)") }
        if let servers, servers < 1 || servers > 1_024 { throw ValidationError("--servers must be in 1…1024, got \(servers)") }
        if !(latency >= 0 && latency <= 1e7) { throw ValidationError("--latency must be in 0…1e7 microseconds, got \(latency)") }
        if sharedHost, bandwidth == nil { throw ValidationError("--shared-host goes with --bandwidth") }
    }

    func run() throws {
        throw ExitCode(
            PlanCommand(
                runFile: file.runFile, overrides: file.overrides, workers: workers, threads: threads, servers: servers,
                bandwidth: bandwidth, latency: latency, sharesHost: sharedHost, halvesWire: bf16Wire, printsJSON: json
            ).run())
    }
}
