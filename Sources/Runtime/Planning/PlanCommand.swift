internal import Exactness
internal import Foundation
internal import NeuralNet
internal import Optimization
internal import ParameterServer
internal import RunConfiguration
internal import Scaling
internal import Training

/// `dnn-coord plan`: what a step of a run would take with other workers, servers and networks, and what would help.
public struct PlanCommand: Sendable {
    public var runFile: String
    public var overrides: [String]
    public var workers: Int
    public var threads: Int
    /// nil: as many as the run has.
    public var servers: Int?
    /// Bits per second of every network card; nil: everybody on this host.
    public var bandwidth: Double?
    /// One way, in microseconds.
    public var latency: Double
    /// Whether everybody shares this host's cores though what they say travels over a network.
    public var sharesHost: Bool
    /// nil: as the run does.
    public var halvesWire: Bool?
    public var printsJSON: Bool

    public init(
        runFile: String, overrides: [String], workers: Int, threads: Int, servers: Int?, bandwidth: Double?, latency: Double,
        sharesHost: Bool, halvesWire: Bool?, printsJSON: Bool
    ) {
        self.runFile = runFile
        self.overrides = overrides
        self.workers = workers
        self.threads = threads
        self.servers = servers
        self.bandwidth = bandwidth
        self.latency = latency
        self.sharesHost = sharesHost
        self.halvesWire = halvesWire
        self.printsJSON = printsJSON
    }

    /// Bits per second, from a number with k, M, G or T behind it; nil if it is none.
    public static func bandwidth(_ text: String) -> Double? {
        let factors: [Character: Double] = ["k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12]
        let factor = text.last.flatMap { factors[$0] }
        guard let number = Double(factor == nil ? text[...] : text.dropLast()), number.isFinite, number > 0 else { return nil }
        return number * (factor ?? 1)
    }

    /// Says what it predicts, and gives the exit code.
    public func run() -> Int32 {
        RunExecution.reportingErrors {
            let run = try TrainCommand.prepare(runFile, overrides: overrides)
            guard run.plan.passes == nil else {
                let problem = run.configuration.sourceMap.problem(
                    at: "optimizer.rule", "plan knows rules with one gradient per step, not \(run.updater.rule.keyword)")
                throw ProblemList([problem])
            }
            if !printsJSON { printError("measuring this machine, a few seconds; it should be idle") }
            let costs = try Calibration.costs(of: run, isNetwork: bandwidth != nil)
            let report = report(run, costs: costs)
            if printsJSON {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                print(String(decoding: try encoder.encode(report), as: UTF8.self))
            } else {
                print(report.text)
            }
            return TrainCommand.ExitCode.completed
        }
    }

    /// The run on the cluster that is asked about.
    func model(of run: PreparedRun) -> ClusterModel {
        let network = bandwidth.map { ClusterModel.Network(bandwidth: $0 / 8, latency: latency / 1e6) }
        let placement: ClusterModel.Placement =
            network.map { sharesHost ? .oneHostWithNetwork($0) : .hosts($0) } ?? .oneHost
        let ranges = ServerRanges(
            layout: run.network.layout, updater: run.updater, chunkByteCount: run.description.chunkByteCount,
            serverCount: run.configuration.cluster.parameterServers)
        return ClusterModel(
            run, workers: workers, threads: threads, servers: servers ?? ranges.count,
            halvesWire: halvesWire ?? (run.description.wire == .bf16), placement: placement)
    }

    private func report(_ run: PreparedRun, costs: Costs) -> PlanReport {
        let model = model(of: run)
        var alone = model
        alone.workers = 1
        return PlanReport(
            model: model, batchSize: run.description.batchSize, bandwidth: bandwidth, costs: costs,
            prediction: Prediction(model, costs: costs), alone: Prediction(alone, costs: costs),
            advice: Advice.all(for: model, costs: costs))
    }
}
