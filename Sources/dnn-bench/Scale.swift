import ArgumentParser
import Runtime

struct Scale: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the real coordinator and server against many simulated workers.",
        discussion: """
            The workers compute nothing; their sessions, sockets and message sizes are real. They lie in one further process, which \
            needs 4 open files for each worker; the coordinator needs 2.
            """)

    @Option(help: "Simulated workers.")
    var workers = 1_000

    @Option(help: "Parameters, in thousands rounded down, at least 10,000.")
    var parameters = 10_000

    @Option(help: "Virtual shards. Default: the least power of two that is not less than the workers.")
    var virtualShards: Int?

    @Option(help: "Steps to measure, behind a warm-up of a fifth as many.")
    var steps = 50

    @Flag(help: "Connects over ipc instead of the loopback address.")
    var ipc = false

    @Flag(help: "Prints JSON.")
    var json = false

    func validate() throws {
        if workers < 1 || workers > 65_536 { throw ValidationError("--workers must be in 1…65536, got \(workers)") }
        if parameters < 10_000 { throw ValidationError("--parameters must be 10000 or more, got \(parameters)") }
        if steps < 1 { throw ValidationError("--steps must be 1 or more, got \(steps)") }
    }

    func run() throws {
        let benchmark = ScaleBenchmark(
            workers: workers, parameters: parameters / 1_000 * 1_000, virtualShards: virtualShards, steps: steps, usesTCP: !ipc,
            program: try .running(SimulateWorkers.name))
        guard let result = try benchmark.run() else { throw ExitCode.failure }
        if json { return try result.printJSON() }
        print("\(workers) workers, V = \(result.virtualShards), \(result.parameters) parameters: \(figure(result.stepsPerSecond)) steps/s")
        print("step \(result.timing); the coordinator's CPU \(figure(result.coordinatorCPUMsPerStep)) ms per step")
        print(
            "all there after \(figure(result.joinSeconds)) s; the coordinator's peak memory \(Int(result.coordinatorPeakMegabytes)) MB, "
                + "gradients in flight at most \(Int(result.inFlightBoundMegabytes)) MB of it")
    }
}

/// The other side of `scale`.
struct SimulateWorkers: ParsableCommand {
    static let name = "simulate-workers"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Simulates workers for a benchmark's coordinator.", shouldDisplay: false)

    @Option var connect: String
    @Option var workers: Int
    @Option var parent: Int32

    func run() throws {
        throw ExitCode(SimulatedWorkers(endpoint: connect, count: workers, parent: parent).run())
    }
}
