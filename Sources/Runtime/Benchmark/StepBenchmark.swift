internal import Foundation
internal import OperatingSystem

/// Times whole training steps of the real programs: coordinator, server and worker processes.
public struct StepBenchmark: Sendable {
    public var workload: Workload
    public var workers: Int
    public var threads: Int
    public var steps: Int
    /// nil: as a run file without the key.
    public var virtualShards: Int?
    public var chunkBytes: Int?
    public var transport: BenchmarkTransport
    /// As in a run file: precision, mode, wire, servers.
    public var settings: Settings
    /// Whether each worker runs on a core of its own, beginning with core 0.
    public var pinsWorkers: Bool
    /// Whether it measures the figures of the verdict too.
    public var measuresFigures: Bool

    /// Values of the run file that a comparison changes.
    public struct Settings: Sendable {
        public var precision: String
        public var mode: String
        public var wire: String
        public var servers: Int

        public init(precision: String = "f32", mode: String = "exact", wire: String = "f32", servers: Int = 1) {
            self.precision = precision
            self.mode = mode
            self.wire = wire
            self.servers = servers
        }
    }

    public init(
        workload: Workload, workers: Int, threads: Int = 1, steps: Int? = nil, virtualShards: Int? = nil, chunkBytes: Int? = nil,
        transport: BenchmarkTransport = .local, settings: Settings = Settings(), pinsWorkers: Bool = false,
        measuresFigures: Bool = false
    ) {
        self.workload = workload
        self.workers = workers
        self.threads = threads
        self.steps = steps ?? workload.defaultSteps
        self.virtualShards = virtualShards
        self.chunkBytes = chunkBytes
        self.transport = transport
        self.settings = settings
        self.pinsWorkers = pinsWorkers
        self.measuresFigures = measuresFigures
    }

    /// What was measured over the steps behind the warm-up.
    public struct Measurement: Encodable, Sendable {
        public var workload: String
        public var workers: Int
        public var threads: Int
        public var steps: Int
        /// The mean, which is what training takes.
        public var msPerStep: Double
        public var medianMsPerStep: Double
        public var fastestTenthMs: Double
        public var slowestTenthMs: Double
        public var samplesPerSecond: Double
        /// From the first lease, when all workers are there, to the end of the first step: rows and weights travel in it.
        public var firstStepMs: Double
        public var figures: FiguresMeasurement?

        private enum CodingKeys: String, CodingKey {
            case workload, workers, threads, steps, figures
            case msPerStep = "ms_per_step"
            case medianMsPerStep = "median_ms_per_step"
            case fastestTenthMs = "fastest_tenth_ms"
            case slowestTenthMs = "slowest_tenth_ms"
            case samplesPerSecond = "samples_per_second"
            case firstStepMs = "first_step_ms"
        }
    }

    static let stepsPerEpoch = 20

    /// Runs the workload in a temporary folder; nil if the run failed, which has then been said on standard error.
    public func run() throws -> Measurement? {
        let folder = try TemporaryFolder(prefix: "dnn-bench-")
        let warmUp = max(steps / 5, 5)
        let epochs = (steps + warmUp + Self.stepsPerEpoch - 1) / Self.stepsPerEpoch
        try writeData(to: folder)
        var program = try WorkerProgram.beside
        program.isPinned = pinsWorkers
        let run = BenchmarkRun(
            workers: workers, threads: threads, transport: transport, program: program, servers: settings.servers,
            takesNormsEverySecondStep: measuresFigures)
        guard let completions = try run.completions(of: runFile(epochs: epochs), in: folder), completions.count > warmUp + 2
        else { return nil }
        let times = completions.map(\.wall)
        guard let timing = Timing(between: times, warmUp: warmUp + 1), let last = times.last
        else { return nil }
        let mean = (last - times[warmUp + 1]).seconds * 1_000 / Double(timing.repetitions)
        return Measurement(
            workload: workload.rawValue, workers: workers, threads: threads, steps: timing.repetitions, msPerStep: mean,
            medianMsPerStep: timing.medianMs, fastestTenthMs: timing.fastestTenthMs, slowestTenthMs: timing.slowestTenthMs,
            samplesPerSecond: Double(workload.batchSize) / mean * 1_000, firstStepMs: (times[1] - times[0]).seconds * 1_000,
            figures: measuresFigures ? FiguresMeasurement(completions.dropFirst(warmUp + 1), epoch: Self.stepsPerEpoch) : nil)
    }

    /// The run that is measured, read and checked.
    func prepared() throws -> PreparedRun {
        let folder = try TemporaryFolder(prefix: "dnn-bench-")
        try writeData(to: folder)
        try Data(runFile(epochs: 1).utf8).write(to: URL(fileURLWithPath: folder.appending("run.yaml")))
        return try TrainCommand.prepare(folder.appending("run.yaml"), overrides: [])
    }

    func runFile(epochs: Int) -> String {
        let data =
            workload == .digits
            ? "  train: {builtin: digits}\n  preprocessing: {scale: [0, 16]}"
            : "  train: {idx: {features: features.idx, labels: labels.idx}}\n  preprocessing: {scale: [0, 255]}"
        var cluster = "  minimum_workers: \(workers)\n  chunk_bytes: \(chunkBytes ?? 1 << 20)"
        if transport == .messages { cluster += "\n  transport: messages" }
        if settings.wire != "f32" { cluster += "\n  wire: \(settings.wire)" }
        if settings.servers != 1 { cluster += "\n  parameter_servers: \(settings.servers)" }
        return """
            name: bench-\(workload.rawValue)
            data:
            \(data)
              validation: none
            model:
              layers: \(workload.layerList)
              loss: softmax_cross_entropy
            optimizer:
              rule: {adam: {learning_rate: 1e-4}}
            training:
              batch_size: \(workload.batchSize)
              epochs: \(epochs)
              validate_every: \(measuresFigures ? 1 : epochs)
              precision: \(settings.precision)
              mode: \(settings.mode)
              virtual_shards: \(virtualShards.map(String.init) ?? "auto")
              checkpoint: {every_seconds: 3600}
            cluster:
            \(cluster)
            """
    }

    func writeData(to folder: TemporaryFolder) throws {
        guard workload != .digits else { return }
        try RandomImages(rows: workload.batchSize * Self.stepsPerEpoch, shape: workload.rowShape).write(to: folder)
    }
}
