internal import OperatingSystem

/// Times the distribution of the training rows: a first epoch of the real programs without computing, in which every row travels once.
public struct LoadBenchmark: Sendable {
    public var megabytes: Int
    public var workers: Int
    public var transport: BenchmarkTransport
    /// As in `ExchangeBenchmark`.
    public var program: WorkerProgram

    public init(megabytes: Int, workers: Int, transport: BenchmarkTransport, program: WorkerProgram) {
        self.megabytes = megabytes
        self.workers = workers
        self.transport = transport
        self.program = program
    }

    public struct Measurement: Encodable, Sendable {
        public var megabytes: Double
        public var workers: Int
        public var transport: String
        /// From the first lease to the end of the first epoch, in which rows also become floats.
        public var seconds: Double
        public var megabytesPerSecond: Double
        /// The second epoch, in which nothing travels but gradients and weights.
        public var secondEpochSeconds: Double
        /// Rows go on travelling while it is computed.
        public var firstStepMs: Double

        private enum CodingKeys: String, CodingKey {
            case megabytes, workers, transport, seconds
            case megabytesPerSecond = "megabytes_per_second"
            case secondEpochSeconds = "second_epoch_seconds"
            case firstStepMs = "first_step_ms"
        }
    }

    private static let rowBytes = 784
    private static let batchSize = 1_024

    /// nil if the run failed, which has then been said on standard error.
    public func run() throws -> Measurement? {
        let folder = try TemporaryFolder(prefix: "dnn-load-")
        let steps = max(2, megabytes * 1_000_000 / (Self.rowBytes * Self.batchSize))
        let rows = steps * Self.batchSize
        try RandomImages(rows: rows, shape: [Self.rowBytes]).write(to: folder)
        let run = BenchmarkRun(workers: workers, transport: transport, program: program)
        guard let times = try run.completions(of: runFile, in: folder)?.map(\.wall), times.count == 2 * steps + 1 else { return nil }
        let moved = Double(rows * (Self.rowBytes + 1)) / 1e6, seconds = (times[steps] - times[0]).seconds
        return Measurement(
            megabytes: moved, workers: workers, transport: transport.rawValue, seconds: seconds, megabytesPerSecond: moved / seconds,
            secondEpochSeconds: (times[2 * steps] - times[steps]).seconds, firstStepMs: (times[1] - times[0]).seconds * 1_000)
    }

    private var runFile: String {
        """
        name: load
        data:
          train: {idx: {features: features.idx, labels: labels.idx}}
          validation: none
          preprocessing: {scale: [0, 255]}
        model:
          layers: [flatten, {dense: {units: 10}}]
          loss: softmax_cross_entropy
        optimizer:
          rule: {adam: {learning_rate: 1e-4}}
        training: {batch_size: \(Self.batchSize), epochs: 2, validate_every: 2, checkpoint: {every_seconds: 3600}}
        cluster: {minimum_workers: \(workers), transport: \(transport == .messages ? "messages" : "auto")}
        """
    }
}
