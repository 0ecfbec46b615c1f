internal import Exactness
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import Training
internal import Wire
internal import ZeroMQ

/// A training step: leaves in, chunks of subtree sums out, while the layers below are still computing.
extension WorkerRun {
    /// A node of this step: its sum goes out chunk by chunk.
    private struct Outgoing {
        var work: NodeWork
        var block: GradientBlock
        var samples: Int
        /// Its place among the step's nodes.
        var index: Int
        /// Elements from here on are final.
        var finalFrom: Int
        var loss = 0.0
    }

    func computeStep(_ round: GradientRound, leaves: [Int]) throws {
        let step = round.number
        link.currentStep = step
        guard let view = weights.weights(step) else { return }
        let began = Machine.monotonicTime
        waited = .zero
        var outgoing = try openNodes(round, leaves: leaves)
        sentPositions.removeAll(keepingCapacity: true)
        for _ in 0..<outgoing.count * shares.count { sentPositions.append(0) }
        do {
            try computeAndSend(&outgoing, round, weights: view)
        } catch {
            for node in outgoing where !hasSent(node) { gradients.putBack(node.block) }
            throw error
        }
        markDone(leaves, step: step)
        link.add(leaves: outgoing.reduce(0) { $0 + $1.work.slots.count }, time: Machine.monotonicTime - began - waited)
        guard auditSchedule.isDue(step: step) else { return }
        for node in outgoing { try report(node.work.node, node.block.floats.view, loss: node.loss, step: step) }
        try auditOthers(round)
    }

    /// Waits for a message or a command; that is no time of work.
    private func wait(timeout: Duration? = nil) throws {
        let began = Machine.monotonicTime
        defer { waited += Machine.monotonicTime - began }
        try connection.wait(timeout: timeout)
    }

    private func computeAndSend(_ outgoing: inout [Outgoing], _ round: GradientRound, weights view: FloatView) throws {
        let step = round.number
        let figures = try gradients(
            of: outgoing.map(\.work), round, weights: view,
            parametersNeeded: { range in try awaitParameters(range, of: step) },
            gradientFinished: { node, from in
                outgoing[node].finalFrom = from
                try drain()
                if weights.isComplete(step + 1) { throw Interruption.stepOver }
                try send(&outgoing[node], step: step, loss: nil)
            })
        for index in outgoing.indices {
            outgoing[index].finalFrom = 0
            outgoing[index].loss = figures[index].lossSum
            try flush(&outgoing[index], step: step, loss: figures[index].lossSum)
        }
    }

    private func gradients(
        of nodes: [NodeWork], _ round: GradientRound, weights: FloatView, parametersNeeded: (Range<Int>) throws -> Void,
        gradientFinished: (_ node: Int, _ from: Int) throws -> Void
    ) throws -> [NeuralNet.BlockFigures] {
        if computes {
            return try engine.computeGradients(
                step: round.maskStep, nodes: nodes, weights: weights, parametersNeeded: parametersNeeded, gradientFinished: gradientFinished
            )
        }
        for chunk in 0..<chunks.count { try parametersNeeded(chunks.range(chunk)) }
        for chunk in (0..<chunks.count).reversed() {
            for node in nodes.indices { try gradientFinished(node, chunks.range(chunk).lowerBound) }
        }
        return nodes.map { node in
            NeuralNet.BlockFigures(rows: node.slots.reduce(0) { $0 + $1.rows }, lossSum: 0, correct: 0, squaredError: 0)
        }
    }

