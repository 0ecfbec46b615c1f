internal import Exactness
internal import Kernels
internal import NeuralNet

/// One worker's leaves, with random rows.
struct LeafWorkload {
    let engine: LeafEngine
    let shardCount: Int
    let leaves: Int
    private let nodes: [NodeWork]
    /// Those that `nodes` write to.
    private let gradients: [FloatBlock]
    private let weights: FloatBlock
    private let sink = FloatBlock(count: 1)
    private var step: UInt64 = 0

    /// - Parameter leaves: those of the first shards.
    init(_ run: PreparedRun, leaves: Int, threads: Int) throws {
        try run.description.precision.checkAvailable()
        let (network, tree) = (run.network, run.description.tree)
        shardCount = tree.shardCount
        self.leaves = leaves
        engine = LeafEngine(
            network: network, tree: tree, leafRows: run.description.leafRows, seed: 1, threads: threads,
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

    /// Reads the gradients and writes the weights anew, as the server does before every step: where that is another core, it has their cache
    /// lines then.
    func renewWeights() {
        for gradient in gradients { sink.mutableView[0] = (0..<gradient.count).reduce(0) { $0 + gradient.view[$1] } }
        for index in 0..<weights.count { weights.mutableView[index] = -weights.view[index] }
    }

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
