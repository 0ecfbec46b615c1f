internal import OperatingSystem

/// Times the exchange alone: real workers push gradients that nobody has computed, the real server reduces them and applies Adam, the
/// workers take the new weights.
public struct ExchangeBenchmark: Sendable {
    public var megafloats: Double
    public var workers: Int
    public var rounds: Int
    public var transport: BenchmarkTransport
    public var chunkBytes: Int?
    public var settings: StepBenchmark.Settings
    /// A program that works without computing; see `WorkerOptions.computes`.
    public var program: WorkerProgram

    public init(
        megafloats: Double, workers: Int, rounds: Int?, transport: BenchmarkTransport, chunkBytes: Int?,
        settings: StepBenchmark.Settings = .init(), program: WorkerProgram
    ) {
        self.megafloats = megafloats
        self.workers = workers
        self.rounds = rounds ?? max(20, min(1_000, Int(500 / megafloats)))
        self.transport = transport
        self.chunkBytes = chunkBytes
        self.settings = settings
        self.program = program
    }

    public struct Measurement: Encodable, Sendable {
        public var floats: Int
        public var workers: Int
        public var transport: String
        public var timing: Timing
        /// Gradients in and weights out, of all workers.
        public var gigabytesPerSecond: Double

        private enum CodingKeys: String, CodingKey {
            case floats, workers, transport, timing
            case gigabytesPerSecond = "gigabytes_per_second"
        }
    }

    /// Columns of the one matrix that is exchanged.
    private static let inputs = 1_000
    private static let stepsPerEpoch = 20

    /// nil if the run failed, which has then been said on standard error.
    public func run() throws -> Measurement? {
        let folder = try TemporaryFolder(prefix: "dnn-exchange-")
        var shards = 1
        while shards < workers { shards *= 2 }
        try RandomImages(rows: shards * Self.stepsPerEpoch, shape: [Self.inputs]).write(to: folder)
        let run = BenchmarkRun(workers: workers, transport: transport, program: program)
        let warmUp = max(rounds / 5, 3)
        let epochs = (rounds + warmUp + Self.stepsPerEpoch - 1) / Self.stepsPerEpoch
        guard let times = try run.completions(of: runFile(shards: shards, epochs: epochs), in: folder)?.map(\.wall),
            let timing = Timing(between: times, warmUp: warmUp + 1)
        else { return nil }
        let bytes = Double(2 * workers * floats * (settings.wire == "bf16" ? 2 : 4))
        return Measurement(
            floats: floats, workers: workers, transport: transport.rawValue, timing: timing,
            gigabytesPerSecond: bytes / timing.medianMs / 1e6)
    }

    /// At least the ten units that the labels need.
    private var units: Int { max(10, Int((megafloats * 1e6 / Double(Self.inputs)).rounded())) }
    private var floats: Int { units * Self.inputs }

    private func runFile(shards: Int, epochs: Int) -> String {
        """
        name: exchange
        data:
          train: {idx: {features: features.idx, labels: labels.idx}}
          validation: none
        model:
          layers: [flatten, {dense: {units: \(units), bias: false, initializer: {constant: 0}}}]
          loss: softmax_cross_entropy
        optimizer:
          rule: {adam: {learning_rate: 1e-4}}
        training:
          batch_size: \(shards)
          epochs: \(epochs)
          validate_every: \(epochs)
          virtual_shards: \(shards)
          mode: \(settings.mode)
          checkpoint: {every_seconds: 3600}
        cluster:
          minimum_workers: \(workers)
          join_timeout_seconds: 300
          chunk_bytes: \(chunkBytes ?? 1 << 20)
          transport: \(transport == .messages ? "messages" : "auto")
        \(settings.wire == "f32" ? "" : "  wire: \(settings.wire)\n")\(settings.servers == 1 ? "" : "  parameter_servers: \(settings.servers)")
        """
    }
}
