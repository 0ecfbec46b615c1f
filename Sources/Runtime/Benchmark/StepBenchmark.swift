internal import Foundation
internal import OperatingSystem
internal import Synchronization

/// A net and a batch that peers are measured on as well; the data is random.
public enum Workload: String, CaseIterable, Sendable {
    case tiny, small, wide, deep, cnn

    var inputs: Int { self == .tiny ? 64 : 784 }

    var batchSize: Int {
        switch self {
        case .tiny: 64
        case .small, .cnn: 128
        case .wide: 512
        case .deep: 256
        }
    }

    /// Enough steps for a steady median, few enough for a minute.
    public var defaultSteps: Int {
        switch self {
        case .tiny: 4_000
        case .small: 600
        case .wide, .cnn: 60
        case .deep: 200
        }
    }

    fileprivate var layers: [String] {
        switch self {
        case .tiny: ["dense: {units: 64}", "relu"]
        case .small: Array(repeating: ["dense: {units: 512}", "relu", "dropout: {rate: 0.2}"], count: 2).flatMap { $0 }
        case .wide: Array(repeating: ["dense: {units: 2048}", "relu"], count: 2).flatMap { $0 }
        case .deep: Array(repeating: ["dense: {units: 256}", "relu"], count: 19).flatMap { $0 }
        case .cnn:
            [
                "conv2d: {filters: 32, kernel: 3}", "relu", "conv2d: {filters: 64, kernel: 3}", "relu", "max_pool2d: {kernel: 2}",
                "dropout: {rate: 0.25}", "flatten", "dense: {units: 128}", "relu", "dropout: {rate: 0.5}",
            ]
        }
    }
}

/// Times whole training steps of the real programs: coordinator, server and worker processes.
public struct StepBenchmark: Sendable {
    public var workload: Workload
    public var workers: Int
    public var threads: Int
    public var steps: Int
    /// nil: as a run file without the key.
    public var virtualShards: Int?
    public var chunkBytes: Int?
    /// As in a run file.
    public var precision: String
    public var transport: BenchmarkTransport
    public var wire: String
    /// Parameter servers, the coordinator's own included.
    public var servers: Int

    public init(
        workload: Workload, workers: Int, threads: Int, steps: Int?, virtualShards: Int?, chunkBytes: Int?, precision: String = "f32",
        transport: BenchmarkTransport = .local, wire: String = "f32", servers: Int = 1
    ) {
        self.workload = workload
        self.workers = workers
        self.threads = threads
        self.steps = steps ?? workload.defaultSteps
        self.virtualShards = virtualShards
        self.chunkBytes = chunkBytes
        self.precision = precision
        self.transport = transport
        self.wire = wire
        self.servers = servers
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

        private enum CodingKeys: String, CodingKey {
            case workload, workers, threads, steps
            case msPerStep = "ms_per_step"
            case medianMsPerStep = "median_ms_per_step"
            case fastestTenthMs = "fastest_tenth_ms"
            case slowestTenthMs = "slowest_tenth_ms"
            case samplesPerSecond = "samples_per_second"
        }
    }

    static let stepsPerEpoch = 20

    /// Runs the workload in a temporary folder; nil if the run failed, which has then been said on standard error.
    public func run() throws -> Measurement? {
        let folder = try TemporaryFolder(prefix: "dnn-bench-")
        let warmUp = max(steps / 5, 5)
        let epochs = (steps + warmUp + Self.stepsPerEpoch - 1) / Self.stepsPerEpoch
        try writeData(to: folder)
        try Data(runFile(epochs: epochs).utf8).write(to: URL(fileURLWithPath: folder.appending("run.yaml")))
        let completions = Mutex<[Duration]>([])
        completions.withLock { $0.reserveCapacity(epochs * Self.stepsPerEpoch) }
        var options = CoordinatorOptions(workers: workers, threads: threads, isQuiet: true, servers: servers - 1)
        let remote = try transport.startWorkers(workers, threads: threads, in: folder, &options)
        defer { remote.end() }
        let command = TrainCommand(
            runFile: folder.appending("run.yaml"), overrides: [], output: folder.appending("run"), options: options, printsJSON: false)
        let code = command.run { _, now in completions.withLock { $0.append(now) } }
        guard code == TrainCommand.ExitCode.completed else { return nil }
        let times = completions.withLock { $0 }.dropFirst(warmUp).map(\.seconds)
        let durations = zip(times.dropFirst(), times).map { ($0 - $1) * 1_000 }.sorted()
        guard let first = times.first, let last = times.last, !durations.isEmpty else { return nil }
        let mean = (last - first) * 1_000 / Double(durations.count)
        return Measurement(
            workload: workload.rawValue, workers: workers, threads: threads, steps: durations.count, msPerStep: mean,
            medianMsPerStep: durations[durations.count / 2], fastestTenthMs: durations[durations.count / 10],
            slowestTenthMs: durations[durations.count * 9 / 10], samplesPerSecond: Double(workload.batchSize) / mean * 1_000)
    }

    func runFile(epochs: Int) -> String {
        """
        name: bench-\(workload.rawValue)
        data:
          train: {idx: {features: features.idx, labels: labels.idx}}
          validation: none
          preprocessing: {scale: [0, 255]}
        model:
          layers: [\(workload == .cnn ? "" : "flatten, ")\(workload.layers.map { $0.contains(":") ? "{\($0)}" : $0 }.joined(separator: ", ")), {dense: {units: 10}}]
          loss: softmax_cross_entropy
        optimizer:
          rule: {adam: {learning_rate: 1e-4}}
        training:
          batch_size: \(workload.batchSize)
          epochs: \(epochs)
          validate_every: \(epochs)
          precision: \(precision)
          virtual_shards: \(virtualShards.map(String.init) ?? "auto")
          checkpoint: {every_seconds: 3600}
        cluster:
          minimum_workers: \(workers)
          chunk_bytes: \(chunkBytes ?? 1 << 20)
          wire: \(wire)
          parameter_servers: \(servers)
        """
    }

    /// Random bytes in the IDX format.
    func writeData(to folder: TemporaryFolder) throws {
        let rows = workload.batchSize * Self.stepsPerEpoch
        var generator = SystemRandomNumberGenerator()
        func header(_ dimensions: [Int]) -> [UInt8] {
            [0, 0, 8, UInt8(dimensions.count)] + dimensions.flatMap { size in [24, 16, 8, 0].map { UInt8(size >> $0 & 255) } }
        }
        let features = (0..<rows * workload.inputs).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let labels = (0..<rows).map { UInt8($0 % 10) }
        let shape = workload == .cnn ? [28, 28] : [workload.inputs]
        try Data(header([rows] + shape) + features).write(to: URL(fileURLWithPath: folder.appending("features.idx")))
        try Data(header([rows]) + labels).write(to: URL(fileURLWithPath: folder.appending("labels.idx")))
    }
}
