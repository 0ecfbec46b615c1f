internal import Exactness
internal import Foundation
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import Optimization
internal import ParameterServer
internal import ZeroMQ

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
        let update = try ServerWorkload(self)
        let copy = MemoryCopy(floats: update.floats, threads: max(threads, 1))
        for _ in 0..<3 { try update.step() }
        let count = repetitions ?? max(10, min(1_000, Int(400 / megafloats)))
        var durations: [Double] = [], copies: [Double] = []
        for _ in 0..<count {
            copies.append(Timing.milliseconds { copy.run() })
            durations.append(try Timing.milliseconds { try update.step() })
        }
        let timing = Timing(durations)
        // One pass: W sums, weights and two slots in, weights and two slots out. The second pass reads the sum once more.
        let moved = Double(update.floats * 4 * (workers + 6 + (clipsByNorm ? 2 : 0)))
        let rate = moved / timing.medianMs / 1e6, copyRate = Double(update.floats * 8) / Timing(copies).medianMs / 1e6
        return Measurement(
            floats: update.floats, workers: workers, threads: threads, timing: timing, gigabytesPerSecond: rate,
            copyGigabytesPerSecond: copyRate, share: rate / copyRate)
    }

    /// Makes so many steps and nothing else, for tools that count instructions or allocations.
    public func update(steps: Int) throws {
        let update = try ServerWorkload(self)
        for _ in 0..<steps { try update.step() }
    }
}

/// A server with gradients that lie ready.
private final class ServerWorkload {
    let floats: Int
    private let server: ParameterServer
    private let nodes: [TreeNode]
    private let gradients: [FloatBlock]
    private let completion: EventDescriptor
    private var poller = Poller()

    init(_ benchmark: ReduceBenchmark) throws {
        let columns = 1_000
        floats = max(1, Int((benchmark.megafloats * 1e6 / Double(columns)).rounded())) * columns
        let network = try Network(
            ModelSpecification(
                inputShape: [columns], layers: [LayerSpecification(.dense(units: floats / columns, bias: false))],
                loss: .meanSquaredError))
        var shards = 1
        while shards < benchmark.workers { shards *= 2 }
        let tree = ShardTree(shardCount: shards)
        // The first workers hold two shards where there are fewer workers than shards.
        let pairs = shards - benchmark.workers
        nodes = (0..<pairs).map { tree.leaf(2 * $0).parent } + (2 * pairs..<shards).map { tree.leaf($0) }
        completion = try EventDescriptor()
        let treatment = GradientTreatment(
            clipValue: benchmark.clipsByNorm ? nil : 1, clipNorm: benchmark.clipsByNorm ? 1 : nil, l2: 1e-4)
        let updater = try Updater(rule: .adam(), treatment: treatment, segments: network.layout.updateSegments)
        server = try ParameterServer(
            layout: network.layout, updater: updater, plan: StepPlan(rowCount: shards, batchSize: shards, shardCount: shards), tree: tree,
            chunkByteCount: benchmark.chunkBytes, threads: benchmark.threads, completion: completion, learningRate: { _ in 1e-3 },
            isFree: { _ in true }, release: { _ in })
        let length = floats
        gradients = nodes.map { _ in
            let block = FloatBlock(count: length)
            for index in 0..<length { block.mutableView[index] = Float(index % 97 - 48) * 1e-3 }
            return block
        }
        server.initializeWeights { block in
            for index in 0..<length { block.mutableView[index] = Float(index % 31 - 15) * 1e-2 }
        }
        _ = poller.add(descriptor: completion.descriptor)
    }

    /// Offers everything in the order of travel and takes what becomes ready, until a version is complete.
    func step() throws {
        let version = server.version
        for chunk in (0..<server.chunks.count).reversed() {
            let range = server.chunks.range(chunk)
            for (index, node) in nodes.enumerated() {
                let offer = server.offer(
                    step: version, node: node, chunk: chunk, samples: server.tree.shards(of: node).count, loss: 0,
                    body: gradients[index].view[range], token: 0)
                precondition(offer == .accepted, "a server refused what it waits for: \(offer)")
            }
            takeProgress()
        }
        while server.version == version {
            try poller.wait(timeout: nil)
            completion.drain()
            takeProgress()
        }
    }

    private func takeProgress() {
        while server.nextProgress(wantsNorms: { _ in false }) != nil {}
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
