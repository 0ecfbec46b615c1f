internal import Datasets
internal import Exactness
internal import Kernels
internal import NeuralNet
internal import Optimization
internal import RunConfiguration
internal import Wire

/// Loss and gradient of a run's whole objective – all training rows, penalty included, no dropout – at any weights, in this process.
///
/// A pass is what a closure's is: consecutive batches, each summed by the tree over the shards, batch after batch.
final class FullGradient {
    private let network: Network
    private let engine: LeafEngine
    private let plan: StepPlan
    private let stores: [ShardStore]
    private let targetType: RowFormat.TargetType
    private let l2: Double
    private let batch: FloatBlock
    private let weights: FloatBlock
    private var labels: [Int32]

    var parameterCount: Int { network.layout.count }

    init(_ run: PreparedRun, threads: Int) throws {
        guard let train = run.parts[.train] else { preconditionFailure("a run trains on something") }
        var model = run.network.specification
        for (index, layer) in model.layers.enumerated() {
            guard case .dropout(_, let scaling) = layer.kind else { continue }
            guard scaling == .inverted else {
                throw UnreadableRun(
                    description: "model.layers.\(index): the curvature of a net with classic dropout is not what training sees; "
                        + "scaling: inverted has one")
            }
            model.layers[index].kind = .dropout(rate: 0)
        }
        network = try Network(model)
        plan = run.description.plan(of: .train)
        let description = run.description
        engine = LeafEngine(
            network: network, tree: ShardTree(shardCount: description.shardCount), leafRows: description.leafRows, seed: description.seed,
            threads: threads, precision: description.precision)
        engine.reserve(leaves: plan.shardCount)
        stores = try (0..<plan.shardCount).map { shard in
            let store = try ShardStore(
                format: description.rowFormat, capacity: train.rowCount(ofShard: shard), preprocessing: description.preprocessing,
                targetScaling: description.targetScaling)
            try Self.fill(store, from: train, shard: shard)
            return store
        }
        targetType = description.rowFormat.targetType
        l2 = run.configuration.optimizer.treatment.l2
        batch = FloatBlock(count: network.layout.count)
        weights = FloatBlock(count: network.layout.count)
        labels = Array(repeating: 0, count: description.leafRows)
    }

    private static func fill(_ store: ShardStore, from part: ShardedPart, shard: Int) throws {
        let count = part.rowCount(ofShard: shard)
        for first in stride(from: 0, to: count, by: WireProtocol.maximumRowsPerRequest) {
            let positions = (first..<min(first + WireProtocol.maximumRowsPerRequest, count)).map { UInt32($0) }
            var packet = [UInt8](repeating: 0, count: part.packetByteCount(rowCount: positions.count))
            packet.withUnsafeMutableBytes { part.gather(shard: shard, positions: positions[...], into: $0) }
            try packet.withUnsafeBytes { try store.store($0, at: positions[...]) }
        }
    }

    /// Mean loss with penalty, and its gradient; sums over batches are doubles.
    func callAsFunction(_ values: [Float]) throws -> (loss: Double, gradient: [Double]) {
        precondition(values.count == network.layout.count, "weights of another net")
        let target = weights.mutableView
        for index in values.indices { target[index] = values[index] }
        var gradient = [Double](repeating: 0, count: values.count)
        var loss = 0.0
        for number in 0..<plan.blockCount(ofShard: 0) {
            var slots: [LeafSlot] = []
            for shard in 0..<plan.shardCount {
                let rows = plan.block(number, ofShard: shard)
                if rows.isEmpty { continue }
                load(shard: shard, rows: rows, slot: slots.count)
                slots.append(LeafSlot(shard: shard, slot: slots.count, rows: rows.count))
            }
            let work = NodeWork(node: TreeNode(number: 1), gradient: batch.mutableView, slots: slots)
            let figures = try engine.computeGradients(
                step: 0, nodes: [work], weights: weights.view, parametersNeeded: { _ in }, gradientFinished: { _, _ in })
            loss += figures[0].lossSum
            let sum = batch.view
            for index in gradient.indices { gradient[index] += Double(sum[index]) }
        }
        let count = Double(plan.rowCount)
        for index in gradient.indices { gradient[index] /= count }
        return (loss / count + addPenalty(values, to: &gradient), gradient)
    }

    private func addPenalty(_ values: [Float], to gradient: inout [Double]) -> Double {
        guard l2 != 0 else { return 0 }
        var penalty = 0.0
        for entry in network.layout.entries where entry.isRegularized {
            for index in entry.range {
                let value = Double(values[index])
                penalty += l2 / 2 * value * value
                gradient[index] += l2 * value
            }
        }
        return penalty
    }

    private func load(shard: Int, rows: Range<Int>, slot: Int) {
        let positions = (UInt32(rows.lowerBound)..<UInt32(rows.upperBound)).map { $0 }
        let (store, count) = (stores[shard], rows.count)
        let inputs = engine.inputs(slot: slot, rows: count)
        store.fill(positions[...], into: UnsafeMutableBufferPointer(start: inputs.base, count: inputs.count))
        if targetType == .values {
            let targets = engine.targets(slot: slot, rows: count)
            store.fillValues(positions[...], into: UnsafeMutableBufferPointer(start: targets.base, count: targets.count))
        } else {
            labels.withUnsafeMutableBufferPointer {
                store.fillClasses(positions[...], into: UnsafeMutableBufferPointer(rebasing: $0[..<count]))
            }
            if network.loss == .softmaxCrossEntropy {
                engine.setLabels(slot: slot, rows: count) { [labels] in labels[$0] }
            } else {
                let targets = engine.targets(slot: slot, rows: count)
                for row in 0..<count { targets[row] = Float(labels[row]) }
            }
        }
        engine.setSampleIDs(slot: slot, rows: count) { positions[$0] }
    }
}
