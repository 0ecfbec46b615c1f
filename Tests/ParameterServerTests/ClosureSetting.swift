import Exactness
import Kernels
import Optimization

@testable import ParameterServer

/// A smooth function of 40,000 weights as a sum over leaves, and the machine that the server must agree with.
struct ClosureSetting {
    static let elementCount = 40_000

    let rule: RuleSpecification
    let passes: StepPasses
    let tree: ShardTree
    let isSteady: Bool

    init(_ rule: RuleSpecification, shardCount: Int = 4, rowCount: Int = 37, batchSize: Int = 16, isSteady: Bool = true) {
        self.rule = rule
        tree = ShardTree(shardCount: shardCount)
        passes = StepPasses(
            plan: StepPlan(rowCount: rowCount, batchSize: batchSize, shardCount: shardCount), isFull: rule.closureLimits?.isFullPass ?? true
        )
        self.isSteady = isSteady
    }

    static let objective = PenalizedObjective(segments: [
        PenaltySegment(range: 0..<30_000, l2: 0.01), PenaltySegment(range: 30_000..<elementCount),
    ])

    static func fill(_ weights: FloatBlock) {
        let numbers = LeafNumbers(step: 1 << 20, shard: 0)
        for index in 0..<weights.count { weights.mutableView.base[index] = numbers.gradient(index) }
    }

    func rows(_ round: GradientRound, shard: Int) -> Int {
        passes.plan.positions(step: round.planStep, shard: shard).count
    }

    /// Gradient and loss of a leaf: ½k(w − c)² per row and element, k and c of the element, and a slope of the leaf's own.
    func leaf(_ round: GradientRound, shard: Int, weights: FloatView) -> (gradient: FloatBlock, loss: Double)? {
        let rows = Float(rows(round, shard: shard))
        guard rows > 0 else { return nil }
        let numbers = LeafNumbers(step: round.planStep &* 31 &+ round.maskStep, shard: shard)
        let gradient = FloatBlock(count: weights.count)
        let (out, base) = (gradient.mutableView.base, weights.base.assumingMemoryBound(to: Float.self))
        var loss = 0.0
        for index in 0..<weights.count {
            let stiffness = 1 + Float(index % 7)
            let distance = base[index] - Float(index % 11) * 0.1
            let slope = numbers.gradient(index) * 0.001
            out[index] = rows * (stiffness * distance + slope)
            loss += Double(rows) * Double(stiffness * distance * distance / 2 + slope * base[index]) / Double(weights.count)
            out[index] /= Float(weights.count)
        }
        return (gradient, loss)
    }

    /// A node's sum by the definition.
    func node(_ node: TreeNode, _ round: GradientRound, weights: FloatView) -> (gradient: FloatBlock, loss: Double)? {
        if tree.isLeaf(node) { return leaf(round, shard: tree.shards(of: node).lowerBound, weights: weights) }
        let (left, right) = (self.node(node.left, round, weights: weights), self.node(node.right, round, weights: weights))
        guard let left, let right else { return left ?? right }
        let sum = FloatBlock(count: weights.count)
        let (out, a, b) = (sum.mutableView.base, left.gradient.mutableView.base, right.gradient.mutableView.base)
        for index in 0..<sum.count { out[index] = a[index] + b[index] }
        return (sum, left.loss + right.loss)
    }

