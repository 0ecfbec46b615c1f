import Exactness
import Kernels
import NeuralNet
import Testing

/// Contract K1 for image layers, batch normalisation and residual blocks: bits of a node depend on its leaves alone.
@Suite struct ImageExactnessTests {
    static let tree = ShardTree(shardCount: 8)
    static let leafRows = 5

    static func block(_ layers: LayerKind...) -> LayerKind { .residual(layers.map { LayerSpecification($0) }) }

    static func conv(_ filters: Int, stride: Int = 1) -> LayerKind {
        .conv2d(ConvolutionOptions(filters: filters, kernel: Extent(3), stride: Extent(stride), padding: Extent(1)))
    }

    static let model = net(
        [2, 9, 8],
        [
            conv(20), .batchNorm(), .relu, .maxPool2d(PoolingOptions(kernel: Extent(2))), .dropout(rate: 0.2),
            block(conv(20), .batchNorm(), .relu),
            block(conv(17, stride: 2), .tanh), .relu, .globalAveragePool2d, .batchNorm(momentum: 0.3), .dense(units: 24),
            .batchNorm(), .relu, .dense(units: 7),
        ])

    /// Shard 5 is absent, shard 6 has one row, too few for statistics of the last normalisation.
    static func rows(of shard: Int) -> Int { shard == 5 ? 0 : shard == 6 ? 1 : leafRows }

    static let sets = InstructionSet.allCases.filter { $0 <= .effective }

    /// What engines of one run agree on.
    struct Arithmetic: CustomTestStringConvertible {
        var set: InstructionSet
        var precision = Precision.f32
        var testDescription: String { "\(precision) \(set)" }
    }

    static let arithmetics =
        sets.map { Arithmetic(set: $0) }
        + (Precision.bf16.obstacle == nil ? [Arithmetic(set: .effective, precision: .bf16)] : [])

    let network: Network
    let weights: FloatBlock
    let rows: [Rows]

    init() throws {
        let network = try Network(Self.model)
        self.network = network
        weights = zeros(network.layout.blockLength)
        network.initialize(into: weights.mutableView, seed: 3)
        rows = (0..<8).map { Rows(network, count: Self.rows(of: $0), seed: UInt64($0)) }
    }

    private func engine(_ arithmetic: Arithmetic, threads: Int = 1, shards: some Sequence<Int>) -> (LeafEngine, [LeafSlot]) {
        let engine = LeafEngine(
            network: network, tree: Self.tree, leafRows: Self.leafRows, seed: 3, threads: threads, instructionSet: arithmetic.set,
            precision: arithmetic.precision)
        let slots = shards.filter { rows[$0].count > 0 }.enumerated().map { LeafSlot(shard: $1, slot: $0, rows: rows[$1].count) }
        engine.reserve(leaves: slots.count)
        for slot in slots { engine.load(rows[slot.shard], slot: slot.slot) }
        return (engine, slots)
    }

    private func parameters(_ gradient: FloatBlock) -> [Float] { values(gradient.view[0..<network.layout.count]) }

    private func sums(_ gradient: FloatBlock) -> [Double] {
        let tail = gradient.view[network.layout.count..<network.layout.blockLength]
        return (0..<tail.count / 2).map { tail.double(at: $0) }
    }

