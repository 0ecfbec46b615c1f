import Exactness
import Kernels
import NeuralNet
import Testing

/// Contract K1: bits of a node depend on its leaves alone.
@Suite struct LeafExactnessTests {
    static let tree = ShardTree(shardCount: 8)
    static let leafRows = 5
    /// Wide enough for several groups, odd sizes, dropout.
    static let model = net(
        [301], [.dense(units: 470), .relu, .dropout(rate: 0.3), .dense(units: 30), .tanh, .dropout(rate: 0.1), .dense(units: 7)])

    /// Shard 5 is absent, shard 6 short.
    static func rows(of shard: Int) -> Int { shard == 5 ? 0 : shard == 6 ? 2 : leafRows }

    struct Setting: Sendable, CustomTestStringConvertible {
        var threads = 1
        var set = InstructionSet.effective
        var path = ProductPath.ownKernels
        var testDescription: String { "\(threads) threads, \(set), \(path)" }
    }

    static let settings =
        ProductPath.allCases.flatMap { path in [1, 2, 3].map { Setting(threads: $0, path: path) } }
        + InstructionSet.allCases.filter { $0 < .effective }.map { Setting(set: $0) }

    let network: Network
    let weights: FloatBlock
    let rows: [Rows]

    init() throws {
        network = try Network(Self.model)
        weights = zeros(network.layout.count)
        network.initialize(into: weights.mutableView, seed: 3)
        let network = network
        rows = (0..<8).map { Rows(network, count: Self.rows(of: $0), seed: UInt64($0)) }
    }

    /// Every node's gradient and loss, formed outside the engine: leaves alone, then added along the tree.
    static func expected(_ path: ProductPath) throws -> [TreeNode: ([Float], Double)] {
        try (path == .ownKernels ? expectedOfOwnKernels : expectedOfOneDNN).get()
    }

    private static let expectedOfOwnKernels = Result { try formed(.ownKernels) }
    private static let expectedOfOneDNN = Result { try formed(.oneDNN) }

    private static func formed(_ path: ProductPath) throws -> [TreeNode: ([Float], Double)] {
        let suite = try LeafExactnessTests()
        var sums: [TreeNode: ([Float], Double)] = [:]
        for node in (1..<UInt32(16)).reversed().map({ TreeNode(number: $0) }) {
            if tree.isLeaf(node) {
                sums[node] = try suite.leaf(Int(node.number) - 8, path).map { (values($0.0), $0.1.lossSum) }
            } else if let left = sums[node.left], let right = sums[node.right] {
                sums[node] = (zip(left.0, right.0).map { $0 + $1 }, left.1 + right.1)
            } else {
                sums[node] = sums[node.left] ?? sums[node.right]  // an absent leaf is no operand
            }
        }
        return sums
    }

    func engine(_ setting: Setting = Setting(), shards: some Sequence<Int>) -> (LeafEngine, [LeafSlot]) {
        let engine = LeafEngine(
            network: network, tree: Self.tree, leafRows: Self.leafRows, seed: 3, threads: setting.threads, instructionSet: setting.set,
            productPath: setting.path)
        let slots = shards.filter { rows[$0].count > 0 }.enumerated().map { LeafSlot(shard: $1, slot: $0, rows: rows[$1].count) }
        engine.reserve(leaves: slots.count)
        for slot in slots { engine.load(rows[slot.shard], slot: slot.slot) }
        return (engine, slots)
    }

    /// Each leaf alone on its own engine.
    func leaf(_ shard: Int, _ path: ProductPath) throws -> (FloatBlock, BlockFigures)? {
        let (engine, slots) = engine(Setting(path: path), shards: [shard])
        return slots.isEmpty ? nil : try engine.gradient(step: 9, Self.tree.leaf(shard), slots, weights: weights.view)
    }

    @Test(arguments: settings)
    func everyNodeIsTheTreeSumOfItsLeaves(setting: Setting) throws {
        for number in 1..<UInt32(16) {
            let node = TreeNode(number: number)
            let (engine, slots) = engine(setting, shards: Self.tree.shards(of: node))
            guard let expected = try Self.expected(setting.path)[node] else { continue }
            let (gradient, figures) = try engine.gradient(step: 9, node, slots, weights: weights.view)
            #expect(bits(gradient) == expected.0.map(\.bitPattern), "\(node)")
            #expect(figures.lossSum == expected.1)
            #expect(figures.rows == slots.reduce(0) { $0 + $1.rows })
        }
    }