    /// The run by the definition: trees, folded from the left, fed to a machine.
    func reference(steps: Int) throws -> ClosureMachine {
        let weights = FloatBlock(count: Self.elementCount)
        Self.fill(weights)
        let machine = try ClosureMachine(rule: rule, objective: Self.objective, weights: weights)
        for step in 0..<UInt64(steps) {
            var turn = machine.beginStep(isSameObjective: isSteady && passes.isFull)
            while turn == .evaluate {
                machine.writeTrial(into: weights.mutableView)
                var sum: FloatBlock?
                var losses: [Double] = []
                var samples = 0
                for batch in passes.batches(of: step) {
                    let round = GradientRound(number: 0, planStep: batch, maskStep: step)
                    guard let found = node(tree.root, round, weights: weights.view) else { continue }
                    losses.append(found.loss)
                    samples += passes.plan.sampleCount(step: batch)
                    guard let before = sum else {
                        sum = found.gradient
                        continue
                    }
                    for index in 0..<before.count { before.mutableView.base[index] += found.gradient.mutableView.base[index] }
                }
                guard let sum else { preconditionFailure("a pass has rows") }
                turn = machine.take(
                    loss: treeSum(losses) / Double(samples), gradientSum: sum.view, sampleCount: samples, weights: weights.view)
            }
            machine.commit()
        }
        return machine
    }
}

/// A closure server with workers that answer at once, in any order, by any nodes.
final class ClosureHarness {
    let setting: ClosureSetting
    let server: ClosureServer
    private(set) var rounds: [GradientRound] = []
    private(set) var numbers: [UInt64] = []
    private(set) var reduced: [Int] = []
    private(set) var lent: Set<Int> = []
    private var nextToken = 1
    private let given: GivenBack
    /// Memory behind what was offered in the open round.
    private var kept: [FloatBlock] = []

    private final class GivenBack {
        var tokens: [Int] = []
    }

    init(_ setting: ClosureSetting, chunkByteCount: Int = 65_536) throws {
        self.setting = setting
        let given = GivenBack()
        self.given = given
        server = try ClosureServer(
            elementCount: ClosureSetting.elementCount, rule: setting.rule, objective: ClosureSetting.objective, passes: setting.passes,
            tree: setting.tree, chunkByteCount: chunkByteCount, isSteady: setting.isSteady, isFree: { _ in true },
            release: { given.tokens.append($0) })
        server.initializeWeights(ClosureSetting.fill)
    }

    /// Tokens that were accepted and not given back.
    var outstandingTokens: Set<Int> { lent.subtracting(given.tokens) }
    var givesBackTwice: Bool { Set(given.tokens).count != given.tokens.count }

    /// Takes progress; true if a step has been completed.
    func drain() -> Bool {
        var isComplete = false
        while let progress = server.nextProgress() {
            switch progress {
            case .weights: numbers.append(server.round)
            case .roundOpened(let round): rounds.append(round)
            case .reduced(let count): reduced.append(count)
            case .stepCompleted: isComplete = true
            case .notFinite: preconditionFailure("the function is finite")
            }
        }
        return isComplete
    }

    @discardableResult
    func offer(_ node: TreeNode, _ chunk: Int, of round: GradientRound, samples: Int? = nil) -> ParameterServer.Offer {
        guard let sum = setting.node(node, round, weights: server.openWeights.view) else { preconditionFailure("\(node) has no rows") }
        let count = setting.tree.shards(of: node).reduce(0) { $0 + setting.rows(round, shard: $1) }
        let token = nextToken
        nextToken += 1
        let offer = server.offer(
            step: round.number, node: node, chunk: chunk, samples: samples ?? count, loss: chunk == 0 ? sum.loss : 0,
            body: sum.gradient.view[server.chunks.range(chunk)], token: token)
        kept.append(sum.gradient)
        if offer == .accepted { lent.insert(token) }
        return offer
    }

    /// Takes a step with every round's nodes in the order that `order` gives them.
    func step(_ order: (GradientRound, [TreeNode]) -> [TreeNode]) {
        server.beginStep()
        while !drain() {
            guard let round = server.openRound else { preconditionFailure("a step without a round") }
            kept.removeAll()
            let leaves = (0..<setting.tree.shardCount).filter { setting.rows(round, shard: $0) > 0 }.map { setting.tree.leaf($0) }
            for node in order(round, leaves) {
                for chunk in (0..<server.chunks.count).reversed() where server.openRound == round { offer(node, chunk, of: round) }
            }
        }
    }
}
