internal import Exactness
internal import Hashing
internal import Kernels
internal import NeuralNet
internal import Wire
internal import ZeroMQ

/// Audited steps: what came of this worker's nodes is told, and those of another worker are computed too, to be compared.
///
/// Nothing of it reaches the weights. A node whose rows are not here yet is left out: an audit never holds a step up.
extension WorkerRun {
    /// Says what has been sent of a node.
    func report(_ node: TreeNode, _ gradient: FloatView, loss: Double, step: UInt64) throws {
        let checksums = (0..<chunks.count).map { checksum(gradient[chunks.range($0)].bytes) }
        let body = Frame(byteCount: ChunkChecksums.byteCount(chunkCount: chunks.count)) { ChunkChecksums.encode(checksums, into: $0) }
        try connection.send(DataHeader(kind: .audit, node: node.number, step: step, loss: loss), body: body)
    }

    /// Computes the nodes of others that the lease names, one after the other.
    func auditOthers(_ round: GradientRound) throws {
        guard let numbers = lease?.audits, weights.isComplete(round.number), let view = weights.weights(round.number) else { return }
        for node in numbers.map({ TreeNode(number: $0) }) {
            guard let slots = try fillSlots(of: node, step: round.planStep), !slots.isEmpty else { continue }
            let block = auditBlock ?? FloatBlock(count: network.layout.blockLength)
            auditBlock = block
            let figures = try engine.computeGradients(
                step: round.maskStep, nodes: [NodeWork(node: node, gradient: block.mutableView, slots: slots)], weights: view,
                parametersNeeded: { _ in }, gradientFinished: { _, _ in })
            try report(node, block.view, loss: figures[0].lossSum, step: round.number)
        }
    }

    /// The node's present leaves, their rows in the first slots; nil where rows are missing.
    private func fillSlots(of node: TreeNode, step: UInt64) throws -> [LeafSlot]? {
        var slots: [LeafSlot] = []
        for shard in tree.shards(of: node) {
            guard try holdsLeaf(shard: shard, step: step) else { return nil }
            let rows = try fillLeaf(slot: slots.count, shard: shard, step: step)
            if rows > 0 { slots.append(LeafSlot(shard: shard, slot: slots.count, rows: rows)) }
        }
        return slots
    }
}