    /// An unaligned lease: shards 1…6 as nodes 9, 5, 6, 14 in one call.
    @Test(arguments: settings)
    func nodesComputedTogetherAreAsAlone(setting: Setting) throws {
        let (engine, slots) = engine(setting, shards: 1..<7)
        let nodes = Self.tree.maximalSubtrees(of: ShardSet(1..<7))
        let blocks = nodes.map { _ in zeros(network.layout.count) }
        let work = zip(nodes, blocks).map { node, block in
            NodeWork(
                node: node, gradient: block.mutableView, slots: slots.filter { Self.tree.shards(of: node).contains($0.shard) })
        }
        let figures = try engine.computeGradients(
            step: 9, nodes: work, weights: weights.view, parametersNeeded: { _ in }, gradientFinished: { _, _ in })
        for (index, node) in nodes.enumerated() {
            let alone = try Self.expected(setting.path)[node]
            #expect(bits(blocks[index]) == alone?.0.map(\.bitPattern), "\(node)")
            #expect(figures[index].lossSum == alone?.1)
        }
    }

    @Test(arguments: ProductPath.allCases)
    func aShortLeafIsAsInAnEngineOfItsSize(path: ProductPath) throws {
        let rows = Rows(network, count: 3, seed: 77)
        let results = try [3, 4, 40].map { size in
            let engine = LeafEngine(network: network, tree: Self.tree, leafRows: size, seed: 3, productPath: path)
            engine.reserve(leaves: 1)
            engine.load(rows, slot: 0)
            return bits(try engine.gradient(Self.tree.leaf(2), [LeafSlot(shard: 2, slot: 0, rows: 3)], weights: weights.view).0)
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }

    /// Weights in shared memory or a message begin at any float.
    @Test(arguments: [1, 3, 7], ProductPath.allCases)
    func alignmentOfWeightsAndGradientsChangesNothing(offset: Int, path: ProductPath) throws {
        let (engine, slots) = engine(Setting(path: path), shards: 0..<2)
        let node = TreeNode(number: 4)
        let (aligned, _) = try engine.gradient(step: 9, node, slots, weights: weights.view)
        let count = network.layout.count
        let moved = zeros(count + offset), gradient = zeros(count + offset)
        moved.mutableView[offset..<offset + count].copy(from: weights.view)
        _ = try engine.computeGradients(
            step: 9, nodes: [NodeWork(node: node, gradient: gradient.mutableView[offset..<offset + count], slots: slots)],
            weights: moved.view[offset..<offset + count], parametersNeeded: { _ in }, gradientFinished: { _, _ in })
        #expect(values(gradient.view[offset..<offset + count]).map(\.bitPattern) == bits(aligned))
    }

    @Test(arguments: settings)
    func evaluationDependsOnTheBlockAlone(setting: Setting) {
        let (engine, slots) = engine(setting, shards: 0..<8)
        let together = engine.evaluate(slots, weights: weights.view)
        for (index, slot) in slots.enumerated() {
            let (alone, one) = self.engine(Setting(path: setting.path), shards: [slot.shard])
            #expect(alone.evaluate(one, weights: weights.view) == [together[index]])
        }
        #expect(engine.evaluate(slots.reversed(), weights: weights.view) == together.reversed())
    }

    @Test(arguments: ProductPath.allCases)
    func stepsAndSamplesChangeTheMask(path: ProductPath) throws {
        let (engine, slots) = engine(Setting(path: path), shards: [0])
        let node = Self.tree.leaf(0)
        let first = bits(try engine.gradient(step: 1, node, slots, weights: weights.view).0)
        let second = bits(try engine.gradient(step: 2, node, slots, weights: weights.view).0)
        #expect(first != second)
        engine.setSampleIDs(slot: 0, rows: Self.leafRows) { UInt32(900 + $0) }
        #expect(first != bits(try engine.gradient(step: 1, node, slots, weights: weights.view).0))
        engine.load(rows[0], slot: 0)
        #expect(first == bits(try engine.gradient(step: 1, node, slots, weights: weights.view).0))
    }
}
