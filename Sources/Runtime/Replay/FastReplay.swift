internal import Exactness
internal import Kernels
internal import NeuralNet
internal import ParameterServer
internal import RunConfiguration
internal import Training

/// Mode fast again: the same server is offered the same contributions, in the order that the log tells.
final class FastReplay {
    private let run: PreparedRun
    private let leaves: ReplayedLeaves
    private let log: OrderLogReader
    private var server: ParameterServer?
    private var orders: [[UInt32]] = []
    private let rate = ReplayedRate()
    private var blocks: [FloatBlock] = []

    init(_ run: PreparedRun, leaves: ReplayedLeaves, log: OrderLogReader) {
        self.run = run
        self.leaves = leaves
        self.log = log
    }

    /// Follows the log to its end.
    ///
    /// - Parameter observe: called for every version with the steps that are complete; ends the replay by returning false.
    /// - Returns: the steps that the log has reached.
    func follow(_ observe: (_ steps: UInt64, _ weights: FloatBlock) throws -> Bool) throws -> UInt64 {
        var log = log
        var reached: UInt64 = 0
        func complete(upTo step: UInt64) throws -> Bool {
            guard let server else { throw log.failure("stands before the start of the run") }
            guard step >= server.version, step <= run.plan.totalSteps else {
                throw log.failure("step \(step) follows step \(server.version)")
            }
            while server.version < step {
                try computeStep(server, log)
                guard try observe(server.version, server.completeWeights) else { return false }
            }
            return true
        }
        while let entry = try log.next() {
            switch entry {
            case .start(let mode, let at, let chunkBytes):
                guard mode == run.configuration.training.mode.keyword else { throw log.failure("is of a run in mode \(mode)") }
                try begin(at: at, chunkBytes: chunkBytes, log)
            case .step(let step, let rate, let changes):
                guard try complete(upTo: step) else { return reached }
                if let rate { self.rate.value = rate }
                for change in changes {
                    guard change.chunks.upperBound < orders.count else {
                        throw log.failure("there is no chunk \(change.chunks.upperBound)")
                    }
                    for chunk in change.chunks { orders[chunk] = change.nodes }
                }
                guard try complete(upTo: step + 1) else { return reached }
            case .reached(let steps):
                guard try complete(upTo: steps) else { return reached }
                reached = steps
            case .update: throw log.failure("is an entry of another mode")
            }
        }
        return reached
    }

    var finalWeights: FloatBlock? { server?.completeWeights }

    /// A start of the run: its chunks may be others than before.
    private func begin(at version: UInt64, chunkBytes: Int, _ log: OrderLogReader) throws {
        guard version == server?.version ?? 0 else {
            throw log.failure("the run went on at step \(version), and the log ends at step \(server?.version ?? 0): some of it is lost")
        }
        let next = try ParameterServer(
            layout: run.network.layout, updater: run.updater, plan: run.plan.train, tree: run.plan.tree, chunkByteCount: chunkBytes,
            threads: 0, version: version, completion: nil, policy: run.configuration.training.nonFinite,
            learningRate: { [rate] _ in rate.value }, isFree: { _ in true }, release: { _ in })
        next.sumInArrivalOrder { _ in }
        if let server {
            next.state.currentWeights.mutableView.copy(from: server.state.currentWeights.view)
            for (slot, former) in zip(next.state.currentSlots, server.state.currentSlots) { slot.mutableView.copy(from: former.view) }
        } else {
            next.initializeWeights { run.initialize($0) }
        }
        server = next
        orders = Array(repeating: [], count: next.chunksInArrivalOrder.count)
    }

    private func computeStep(_ server: ParameterServer, _ log: OrderLogReader) throws {
        let step = server.version, tree = run.plan.tree
        func fail(_ problem: String) -> OrderLogError { log.failure("step \(step): \(problem)") }
        var nodes: [TreeNode] = []
        for order in orders {
            for number in order where !nodes.contains(TreeNode(number: number)) { nodes.append(TreeNode(number: number)) }
        }
        guard nodes.allSatisfy({ tree.contains($0) }) else { throw fail("there is no such node in a tree of \(tree.shardCount) shards") }
        let gradients = try gradients(of: nodes, server: server, fail: fail)
        for chunk in 0..<server.chunks.count {
            // Running statistics are summed in tree order: any nodes that bring every leaf do.
            let order = orders[server.chunksInArrivalOrder.contains(chunk) ? chunk : 0]
            for number in order {
                guard let (block, figures) = gradients[number] else { throw fail("node \(number) is missing") }
                let offer = server.offer(
                    step: step, node: TreeNode(number: number), chunk: chunk, samples: figures.samples, loss: figures.lossSum,
                    body: block.view[server.chunks.range(chunk)], token: 0)
                guard offer == .accepted else { throw fail("node \(number) does not belong into chunk \(chunk): \(offer)") }
            }
        }
        while let progress = server.nextProgress(wantsNorms: { _ in false }) {
            if case .notFinite = progress { throw fail("the gradient is not finite, which it was not in the run") }
        }
        guard server.version == step + 1 else { throw fail("its orders do not make a whole step") }
    }

    /// Every node's sum; those that overlap, since a worker died in the step, are computed one pass after the other.
    private func gradients(
        of nodes: [TreeNode], server: ParameterServer, fail: (String) -> OrderLogError
    ) throws -> [UInt32: (FloatBlock, ReplayedLeaves.Figures)] {
        while blocks.count < nodes.count { blocks.append(FloatBlock(count: run.network.layout.blockLength)) }
        var found: [UInt32: (FloatBlock, ReplayedLeaves.Figures)] = [:]
        var left = zip(nodes, blocks).map { (node: $0, block: $1) }
        while !left.isEmpty {
            var covered = ShardSet()
            var pass: [ReplayedLeaves.Part] = []
            left.removeAll { node, block in
                let shards = run.plan.tree.shards(of: node)
                guard !shards.contains(where: covered.contains) else { return false }
                for shard in shards { covered.insert(shard) }
                pass.append(ReplayedLeaves.Part(node: node, shards: Array(shards), gradient: block))
                return true
            }
            guard let figures = try leaves.compute(pass, step: server.version, weights: server.openWeights.view) else {
                throw fail("a node has no rows")
            }
            for (part, figure) in zip(pass, figures) { found[part.node.number] = (part.gradient, figure) }
        }
        return found
    }
}
