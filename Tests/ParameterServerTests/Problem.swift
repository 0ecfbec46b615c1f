import Exactness
import Kernels
import NeuralNet
import Optimization
import ParameterServer

/// A small net, its rule and its plan: what a server is made from.
struct Problem {
    let layout: ParameterLayout
    let updater: Updater
    let plan: StepPlan
    let tree: ShardTree

    /// 41,004 parameters: two whole chunks of 65,536 bytes and a short one, borders inside of segments.
    static let specification = ModelSpecification(
        inputShape: [200],
        layers: [LayerSpecification(.dense(units: 200)), LayerSpecification(.relu), LayerSpecification(.dense(units: 4, bias: true))],
        loss: .softmaxCrossEntropy)

    let policy: NonFinitePolicy

    /// 60,003 parameters in rows of 20,000: longer than the smallest chunk.
    static let longRows = ModelSpecification(
        inputShape: [20_000], layers: [LayerSpecification(.dense(units: 3))], loss: .softmaxCrossEntropy)

    init(
        _ rule: RuleSpecification, shardCount: Int, rowCount: Int = 37, batchSize: Int = 32,
        treatment: GradientTreatment = GradientTreatment(clipValue: 0.5, l2: 1e-3), groups: [ParameterGroup] = [],
        policy: NonFinitePolicy = .stop, specification: ModelSpecification = Self.specification
    ) throws {
        let network = try Network(specification)
        self.policy = policy
        layout = network.layout
        updater = try Updater(
            rule: rule, treatment: treatment, segments: network.layout.updateSegments, groups: groups)
        plan = StepPlan(rowCount: rowCount, batchSize: batchSize, shardCount: shardCount)
        tree = ShardTree(shardCount: shardCount)
    }

    /// Changes with the step, so that a rate taken of another step shows.
    static func learningRate(_ step: UInt64) -> Double { 0.01 / Double(step + 1) }

    func samples(of node: TreeNode, step: UInt64) -> Int {
        tree.shards(of: node).reduce(0) { $0 + plan.positions(step: step, shard: $1).count }
    }

    /// Initial weights: the same for every server of a problem.
    func fill(_ weights: MutableFloatView) {
        let numbers = LeafNumbers(step: 1 << 20, shard: 0)
        for index in 0..<weights.count { weights.base[index] = numbers.gradient(index) }
    }
}

/// Pseudo-random numbers of very different magnitudes, so that every order of addition has bits of its own.
struct LeafNumbers {
    private let seed: UInt32

    init(step: UInt64, shard: Int) {
        seed = UInt32(truncatingIfNeeded: step) &* 0x9E37_79B9 &+ UInt32(shard) &* 0x85EB_CA6B &+ 1
    }

    /// Between ±2⁻¹⁵ and ±1, far from subnormals.
    func gradient(_ element: Int) -> Float {
        var word = (seed &+ UInt32(truncatingIfNeeded: element)) &* 0xCC9E_2D51
        word = (word ^ word >> 15) &* 0x1B87_3593
        word ^= word >> 13
        return Float(sign: word & 1 == 0 ? .plus : .minus, exponent: -Int(word >> 1 & 15), significand: 1 + Float(word >> 9) * 0x1p-23)
    }

    var loss: Double { Double(gradient(-1)) * 0.1 + 1 }
}
