import Exactness
import Kernels
import NeuralNet
import Optimization
import ParameterServer

/// What every node of a step's tree sums up to, by the definition.
final class StepSums {
    let problem: Problem
    let step: UInt64
    private var sums: [TreeNode: FloatBlock] = [:]

    init(_ problem: Problem, step: UInt64) {
        self.problem = problem
        self.step = step
        _ = gradient(problem.tree.root)
    }

    /// nil for a node without rows.
    func gradient(_ node: TreeNode) -> FloatBlock? {
        if let known = sums[node] { return known }
        guard let sum = computed(node) else { return nil }
        sums[node] = sum
        return sum
    }

    private func computed(_ node: TreeNode) -> FloatBlock? {
        let tree = problem.tree
        if tree.isLeaf(node) {
            let shard = tree.shards(of: node).lowerBound
            guard problem.plan.isPresent(shard: shard, step: step) else { return nil }
            let leaf = FloatBlock(count: problem.layout.count)
            let numbers = LeafNumbers(step: step, shard: shard)
            for index in 0..<leaf.count { leaf.mutableView.base[index] = numbers.gradient(index) }
            return leaf
        }
        guard let left = gradient(node.left), let right = gradient(node.right) else {
            return gradient(node.left) ?? gradient(node.right)
        }
        let sum = FloatBlock(count: left.count)
        let (a, b) = (left.mutableView.base, right.mutableView.base)
        for index in 0..<sum.count { sum.mutableView.base[index] = a[index] + b[index] }
        return sum
    }

    func loss(_ node: TreeNode) -> Double? {
        guard !problem.tree.isLeaf(node) else {
            let shard = problem.tree.shards(of: node).lowerBound
            return problem.plan.isPresent(shard: shard, step: step) ? LeafNumbers(step: step, shard: shard).loss : nil
        }
        guard let left = loss(node.left), let right = loss(node.right) else { return loss(node.left) ?? loss(node.right) }
        return left + right
    }
}

/// Weights and slots after some steps, and what was reported of the last of them.
struct ReferenceState {
    var weights: FloatBlock
    var slots: [FloatBlock]
    var loss: Double

    func isEqual(to server: ParameterServer) -> Bool {
        ParameterServerTests.isEqual(weights.view, server.state.currentWeights.view)
            && zip(slots, server.state.currentSlots).allSatisfy { ParameterServerTests.isEqual($0.view, $1.view) }
            && slots.count == server.state.currentSlots.count && loss.bitPattern == server.lastLoss.bitPattern
    }
}

/// The run by the definition: whole blocks, one operand, which is the tree sum.
struct ReferenceRun {
    let problem: Problem
    let sums: [StepSums]
    /// After each step.
    private(set) var states: [ReferenceState] = []
    /// The norms of each step.
    private(set) var norms: [NormAccumulator] = []

    /// - Parameter skipped: steps whose gradient is not finite, which leave the state as it is.
    init(_ problem: Problem, steps: Int, skipped: Set<Int> = []) {
        self.problem = problem
        sums = (0..<UInt64(steps)).map { StepSums(problem, step: $0) }
        let (updater, count) = (problem.updater, problem.layout.count)
        let scratch = UpdateScratch(shardCount: 1)
        var weights = FloatBlock(count: count)
        problem.fill(weights.mutableView)
        var slots = (0..<updater.slotCount).map { _ in FloatBlock(count: count) }
        updater.initializeSlots(slots.map(\.mutableView))
        for (step, sum) in sums.enumerated() {
            let next = FloatBlock(count: count)
            let nextSlots = slots.map { _ in FloatBlock(count: count) }
            let norms = updater.makeNormAccumulator()
            let root = problem.tree.root
            let samples = problem.plan.sampleCount(step: UInt64(step))
            guard let gradient = sum.gradient(root), let loss = sum.loss(root) else { preconditionFailure("a step without rows") }
            let (mean, squares) = (FloatBlock(count: count), BlockSums(elementCount: count))
            let judged = updater.reduce(
                0..<count, reduction: .single, operands: [gradient.view], sampleCount: samples, into: mean.mutableView, scratch: scratch,
                squares: squares)
            precondition(judged == .finite, "the reference's gradient is finite")
            guard !skipped.contains(step) else {
                states.append(ReferenceState(weights: weights, slots: slots, loss: loss / Double(samples)))
                self.norms.append(norms)
                continue
            }
            let outcome = updater.update(
                0..<count, reduction: .single, operands: [mean.view], sampleCount: 1,
                scalars: updater.scalars(step: UInt64(step) + 1, learningRate: Problem.learningRate(UInt64(step))),
                gradientScale: updater.clipFactor(squaredNorm: squares.total), weights: weights.view, slots: slots.map(\.view),
                into: next.mutableView, nextSlots: nextSlots.map(\.mutableView), scratch: scratch, norms: norms)
            updater.limitRows(beginningIn: 0..<count, of: next.mutableView)
            updater.remeasureLimitedRows(norms, old: weights.view, new: next.view, scratch: scratch)
            precondition(outcome == .finite, "the reference's gradient is finite")
            (weights, slots) = (next, nextSlots)
            states.append(ReferenceState(weights: next, slots: nextSlots, loss: loss / Double(samples)))
            self.norms.append(norms)
        }
    }
}
