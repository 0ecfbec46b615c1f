internal import Exactness
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import Optimization
internal import ParameterServer
internal import ZeroMQ

/// A server with gradients that lie ready.
final class ServerWorkload {
    private let server: ParameterServer
    private let nodes: [TreeNode]
    private let gradients: [FloatBlock]
    private let completion: EventDescriptor
    private var poller = Poller()

    /// - Parameter sums: how many are joined; nodes of the smallest tree that has so many.
    init(layout: ParameterLayout, updater: Updater, sums: Int, chunkByteCount: Int, threads: Int) throws {
        var shards = 1
        while shards < sums { shards *= 2 }
        let tree = ShardTree(shardCount: shards)
        // The first ones are sums of two leaves where there are fewer sums than leaves.
        let pairs = shards - sums
        nodes = (0..<pairs).map { tree.leaf(2 * $0).parent } + (2 * pairs..<shards).map { tree.leaf($0) }
        completion = try EventDescriptor()
        server = try ParameterServer(
            layout: layout, updater: updater, plan: StepPlan(rowCount: shards, batchSize: shards, shardCount: shards), tree: tree,
            chunkByteCount: chunkByteCount, threads: threads, completion: completion, learningRate: { _ in 1e-3 },
            isFree: { _ in true }, release: { _ in })
        gradients = nodes.map { _ in
            let block = FloatBlock(count: layout.blockLength)
            for index in 0..<layout.count { block.mutableView[index] = Float(index % 97 - 48) * 1e-3 }
            return block
        }
        server.initializeWeights { block in
            for index in 0..<layout.count { block.mutableView[index] = Float(index % 31 - 15) * 1e-2 }
        }
        _ = poller.add(descriptor: completion.descriptor)
    }

    /// Writes the gradients anew, as workers do before every step.
    func renewGradients() {
        for gradient in gradients {
            for index in 0..<gradient.view.count { gradient.mutableView[index] = -gradient.view[index] }
        }
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
