public import ArgumentParser
import Foundation
import ProgramEntry
public import Runtime

/// Measures the programs themselves.
@main
struct DnnBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dnn-bench", abstract: "Measures training on this machine.", version: Release.version,
        subcommands: [Step.self, Kills.self])

    static func main() {
        runAsProgram()
    }
}

extension Workload: ExpressibleByArgument {}
extension BenchmarkTransport: ExpressibleByArgument {}

struct Step: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times whole training steps: the real coordinator and worker processes over ipc, on random data.")

    @Option(
        help: """
            tiny: 64-64-10, batch 64; small: 784-512-512-10 with dropout, batch 128; wide: 784-2048-2048-10, batch 512; \
            deep: 784-19×256-10, batch 256.
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

    @Option(help: "local: ipc and shared memory; tcp: over the loopback address; curve: the same, encrypted.")
    var transport = BenchmarkTransport.local

    @Option(help: "What weights and gradients travel as: f32 or bf16.")
    var wire = "f32"

    @Option(help: "Parameter servers, the coordinator's own included; all on this host.")
    var servers = 1

    @Flag(help: "Prints JSON.")
    var json = false

    func validate() throws {
        if servers < 1 { throw ValidationError("--servers must be 1 or more, got \(servers)") }
    }

    func run() throws {
        let benchmark = StepBenchmark(
            workload: workload, workers: workers, threads: threads, steps: steps, virtualShards: virtualShards, chunkBytes: chunkBytes,
            precision: precision, transport: transport, wire: wire, servers: servers)
        guard let result = try benchmark.run() else { throw ExitCode.failure }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(result), as: UTF8.self))
        } else {
            let figures = [result.msPerStep, result.medianMsPerStep, result.fastestTenthMs, result.slowestTenthMs]
                .map { String(format: "%.3f", $0) }
            print("\(workload.rawValue), \(workers) workers × \(threads): \(figures[0]) ms per step")
            print("median \(figures[1]), fastest tenth \(figures[2]), slowest tenth \(figures[3])")
            print("\(Int(result.samplesPerSecond)) samples/s over \(result.steps) steps")
        }
    }
}
