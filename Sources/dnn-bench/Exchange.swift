import ArgumentParser
import Runtime

struct Exchange: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times push, reduction, Adam and pull without any computing, through the real server and real workers.")

    @Option(help: "Millions of parameters.")
    var megafloats = 25.0

    @Option(help: "Worker processes.")
    var workers = 2

    @Option(help: "Rounds to measure, behind a warm-up of a fifth as many.")
    var rounds: Int?

    @Option(help: "As in `step`.")
    var transport = BenchmarkTransport.local

    @Option(help: "Bytes of a chunk of parameters, a multiple of 65536.")
    var chunkBytes: Int?

    @OptionGroup var mode: ModeArguments

    @Flag(help: "Prints JSON.")
    var json = false

    func run() throws {
        let benchmark = ExchangeBenchmark(
            megafloats: megafloats, workers: workers, rounds: rounds, transport: transport, chunkBytes: chunkBytes,
            settings: mode.settings(), program: try .idle())
        guard let result = try benchmark.run() else { throw ExitCode.failure }
        if json { return try result.printJSON() }
        print("\(result.floats) floats, \(workers) workers, \(transport.rawValue): \(result.timing)")
        print("\(figure(result.gigabytesPerSecond)) GB/s through the server")
    }
}

struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Times the distribution of the training rows to the workers.")

    @Option(help: "Megabytes of rows.")
    var megabytes = 200

    @Option(help: "Worker processes.")
    var workers = 2

    @Option(help: "As in `step`.")
    var transport = BenchmarkTransport.local

    @Flag(help: "Prints JSON.")
    var json = false

    func run() throws {
        let benchmark = LoadBenchmark(megabytes: megabytes, workers: workers, transport: transport, program: try .idle())
        guard let result = try benchmark.run() else { throw ExitCode.failure }
        if json { return try result.printJSON() }
        print(
            "\(figure(result.megabytes)) MB to \(workers) workers, \(transport.rawValue): \(figure(result.seconds)) s, "
                + "\(Int(result.megabytesPerSecond)) MB/s")
        print("the second epoch, nothing to load: \(figure(result.secondEpochSeconds)) s; first step \(figure(result.firstStepMs)) ms")
    }
}
