import Exactness
import Kernels
import NeuralNet
import Testing

@Suite struct LeafEngineTests {
    static let node = TreeNode(number: 1)
    static let tree = ShardTree(shardCount: 2)
    static let slots = [LeafSlot(shard: 0, slot: 0, rows: 4), LeafSlot(shard: 1, slot: 1, rows: 4)]

    let network: Network
    let weights: FloatBlock
    let engine: LeafEngine

    /// The first layer alone has several groups of units, and more than one panel.
    init() throws {
        network = try Network(net([300], [.dense(units: 900), .relu, .dense(units: 60), .sigmoid, .dense(units: 5)]))
        weights = zeros(network.layout.count)
        network.initialize(into: weights.mutableView, seed: 5)
        engine = Self.engine(network)
    }

    static func engine(_ network: Network, threads: Int = 1, _ path: ProductPath = .ownKernels) -> LeafEngine {
        let engine = LeafEngine(network: network, tree: tree, leafRows: 4, seed: 5, threads: threads, productPath: path)
        engine.reserve(leaves: 2)
        for slot in 0..<2 { engine.load(Rows(network, count: 4, seed: UInt64(slot)), slot: slot) }
        return engine
    }

    @Test(arguments: [(Precision.f32, ProductPath.ownKernels), (.bf16, .oneDNN)])
    func thePrecisionChoosesThePath(precision: Precision, path: ProductPath) {
        #expect(ProductPath.preferred(for: precision) == path)
        if precision.obstacle == nil {
            #expect(LeafEngine(network: network, tree: Self.tree, leafRows: 4, seed: 5, precision: precision).productPath == path)
        }
        #expect(path.name.wholeMatch(of: path == .oneDNN ? /onednn-\d+\.\d+\.\d+/ : /own/) != nil)
    }

    private struct Interruption: Error {}

    /// Weights are NaN until they have been asked for: reading early would show.
    @Test(arguments: [1, 3], ProductPath.allCases)
    func parametersAreReadOnlyAfterTheyWereAskedFor(threads: Int, path: ProductPath) throws {
        let engine = Self.engine(network, threads: threads, path)
        let arriving = zeros(weights.count), gradient = zeros(weights.count)
        arriving.mutableView.fill(.nan)
        var asked: [Range<Int>] = []
        _ = try engine.computeGradients(
            step: 0, nodes: [NodeWork(node: Self.node, gradient: gradient.mutableView, slots: Self.slots)], weights: arriving.view,
            parametersNeeded: { range in
                asked.append(range)
                arriving.mutableView[range].copy(from: weights.view[range])
            }, gradientFinished: { _, _ in })
        #expect(bits(gradient) == bits(try Self.engine(network, path).gradient(Self.node, Self.slots, weights: weights.view).0))
        #expect(asked.count >= (path == .ownKernels ? 4 : 3), "by groups of units, or by layers")
        #expect(asked.reduce(0) { $0 + $1.count } == weights.count, "every parameter once")
        let layers = asked.map { network.layout.entry(containing: $0.lowerBound)?.layer ?? -1 }
        #expect(layers == layers.sorted(), "layer by layer")
        for (earlier, later) in zip(asked, asked.dropFirst()) where layers[0] == network.layout.entry(containing: later.lowerBound)?.layer {
            #expect(later.upperBound == earlier.lowerBound, "from the last units to the first")
        }
    }

    @Test(arguments: [1, 3], ProductPath.allCases)
    func finishedGradientsAreFinal(threads: Int, path: ProductPath) throws {
        let engine = Self.engine(network, threads: threads, path)
        let gradient = zeros(weights.count), seen = zeros(weights.count)
        gradient.mutableView.fill(.nan)
        var reached = weights.count
        var calls = 0
        _ = try engine.computeGradients(
            step: 0, nodes: [NodeWork(node: Self.node, gradient: gradient.mutableView, slots: Self.slots)], weights: weights.view,
            parametersNeeded: { _ in },
            gradientFinished: { node, from in
                #expect(node == 0 && from < reached)
                seen.mutableView[from..<reached].copy(from: gradient.view[from..<reached])
                reached = from
                calls += 1
            })
        #expect(reached == 0 && calls > 3)
        #expect(bits(seen) == bits(gradient))
        #expect(values(seen).allSatisfy { $0.isFinite })
    }

    @Test(arguments: ProductPath.allCases)
    func anEngineGoesOnAfterAnInterruption(path: ProductPath) throws {
        let engine = Self.engine(network, path)
        let expected = bits(try engine.gradient(Self.node, Self.slots, weights: weights.view).0)
        let work = [NodeWork(node: Self.node, gradient: zeros(weights.count).mutableView, slots: Self.slots)]
        for stop in 0..<(path == .ownKernels ? 8 : 7) {
            var calls = 0
            func count() throws {
                calls += 1
                if calls > stop { throw Interruption() }
            }
            #expect(throws: Interruption.self) {
                try engine.computeGradients(
                    step: 0, nodes: work, weights: weights.view, parametersNeeded: { _ in try count() },
                    gradientFinished: { _, _ in try count() })
            }
            #expect(bits(try engine.gradient(Self.node, Self.slots, weights: weights.view).0) == expected)
        }
    }

    @Test func reservingKeepsTheSlotsThatStay() throws {
        let before = bits(try engine.gradient(Self.node, Self.slots, weights: weights.view).0)
        engine.reserve(leaves: 5)
        #expect(engine.slotCount == 5)
        engine.reserve(leaves: 2)
        #expect(bits(try engine.gradient(Self.node, Self.slots, weights: weights.view).0) == before)
    }

    @Test(arguments: ProductPath.allCases)
    func nanInAWeightIsSeenInLossAndGradient(path: ProductPath) throws {
        let engine = Self.engine(network, path)
        let damaged = block(values(weights))
        damaged.mutableView[17] = .nan
        let (gradient, figures) = try engine.gradient(Self.node, Self.slots, weights: damaged.view)
        #expect(figures.lossSum.isNaN)
        #expect(values(gradient).contains { $0.isNaN })
    }

    @Test func figuresCountRightAnswers() throws {
        let model = net([3], [.dense(units: 3, bias: false)])
        let rows = Rows(features: [2, 1, 0, 0, 5, 1, 1, 0, 3, 4, 0, 1], labels: [0, 1, 0, 0], count: 4)
        let leaf = try SingleLeaf(model, rows, weights: block([1, 0, 0, 0, 1, 0, 0, 0, 1]))
        #expect(leaf.evaluate().1.correct == 3)
        #expect(leaf.evaluate().0 == rows.features)
        #expect(try leaf.gradient().1.correct == 3)
    }

    @Test func squaredErrorsAreSummedOverRowsAndOutputs() throws {
        let model = net([2], [.dense(units: 2, bias: false)], .meanSquaredError)
        let rows = Rows(features: [1, 2, 3, 4], targets: [0, 0, 0, 0], count: 2)
        let figures = try SingleLeaf(model, rows, weights: block([1, 0, 0, 1])).evaluate().1
        #expect(figures == BlockFigures(rows: 2, lossSum: 15, correct: 0, squaredError: 30))
    }
}