    @Test(arguments: arithmetics, [1, 3])
    func everyNodeIsTheTreeSumOfItsLeaves(arithmetic: Arithmetic, threads: Int) throws {
        var expected: [TreeNode: (gradient: [Float], sums: [Double], loss: Double)] = [:]
        for node in (1..<UInt32(16)).reversed().map({ TreeNode(number: $0) }) {
            if Self.tree.isLeaf(node) {
                let (engine, slots) = engine(arithmetic, shards: [Int(node.number) - 8])
                guard !slots.isEmpty else { continue }
                let (gradient, figures) = try engine.gradient(step: 9, node, slots, weights: weights.view)
                expected[node] = (parameters(gradient), sums(gradient), figures.lossSum)
            } else if let left = expected[node.left], let right = expected[node.right] {
                expected[node] = (
                    zip(left.gradient, right.gradient).map { $0 + $1 }, zip(left.sums, right.sums).map { $0 + $1 }, left.loss + right.loss
                )
            } else {
                expected[node] = expected[node.left] ?? expected[node.right]  // an absent leaf is no operand
            }
        }
        for number in 1..<UInt32(16) {
            let node = TreeNode(number: number)
            let (engine, slots) = engine(arithmetic, threads: threads, shards: Self.tree.shards(of: node))
            guard let expected = expected[node] else { continue }
            let (gradient, figures) = try engine.gradient(step: 9, node, slots, weights: weights.view)
            #expect(parameters(gradient).map(\.bitPattern) == expected.gradient.map(\.bitPattern), "\(node)")
            #expect(sums(gradient).map(\.bitPattern) == expected.sums.map(\.bitPattern), "\(node): statistics")
            #expect(figures.lossSum == expected.loss)
        }
    }

    @Test(arguments: sets)
    func rowsOfTheSumsAreThoseOfLeavesWithStatistics(set: InstructionSet) throws {
        let (engine, slots) = engine(Arithmetic(set: set), shards: 0..<8)
        let sums = sums(try engine.gradient(step: 9, Self.tree.root, slots, weights: weights.view).0)
        let found = network.layout.runningStatistics.map { sums[$0.sums.lowerBound] }
        // Images have many values in a single row; pooled rows and those of a dense layer have one.
        #expect(found == [31, 31, 30, 30])
    }

    @Test(arguments: arithmetics)
    func aShortLeafIsAsInAnEngineOfItsSize(arithmetic: Arithmetic) throws {
        let rows = Rows(network, count: 3, seed: 77)
        let results = try [3, 4, 16].map { size in
            let engine = LeafEngine(
                network: network, tree: Self.tree, leafRows: size, seed: 3, instructionSet: arithmetic.set, precision: arithmetic.precision)
            engine.reserve(leaves: 1)
            engine.load(rows, slot: 0)
            return bits(try engine.gradient(Self.tree.leaf(2), [LeafSlot(shard: 2, slot: 0, rows: 3)], weights: weights.view).0)
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }

    /// Weights in shared memory or a message begin at any float, and so do the doubles behind a gradient.
    @Test(arguments: [1, 3, 7], arithmetics)
    func alignmentOfWeightsAndGradientsChangesNothing(offset: Int, arithmetic: Arithmetic) throws {
        let (engine, slots) = engine(arithmetic, shards: 0..<2)
        let node = TreeNode(number: 4), count = network.layout.blockLength
        let (aligned, _) = try engine.gradient(step: 9, node, slots, weights: weights.view)
        let moved = zeros(count + offset), gradient = zeros(count + offset)
        moved.mutableView[offset..<offset + count].copy(from: weights.view)
        _ = try engine.computeGradients(
            step: 9, nodes: [NodeWork(node: node, gradient: gradient.mutableView[offset..<offset + count], slots: slots)],
            weights: moved.view[offset..<offset + count], parametersNeeded: { _ in }, gradientFinished: { _, _ in })
        #expect(values(gradient.view[offset..<offset + count]).map(\.bitPattern) == bits(aligned))
    }

    @Test(arguments: arithmetics)
    func evaluationDependsOnTheBlockAlone(arithmetic: Arithmetic) {
        let (engine, slots) = engine(arithmetic, shards: 0..<8)
        let together = engine.evaluate(slots, weights: weights.view)
        for (index, slot) in slots.enumerated() {
            let (alone, one) = self.engine(arithmetic, shards: [slot.shard])
            #expect(alone.evaluate(one, weights: weights.view) == [together[index]])
        }
    }
}
