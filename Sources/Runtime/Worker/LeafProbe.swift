internal import Exactness
internal import Hashing
internal import Kernels
internal import NeuralNet

/// What a build makes of the run's own net: two workers give the same bits if their probes agree.
///
/// In front of the hash stands who computed, such as `own` or `own+onednn-2.6.3`.
/// - Source: design.md §3, "Leaf class": the net is run on synthetic rows for every leaf row count that occurs.
enum LeafProbe {
    static func leafClass(of network: Network, run: RunDescription, threads: Int) throws -> String {
        let tree = ShardTree(shardCount: 1)
        let engine = LeafEngine(
            network: network, tree: tree, leafRows: run.leafRows, seed: run.seed, threads: threads,
            precision: run.precision)
        engine.reserve(leaves: 1)
        let weights = FloatBlock(count: network.layout.blockLength)
        let gradient = FloatBlock(count: network.layout.blockLength)
        network.initialize(into: weights.mutableView, seed: run.seed)
        var hash = SHA256()
        for rows in run.leafRowCounts {
            fill(engine, slot: 0, rows: rows, seed: run.seed)
            let leaf = LeafSlot(shard: 0, slot: 0, rows: rows)
            let figures = try engine.computeGradients(
                step: 0, nodes: [NodeWork(node: tree.root, gradient: gradient.mutableView, slots: [leaf])], weights: weights.view,
                parametersNeeded: { _ in }, gradientFinished: { _, _ in })
            hash.update(gradient.view.bytes)
            let evaluated = engine.evaluate([leaf], weights: weights.view)
            for figure in figures + evaluated {
                withUnsafeBytes(of: (figure.lossSum.bitPattern, figure.squaredError.bitPattern, figure.correct)) { hash.update($0) }
            }
        }
        return
            "\(engine.arithmetic)\(run.precision == .f32 ? "" : "-" + run.precision.rawValue) \(hash.finalize().description.prefix(32))"
    }

    /// Rows of small random numbers, targets that go round.
    static func fill(_ engine: LeafEngine, slot: Int, rows: Int, seed: UInt64) {
        let stream = RandomStream(seed: seed, purpose: .probe)
        let network = engine.network
        let inputs = engine.inputs(slot: slot, rows: rows)
        for index in 0..<inputs.count {
            let word = stream.words(index / 4)[index % 4]
            inputs[index] = Float(word >> 8) / Float(1 << 24) * 2 - 1
        }
        switch network.loss {
        case .softmaxCrossEntropy:
            engine.setLabels(slot: slot, rows: rows) { Int32($0 % network.outputCount) }
        case .binaryCrossEntropy, .meanSquaredError, .meanAbsoluteError, .huber:
            let targets = engine.targets(slot: slot, rows: rows)
            for index in 0..<targets.count { targets[index] = Float(index % 2) }
        }
        engine.setSampleIDs(slot: slot, rows: rows) { UInt32($0) }
    }
}
