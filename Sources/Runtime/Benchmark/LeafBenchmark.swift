internal import NeuralNet

/// Times one worker's compute alone: the gradients of its leaves, without messages. In turn with it the best product of this core is
/// measured, so that both see the same machine.
public struct LeafBenchmark: Sendable {
    public var workload: Workload
    /// Among whom the shards are shared out; the first one's leaves are computed.
    public var workers: Int
    public var threads: Int
    public var virtualShards: Int?
    public var repetitions: Int?
    public var precision: String

    public init(workload: Workload, workers: Int, threads: Int, virtualShards: Int?, repetitions: Int?, precision: String) {
        self.workload = workload
        self.workers = workers
        self.threads = threads
        self.virtualShards = virtualShards
        self.repetitions = repetitions
        self.precision = precision
    }

    public struct Measurement: Encodable, Sendable {
        public var workload: String
        public var virtualShards: Int
        public var leaves: Int
        public var rowsPerLeaf: Int
        public var threads: Int
        public var timing: Timing
        /// Of products and convolutions alone: what lies between them costs time and does not count.
        public var gigaflops: Double
        /// Of the best product of one core, times the threads.
        public var peakGigaflops: Double
        public var peakProduct: String
        public var share: Double

        private enum CodingKeys: String, CodingKey {
            case workload, leaves, threads, timing, gigaflops, share
            case virtualShards = "virtual_shards"
            case rowsPerLeaf = "rows_per_leaf"
            case peakGigaflops = "peak_gigaflops"
            case peakProduct = "peak_product"
        }
    }

    public func run() throws -> Measurement {
        var leaf = try self.leaf()
        var peak = ProductPeak(leaf.engine.precision)
        let warmUp = leaf.milliseconds()
        let count = repetitions ?? max(20, min(2_000, Int(3_000 / max(warmUp, 0.01))))
        for _ in 0..<max(3, count / 10) { _ = leaf.milliseconds() }
        var durations: [Double] = []
        for index in 0..<count {
            if index % max(1, count / 20) == 0 { peak.measure() }
            durations.append(leaf.milliseconds())
        }
        let timing = Timing(durations)
        guard let best = peak.best else { preconditionFailure("products are always measured") }
        let gigaflops = leaf.operations / timing.medianMs / 1e6, peakGigaflops = best.gigaflops * Double(threads)
        return Measurement(
            workload: workload.rawValue, virtualShards: leaf.shardCount, leaves: leaf.leaves, rowsPerLeaf: leaf.engine.leafRows,
            threads: threads, timing: timing, gigaflops: gigaflops, peakGigaflops: peakGigaflops, peakProduct: best.name,
            share: gigaflops / peakGigaflops)
    }

    /// Computes so many steps and nothing else, for tools that count instructions or allocations.
    public func compute(steps: Int) throws {
        var leaf = try self.leaf()
        for _ in 0..<steps { _ = leaf.milliseconds() }
    }

    private func leaf() throws -> LeafWorkload {
        let run = try StepBenchmark(
            workload: workload, workers: 1, virtualShards: virtualShards, settings: .init(precision: precision)
        ).prepared()
        return try LeafWorkload(run, leaves: (run.description.shardCount + workers - 1) / workers, threads: threads)
    }
}
