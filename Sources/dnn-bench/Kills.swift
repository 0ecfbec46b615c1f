import ArgumentParser
import Foundation
import ProgramEntry
import Runtime

struct Kills: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: """
            Kills workers or parameter servers at random moments and times how long the run is held up; compares the hash with an \
            undisturbed run.
            """)

    @Option(help: "As in `step`.")
    var workload = Workload.small

    @Option(help: "Worker processes.")
    var workers = 2

    @Option(help: "Workers to kill, one every 1.5 s or more.")
    var kills = 20

    @Option(help: "Steps of the run; the kills must find room in it.")
    var steps = 8_000

    @Flag(help: "Kills workers that the coordinator has not started, over tcp with keys.")
    var remote = false

    @Flag(help: "Stops such workers in place of killing them, as if their host had fallen silent.")
    var silent = false

    @Option(help: "Parameter servers; above 1 those that the coordinator has started are killed, and not workers.")
    var servers = 1

    @Option(help: "Of the moments and the victims.")
    var seed = UInt64.random(in: 0...UInt64(UInt32.max))

    func validate() throws {
        if servers < 1 || servers > 1_024 { throw ValidationError("--servers must be in 1…1024, got \(servers)") }
        if servers > 1, remote || silent { throw ValidationError("--servers does not go with --remote and --silent, which are of workers") }
    }

    func run() throws {
        let benchmark = KillBenchmark(
            workload: workload, workers: workers, kills: kills, steps: steps, areRemote: remote, areSilent: silent,
            servers: servers, seed: seed)
        guard let result = try benchmark.run() else { throw ExitCode.failure }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(result), as: UTF8.self))
        if !result.isSameHash { throw ExitCode.failure }
    }
}
