import Exactness
import Kernels
import NeuralNet
import Testing

/// Contract K1 for the layers that are not a plain dense net: the bits of a step do not depend on who computes which leaves.
@Suite struct LayerExactnessTests {
    static let tree = ShardTree(shardCount: 4)
    static let leafRows = 5
    /// Shard 2 is short.
    static func rows(of shard: Int) -> Int { shard == 2 ? 3 : leafRows }

    static let nets: [(name: String, specification: ModelSpecification)] = [
        (
            "maxout and dropout",
            net(
                [37],
                [
                    .dropout(rate: 0.2), .maxout(units: 31, pieces: 5), .dropout(rate: 0.5), .maxout(units: 30, pieces: 3),
                    .dropout(rate: 0.5), .dense(units: 7),
                ])
        ),
        (
            "layers over rows",
            net(
                [37],
                [
                    .layerNorm(), .dense(units: 45), .prelu(perChannel: true), .dense(units: 30), .layerNorm(), .prelu(), .softmax,
                    .dense(units: 7),
                ], .softmaxCrossEntropy(labelSmoothing: 0.1))
        ),
        (
            "PReLU and softmax",
            net([37], [.prelu(), .dense(units: 45), .prelu(perChannel: true), .dense(units: 30), .softmax, .dense(units: 7)])
        ),
        (
            "smooth activations",
            net(
                [37],
                [
                    .dense(units: 45), .gelu(), .dropout(rate: 0.3), .dense(units: 30), .silu, .gelu(approximate: .tanh), .elu(), .selu,
                    .softplus, .hardSigmoid, .dense(units: 7),
                ], .huber(delta: 0.5))
        ),
    ]

    /// Shards of each worker.
    static let splits = [[0..<4], [0..<2, 2..<4], [0..<1, 1..<4], [0..<1, 1..<2, 2..<4], [0..<1, 1..<2, 2..<3, 3..<4]]

    @Test(arguments: nets.indices, ProductPath.allCases)
    func aStepIsTheSameForOneToFourWorkers(index: Int, path: ProductPath) throws {
        try expectOneStep(index, path, Self.tree) { $1 }
    }

    /// With bf16 on the wire every node's sum is rounded, by whoever forms it, and no other sum is.
    @Test(arguments: nets.indices, ProductPath.allCases)
    func aRoundedStepIsTheSameForOneToFourWorkers(index: Int, path: ProductPath) throws {
        let tree = ShardTree(shardCount: 4, roundsNodes: true)
        try expectOneStep(index, path, tree) { node, sum in
            guard tree.rounds(node) else { return sum }
            let block = zeros(sum.count)
            for (element, value) in sum.enumerated() { block.mutableView[element] = value }
            ElementwiseKernels.roundToBF16(block.mutableView)
            return values(block)
        }
    }

    private func expectOneStep(
        _ index: Int, _ path: ProductPath, _ tree: ShardTree, complete: @escaping (TreeNode, [Float]) -> [Float]
    ) throws {
        let network = try Network(Self.nets[index].specification)
        let weights = zeros(network.layout.count)
        network.initialize(into: weights.mutableView, seed: 3)
        var reference: [UInt32]?
        for split in Self.splits {
            for threads in [1, 3] {
                var sums: [TreeNode: [Float]] = [:]
                for shards in split {
                    let engine = LeafEngine(
                        network: network, tree: tree, leafRows: Self.leafRows, seed: 3, threads: threads, productPath: path)
                    engine.reserve(leaves: shards.count)
                    let slots = shards.enumerated().map { LeafSlot(shard: $1, slot: $0, rows: Self.rows(of: $1)) }
                    for slot in slots { engine.load(Rows(network, count: slot.rows, seed: UInt64(slot.shard)), slot: slot.slot) }
                    for node in tree.maximalSubtrees(of: ShardSet(shards)) {
                        let own = slots.filter { tree.shards(of: node).contains($0.shard) }
                        sums[node] = values(try engine.gradient(step: 9, node, own, weights: weights.view).0)
                    }
                }
                func joined(_ node: TreeNode) -> [Float] {
                    sums[node] ?? complete(node, zip(joined(node.left), joined(node.right)).map { $0 + $1 })
                }
                let bits = joined(tree.root).map(\.bitPattern)
                #expect(reference == nil || reference == bits, "\(Self.nets[index].name): \(split), \(threads) threads")
                reference = bits
            }
        }
    }

    /// Our own kernels give the same bits on every instruction set; layer norms are oneDNN's.
    @Test(arguments: nets.indices.filter { nets[$0].name != "layers over rows" })
    func instructionSetsAgree(index: Int) throws {
        let network = try Network(Self.nets[index].specification)
        let weights = zeros(network.layout.count)
        network.initialize(into: weights.mutableView, seed: 3)
        let results = try InstructionSet.allCases.filter { $0 <= .supported }.map { set in
            let engine = LeafEngine(
                network: network, tree: Self.tree, leafRows: Self.leafRows, seed: 3, instructionSet: set, productPath: .ownKernels)
            engine.reserve(leaves: 1)
            engine.load(Rows(network, count: Self.leafRows, seed: 1), slot: 0)
            let slot = LeafSlot(shard: 1, slot: 0, rows: Self.leafRows)
            let (gradient, figures) = try engine.gradient(step: 2, Self.tree.leaf(1), [slot], weights: weights.view)
            return bits(gradient) + [UInt32(truncatingIfNeeded: figures.lossSum.bitPattern)]
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }
}
