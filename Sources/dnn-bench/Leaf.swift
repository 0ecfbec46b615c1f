import ArgumentParser
import Runtime

struct Leaf: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times one worker's compute alone, and its share of the best matrix product of this machine.")

    @Option(help: "As in `step`.")
    var workload = Workload.small

    @Option(help: "Virtual shards. Default: what a run file without the key gets.")
    var virtualShards: Int?

    @Option(help: "Workers who share the shards; the first one's are computed.")
    var workers = 2

    @Option(help: "Compute threads.")
    var threads = 1

    @Option(help: "Times to measure.")
    var repetitions: Int?

    @Option(help: "f32, or bf16 where the processor has it.")
    var precision = "f32"

    @Option(help: "Computes so many steps and measures nothing: for tools that count instructions or allocations.")
    var only: Int?

    @Flag(help: "Prints JSON.")
    var json = false

    func validate() throws {
        if workers < 1 || threads < 1 { throw ValidationError("--workers and --threads must be 1 or more") }
        if let repetitions, repetitions < 1 { throw ValidationError("--repetitions must be 1 or more, got \(repetitions)") }
    }

    func run() throws {
        let benchmark = LeafBenchmark(
            workload: workload, workers: workers, threads: threads, virtualShards: virtualShards, repetitions: repetitions,
            precision: precision)
        if let only { return try benchmark.compute(steps: only) }
        let result = try benchmark.run()
        if json { return try result.printJSON() }
        print("\(workload.rawValue), \(result.leaves) of \(result.virtualShards) leaves of \(result.rowsPerLeaf) rows: \(result.timing)")
        print(
            "\(figure(result.gigaflops)) GFLOP/s, \(Int((100 * result.share).rounded())) % of \(figure(result.peakGigaflops)) "
                + "(\(result.peakProduct))")
    }
}

struct Reduce: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times the server alone: reduction, decay, clip and Adam, and its share of a copy of memory.")

    @Option(help: "Millions of parameters.")
    var megafloats = 25.0

    @Option(help: "Workers whose sums are reduced.")
    var workers = 2

    @Option(help: "Update threads; 0 updates on the calling one.")
    var threads = 0

    @Option(help: "Times to measure.")
    var repetitions: Int?

    @Option(help: "Bytes of a chunk of parameters, a multiple of 65536.")
    var chunkBytes: Int?

    @Flag(help: "Clips by global norm, which takes two passes; else by value.")
    var clipNorm = false

    @Option(help: "Makes so many steps and measures nothing: for tools that count instructions or allocations.")
    var only: Int?

    @Flag(help: "Prints JSON.")
    var json = false

    func validate() throws {
        if workers < 1 || threads < 0 { throw ValidationError("--workers must be 1 or more, --threads 0 or more") }
        if !(megafloats > 0) { throw ValidationError("--megafloats must be more than 0, got \(megafloats)") }
        if let repetitions, repetitions < 1 { throw ValidationError("--repetitions must be 1 or more, got \(repetitions)") }
        if let chunkBytes, chunkBytes < 65_536 || chunkBytes % 65_536 != 0 {
            throw ValidationError("--chunk-bytes must be a multiple of 65536, got \(chunkBytes)")
        }
    }

    func run() throws {
        let benchmark = ReduceBenchmark(
            megafloats: megafloats, workers: workers, threads: threads, repetitions: repetitions, chunkBytes: chunkBytes,
            clipsByNorm: clipNorm)
        if let only { return try benchmark.update(steps: only) }
        let result = try benchmark.run()
        if json { return try result.printJSON() }
        print("\(result.floats) floats of \(workers) workers, \(threads) update threads: \(result.timing)")
        print(
            "\(figure(result.gigabytesPerSecond)) GB/s, \(Int((100 * result.share).rounded())) % of a copy's "
                + figure(result.copyGigabytesPerSecond))
    }
}
