import ArgumentParser
import Runtime

struct Model: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares the step times that `dnn-coord plan` predicts with measured ones, on this host.")

    @Option(help: "As in `step`.")
    var workload = Workload.small

    @Option(help: "From 1 to so many workers.")
    var workers = 4

    @Option(help: "Steps to measure for each number of workers.")
    var steps: Int?

    @Flag(help: "Prints JSON.")
    var json = false

    func validate() throws {
        if workers < 1 || workers > 64 { throw ValidationError("--workers must be in 1…64, got \(workers)") }
    }

    func run() throws {
        guard let result = try ModelBenchmark(workload: workload, mostWorkers: workers, steps: steps).run() else {
            throw ExitCode.failure
        }
        if json { return try result.printJSON() }
        for point in result.points {
            print(
                "\(workload.rawValue), \(point.workers) worker\(point.workers == 1 ? "" : "s"): predicted \(figure(point.predictedMs)) ms, "
                    + "measured \(figure(point.measuredMs)) ms, \(Int((100 * point.error).rounded())) % off")
        }
    }
}
