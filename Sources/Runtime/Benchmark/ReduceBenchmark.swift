internal import Kernels
internal import NeuralNet
internal import Optimization
internal import ParameterServer

/// Times the server alone: sums of workers' gradients, decay, clip and Adam, into the next version of the state. In turn with it plain
/// copies of memory are measured.
public struct ReduceBenchmark: Sendable {
    public var megafloats: Double
    public var workers: Int
    /// Update threads; 0: the calling one.
    public var threads: Int
    public var repetitions: Int?
    public var chunkBytes: Int
    /// Clips by global norm, which takes a second pass; else by value.
    public var clipsByNorm: Bool

    public init(megafloats: Double, workers: Int, threads: Int, repetitions: Int?, chunkBytes: Int?, clipsByNorm: Bool) {
        self.megafloats = megafloats
        self.workers = workers
        self.threads = threads
        self.repetitions = repetitions
        self.chunkBytes = chunkBytes ?? 1 << 20
        self.clipsByNorm = clipsByNorm
    }

    public struct Measurement: Encodable, Sendable {
        public var floats: Int
        public var workers: Int
        public var threads: Int
        public var timing: Timing
        /// Gradients, weights and slots read, weights and slots written.
        public var gigabytesPerSecond: Double
        /// A copy by as many threads: bytes read and bytes written.
        public var copyGigabytesPerSecond: Double
        public var share: Double

        private enum CodingKeys: String, CodingKey {
            case floats, workers, threads, timing, share
            case gigabytesPerSecond = "gigabytes_per_second"
            case copyGigabytesPerSecond = "copy_gigabytes_per_second"
        }
    }

    public func run() throws -> Measurement {
        let update = try workload()
        let copy = MemoryCopy(floats: floats, threads: max(threads, 1))
        for _ in 0..<3 { try update.step() }
        let count = repetitions ?? max(10, min(1_000, Int(400 / megafloats)))
        var durations: [Double] = [], copies: [Double] = []
        for _ in 0..<count {
            copies.append(Timing.milliseconds { copy.run() })
            durations.append(try Timing.milliseconds { try update.step() })
        }
        let timing = Timing(durations)
        // One pass: W sums, weights and two slots in, weights and two slots out. The second pass reads the sum once more.
        let moved = Double(floats * 4 * (workers + 6 + (clipsByNorm ? 2 : 0)))
        let rate = moved / timing.medianMs / 1e6, copyRate = Double(floats * 8) / Timing(copies).medianMs / 1e6
        return Measurement(
            floats: floats, workers: workers, threads: threads, timing: timing, gigabytesPerSecond: rate,
            copyGigabytesPerSecond: copyRate, share: rate / copyRate)
    }

    /// Makes so many steps and nothing else, for tools that count instructions or allocations.
    public func update(steps: Int) throws {
        let update = try workload()
        for _ in 0..<steps { try update.step() }
    }

    private static let columns = 1_000
    private var floats: Int { max(1, Int((megafloats * 1e6 / Double(Self.columns)).rounded())) * Self.columns }

    private func workload() throws -> ServerWorkload {
        let network = try Network(
            ModelSpecification(
                inputShape: [Self.columns], layers: [LayerSpecification(.dense(units: floats / Self.columns, bias: false))],
                loss: .meanSquaredError))
        let treatment = GradientTreatment(clipValue: clipsByNorm ? nil : 1, clipNorm: clipsByNorm ? 1 : nil, l2: 1e-4)
        let updater = try Updater(rule: .adam(), treatment: treatment, segments: network.layout.updateSegments)
        return try ServerWorkload(
            layout: network.layout, updater: updater, sums: workers, chunkByteCount: chunkBytes, threads: threads)
    }
}

/// Copies of one block to another by several threads.
private final class MemoryCopy: PoolWork {
    private let from, to: FloatBlock
    private let pool: ComputePool

    init(floats: Int, threads: Int) {
        (from, to) = (FloatBlock(count: floats), FloatBlock(count: floats))
        pool = ComputePool(threads: threads)
        for index in 0..<floats { from.mutableView[index] = Float(index % 13) }
    }

    func run() {
        pool.run(tasks: pool.threads, of: self)
    }

    func perform(task: Int, thread: Int) {
        let range = from.count * task / pool.threads..<from.count * (task + 1) / pool.threads
        to.mutableView[range].copy(from: from.view[range])
    }
}
