import Exactness
import Kernels
import NeuralNet
import Synchronization

/// A block that lives as long as the tests, so that views of it may be passed around.
func zeros(_ count: Int) -> FloatBlock {
    let block = FloatBlock(count: count)
    kept.withLock { $0.append(block) }
    return block
}

private let kept = Mutex<[FloatBlock]>([])

func block(_ values: [Float]) -> FloatBlock {
    let block = zeros(values.count)
    for (index, value) in values.enumerated() { block.mutableView[index] = value }
    return block
}

func values(_ view: FloatView) -> [Float] { (0..<view.count).map { view[$0] } }
func values(_ block: FloatBlock) -> [Float] { values(block.view) }
func bits(_ block: FloatBlock) -> [UInt32] { values(block).map(\.bitPattern) }

/// Numbers in −spread…spread that depend on `seed` alone.
func numbers(_ count: Int, seed: UInt64, spread: Float = 1) -> [Float] {
    let stream = RandomStream(seed: seed, purpose: .probe)
    return (0..<count).map { spread * (Float(stream.words($0).x) * 0x1p-31 - 1) }
}

/// The largest difference, relative to the largest of the expected values.
func worst(_ actual: [Float], _ expected: [Double]) -> Double {
    precondition(actual.count == expected.count)
    let scale = expected.map { abs($0) }.max() ?? 0
    let difference = zip(actual, expected).map { abs(Double($0) - $1) }.max() ?? 0
    return scale > 0 ? difference / scale : difference
}

/// Rows with everything that an engine may ask for.
struct Rows {
    var count: Int
    var features: [Float]
    var labels: [Int32]
    var targets: [Float]
    var samples: [UInt32]

    /// Random rows for `network`.
    init(_ network: Network, count: Int, seed: UInt64) {
        self.count = count
        features = numbers(count * network.inputCount, seed: seed)
        let stream = RandomStream(seed: seed, purpose: .deal)
        labels = (0..<count).map { Int32(stream.integer($0, below: network.outputCount)) }
        let targets = numbers(count * network.outputCount, seed: seed + 1)
        self.targets = network.loss == .binaryCrossEntropy ? targets.map { $0 > 0 ? 1 : 0 } : targets
        samples = (0..<count).map { stream.words($0).w }
    }

    init(features: [Float], labels: [Int32] = [], targets: [Float] = [], count: Int) {
        self.count = count
        self.features = features
        self.labels = labels
        self.targets = targets
        samples = (0..<UInt32(count)).map { $0 }
    }

    subscript(range: Range<Int>, network: Network) -> Rows {
        var part = self
        part.count = range.count
        func cut<Value>(_ values: [Value], _ width: Int) -> [Value] {
            values.isEmpty ? [] : Array(values[(range.lowerBound * width)..<(range.upperBound * width)])
        }
        part.features = cut(features, network.inputCount)
        part.labels = cut(labels, 1)
        part.targets = cut(targets, network.outputCount)
        part.samples = cut(samples, 1)
        return part
    }
}

extension LeafEngine {
    func load(_ rows: Rows, slot: Int) {
        inputs(slot: slot, rows: rows.count).copy(from: block(rows.features).view)
        if network.loss.takesLabels {
            setLabels(slot: slot, rows: rows.count) { rows.labels[$0] }
        } else {
            targets(slot: slot, rows: rows.count).copy(from: block(rows.targets).view)
        }
        setSampleIDs(slot: slot, rows: rows.count) { rows.samples[$0] }
    }

    /// One node's gradient and figures, nobody waiting.
    func gradient(step: UInt64 = 0, _ node: TreeNode, _ slots: [LeafSlot], weights: FloatView) throws -> (FloatBlock, BlockFigures) {
        let gradient = zeros(network.layout.count)
        gradient.mutableView.fill(.nan)  // every element must be written
        let work = NodeWork(node: node, gradient: gradient.mutableView, slots: slots)
        let figures = try computeGradients(
            step: step, nodes: [work], weights: weights, parametersNeeded: { _ in }, gradientFinished: { _, _ in })
        return (gradient, figures[0])
    }
}

/// A net with one leaf, the gradient of which is the whole.
struct SingleLeaf {
    let network: Network
    let engine: LeafEngine
    let weights: FloatBlock
    let rows: Int

    init(
        _ specification: ModelSpecification, _ rows: Rows, weights: FloatBlock? = nil, seed: UInt64 = 1, path: ProductPath? = nil
    ) throws {
        network = try Network(specification)
        engine = LeafEngine(network: network, tree: ShardTree(shardCount: 1), leafRows: rows.count, seed: seed, productPath: path)
        self.rows = rows.count
        if let weights {
            self.weights = weights
        } else {
            self.weights = zeros(network.layout.count)
            network.initialize(into: self.weights.mutableView, seed: seed)
        }
        engine.reserve(leaves: 1)
        engine.load(rows, slot: 0)
    }

    func gradient(step: UInt64 = 0) throws -> (FloatBlock, BlockFigures) {
        try engine.gradient(step: step, TreeNode(number: 1), [LeafSlot(shard: 0, slot: 0, rows: rows)], weights: weights.view)
    }

    /// Outputs and figures in inference mode.
    func evaluate() -> ([Float], BlockFigures) {
        let figures = engine.evaluate([LeafSlot(shard: 0, slot: 0, rows: rows)], weights: weights.view)
        return (values(engine.outputs(slot: 0, rows: rows)), figures[0])
    }
}

func net(
    _ input: [Int], _ layers: [LayerKind], _ loss: LossSpecification = .softmaxCrossEntropy, initializer: InitializerSpecification? = nil
) -> ModelSpecification {
    ModelSpecification(inputShape: input, layers: layers.map { LayerSpecification($0) }, loss: loss, initializer: initializer)
}
