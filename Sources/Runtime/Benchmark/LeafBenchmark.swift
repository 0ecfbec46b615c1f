internal import Exactness
internal import Foundation
internal import Kernels
internal import NeuralNet
internal import OperatingSystem

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
        var leaf = try LeafWorkload(self)
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
        var leaf = try LeafWorkload(self)
        for _ in 0..<steps { _ = leaf.milliseconds() }
    }
}

/// One worker's leaves, with random rows.
private struct LeafWorkload {
    let engine: LeafEngine
    let shardCount: Int
    let leaves: Int
    private let nodes: [NodeWork]
    /// Those that `nodes` write to.
    private let gradients: [FloatBlock]
    private let weights: FloatBlock
    private var step: UInt64 = 0

    init(_ benchmark: LeafBenchmark) throws {
        let folder = try TemporaryFolder(prefix: "dnn-leaf-")
        let file = StepBenchmark(
            workload: benchmark.workload, workers: 1, virtualShards: benchmark.virtualShards,
            settings: .init(precision: benchmark.precision))
        try file.writeData(to: folder)
        try Data(file.runFile(epochs: 1).utf8).write(to: URL(fileURLWithPath: folder.appending("run.yaml")))
        let run = try TrainCommand.prepare(folder.appending("run.yaml"), overrides: [])
        try run.description.precision.checkAvailable()
        let (network, tree) = (run.network, run.description.tree)
        shardCount = tree.shardCount
        leaves = (tree.shardCount + benchmark.workers - 1) / benchmark.workers
        engine = LeafEngine(
            network: network, tree: tree, leafRows: run.description.leafRows, seed: 1, threads: benchmark.threads,
            precision: run.description.precision)
        engine.reserve(leaves: leaves)
        for slot in 0..<leaves { LeafProbe.fill(engine, slot: slot, rows: engine.leafRows, seed: UInt64(slot)) }
        weights = FloatBlock(count: network.layout.blockLength)
        network.initialize(into: weights.mutableView, seed: 1)
        let rows = engine.leafRows, roots = tree.maximalSubtrees(of: ShardSet(0..<leaves))
        gradients = roots.map { _ in FloatBlock(count: network.layout.blockLength) }
        nodes = zip(roots, gradients).map { node, gradient in
            NodeWork(
                node: node, gradient: gradient.mutableView,
                slots: tree.shards(of: node).map { LeafSlot(shard: $0, slot: $0, rows: rows) })
        }
    }

    var operations: Double { Double(engine.network.operationsPerRow * engine.leafRows * leaves) }

    /// Computes the next step's gradients.
    mutating func milliseconds() -> Double {
        step += 1
        return Timing.milliseconds {
            do {
                _ = try engine.computeGradients(
                    step: step, nodes: nodes, weights: weights.view, parametersNeeded: { _ in }, gradientFinished: { _, _ in })
            } catch {
                preconditionFailure("closures that do not throw threw \(error)")
            }
        }
    }
}
