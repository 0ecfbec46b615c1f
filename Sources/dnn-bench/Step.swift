import ArgumentParser
import Runtime

struct Step: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times whole training steps: the real coordinator and worker processes on random data.")

    @Option(
        help: """
            tiny: 64-64-10, batch 64; small: 784-512-512-10 with dropout, batch 128; wide: 784-2048-2048-10, batch 512; \
            deep: 784-19×256-10, batch 256; cnn: two convolutions on 28×28, batch 128; digits: the example.
            """)
    var workload = Workload.small

    @Option(help: "Worker processes.")
    var workers = 2

    @Option(help: "Compute threads of each worker.")
    var threads = 1

    @Option(help: "Steps to measure, behind a warm-up of a fifth as many.")
    var steps: Int?

    @Option(help: "Virtual shards. Default: what a run file without the key gets.")
    var virtualShards: Int?

    @Option(help: "Bytes of a chunk of parameters, a multiple of 65536.")
    var chunkBytes: Int?

    @Option(help: "f32, or bf16 where the processor has it.")
    var precision = "f32"

    @Option(
        help: """
            local: ipc and shared memory; messages: ipc, payload in messages; tcp: over the loopback address; curve: the same, encrypted.
            """)
    var transport = BenchmarkTransport.local

    @OptionGroup var mode: ModeArguments

    @Flag(help: "Runs the first worker on core 0 only, the next on core 1, …; begin with `taskset -c 0` to pin the server too.")
    var pinWorkers = false

    @Flag(help: "Measures the figures of the verdict too: norms in every second step, a validation after every 20.")
    var figures = false

    @Flag(help: "Prints JSON.")
    var json = false

    func run() throws {
        let benchmark = StepBenchmark(
            workload: workload, workers: workers, threads: threads, steps: steps, virtualShards: virtualShards, chunkBytes: chunkBytes,
            transport: transport, settings: mode.settings(precision: precision), pinsWorkers: pinWorkers,
            measuresFigures: figures)
        guard let result = try benchmark.run() else { throw ExitCode.failure }
        if json { return try result.printJSON() }
        print("\(workload.rawValue), \(workers) workers × \(threads): \(figure(result.msPerStep)) ms per step")
        print(
            "median \(figure(result.medianMsPerStep)), fastest tenth \(figure(result.fastestTenthMs)), "
                + "slowest tenth \(figure(result.slowestTenthMs)); first step \(figure(result.firstStepMs))")
        print("\(Int(result.samplesPerSecond)) samples/s over \(result.steps) steps")
        if let figures = result.figures {
            let norms = "\(figure(figures.normsMilliseconds)) ms of the coordinator in the step that is measured"
            print("norms: \(norms), \(figure(figures.normsShare * 100)) % of it")
            print("validation without held-out rows: \(figure(figures.validationMilliseconds)) ms")
        }
    }
}
