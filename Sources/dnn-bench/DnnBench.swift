public import ArgumentParser
import Foundation
import ProgramEntry
public import Runtime

/// Measures the programs themselves.
@main
struct DnnBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dnn-bench", abstract: "Measures training on this machine.",
        discussion: "Figures are medians behind a warm-up, with the fastest and the slowest tenth. deploy/bench runs them all.",
        version: Release.version,
        subcommands: [
            Step.self, Exchange.self, Leaf.self, Reduce.self, Load.self, Scale.self, Model.self, Kills.self, IdleWorker.self,
            SimulateWorkers.self,
        ])

    static func main() {
        runAsProgram()
    }
}

extension Workload: ExpressibleByArgument {}
extension BenchmarkTransport: ExpressibleByArgument {}

extension WorkerProgram {
    /// This program as a worker that computes nothing.
    static func idle() throws -> WorkerProgram {
        try .running(IdleWorker.name)
    }
}

extension Encodable {
    /// Prints the measurement as JSON.
    func printJSON() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(self), as: UTF8.self))
    }
}

/// A figure with three places behind the point.
func figure(_ value: Double) -> String { String(format: "%.3f", value) }

extension Timing: CustomStringConvertible {
    public var description: String {
        "\(figure(medianMs)) ms (fastest tenth \(figure(fastestTenthMs)), slowest tenth \(figure(slowestTenthMs)), \(repetitions) times)"
    }
}

/// What of a run file a comparison changes.
struct ModeArguments: ParsableArguments {
    @Option(help: "training.mode: exact or fast.")
    var mode = "exact"

    @Option(help: "cluster.wire: f32 or bf16.")
    var wire = "f32"

    @Option(help: "cluster.parameter_servers.")
    var servers = 1

    func settings(precision: String = "f32") -> StepBenchmark.Settings {
        StepBenchmark.Settings(precision: precision, mode: mode, wire: wire, servers: servers)
    }
}