    /// The maximal subtrees of the leaves that are due, each with its rows loaded and a free block.
    private func openNodes(_ round: GradientRound, leaves: [Int]) throws -> [Outgoing] {
        let nodes = tree.maximalSubtrees(of: ShardSet(leaves))
        var outgoing: [Outgoing] = []
        var isOpened = false
        defer {
            if !isOpened { for node in outgoing { gradients.putBack(node.block) } }
        }
        var slot = 0
        for node in nodes {
            var slots: [LeafSlot] = []
            for shard in tree.shards(of: node) {
                let rows = try fillLeaf(slot: slot, shard: shard, step: round.planStep)
                guard rows > 0 else { continue }
                slots.append(LeafSlot(shard: shard, slot: slot, rows: rows))
                slot += 1
            }
            guard !slots.isEmpty else { continue }
            let block = try takeBlock(step: round.number, nodeCount: nodes.count)
            let work = NodeWork(node: node, gradient: block.floats.mutableView, slots: slots)
            outgoing.append(
                Outgoing(
                    work: work, block: block, samples: slots.reduce(0) { $0 + $1.rows }, index: outgoing.count,
                    finalFrom: chunks.elementCount))
        }
        isOpened = true
        return outgoing
    }

    /// Bodies that libzmq still holds come back when the peer reads on; until then there is nothing to write into.
    private func takeBlock(step: UInt64, nodeCount: Int) throws -> GradientBlock {
        while true {
            // Of several servers the slowest may still read the step before while the next one's weights come from the others.
            let over = shares.count == 1 ? nil : weights.newestComplete.map { min($0, step) } ?? 0
            if let block = gradients.take(step: step, over: over, nodeCount: nodeCount) { return block }
            if link.hasCommand { throw Interruption.command }
            try wait(timeout: .milliseconds(1))
            try drain()
            if weights.newestComplete.map({ $0 > step }) ?? false { throw Interruption.stepOver }
        }
    }

    private func awaitParameters(_ range: Range<Int>, of step: UInt64) throws {
        while !weights.holds(range, of: step) {
            if link.hasCommand { throw Interruption.command }
            try wait()
            try drain()
            if weights.newestComplete.map({ $0 > step }) ?? false { throw Interruption.stepOver }
        }
    }

    private func hasSent(_ node: Outgoing) -> Bool {
        (0..<shares.count).contains { sentPositions[node.index * shares.count + $0] > 0 }
    }

    private func isSent(_ node: Outgoing) -> Bool {
        (0..<shares.count).allSatisfy { sentPositions[node.index * shares.count + $0] == shares.owned[$0].count }
    }

    /// Sends the chunks that are final and inside their server's window; the last one only with the loss of the whole node.
    private func send(_ node: inout Outgoing, step: UInt64, loss: Double?) throws {
        // Backward begins with the last layers, whose chunks are the last server's.
        for server in (0..<shares.count).reversed() { try send(&node, to: server, step: step, loss: loss) }
    }

    private func send(_ node: inout Outgoing, to server: Int, step: UInt64, loss: Double?) throws {
        let owned = shares.owned[server]
        let place = node.index * shares.count + server
        let taken = max(weights.contiguousChunks(of: step + 1, owned: owned), shares.reduced(step: step, by: server))
        let open = taken + WireProtocol.chunkWindow
        while sentPositions[place] < min(owned.count, open) {
            let chunk = owned.upperBound - 1 - sentPositions[place]
            let range = chunks.range(chunk)
            guard range.lowerBound >= node.finalFrom, chunk > 0 || loss != nil else { return }
            var header = DataHeader(
                kind: .gradient, node: node.work.node.number, chunk: UInt32(chunk), count: UInt32(node.samples), step: step, loss: loss ?? 0
            )
            if shares.sharesMemory[server], let block = node.block.sharedIndex {
                header.kind = .sharedGradient
                header.checksum = UInt64(block)
                try connection.send(header, to: server)
            } else {
                let isRounded = run.wire == .bf16 && !chunks.isTail(chunk)
                try connection.send(header, body: isRounded ? node.block.halvedBody(range) : node.block.body(range), to: server)
            }
            sentPositions[place] += 1
        }
    }

    private func flush(_ node: inout Outgoing, step: UInt64, loss: Double) throws {
        while true {
            try send(&node, step: step, loss: loss)
            if isSent(node) { return }
            if link.hasCommand { throw Interruption.command }
            try wait()
            try drain()
            if weights.isComplete(step + 1) { throw Interruption.stepOver }
        }
    }
}
