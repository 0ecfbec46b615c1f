internal import Exactness
internal import Kernels
internal import NeuralNet

/// The tail of the state: running means and variances, from the sums that the leaves' batch normalisations leave behind the gradient.
///
/// Everything is double, in the order of the tree: Σ rows · value over the leaves, divided by Σ rows once, then
/// running ← (1 − momentum) · running + momentum · that. A leaf that used the running values has no rows in the sums.
final class RunningValues: @unchecked Sendable {  // one task of the tail's chunk at a time
    private let statistics: [ParameterLayout.RunningStatistics]
    private let tree: ShardTree
    private let tail: Range<Int>
    /// Open sums by level of the tree; the first ends as the whole.
    private var levels: [[Double]]
    private var current = FloatBlock(count: 0).view
    private var next = FloatBlock(count: 0).mutableView

    init(_ layout: ParameterLayout, tree: ShardTree) {
        statistics = layout.runningStatistics
        self.tree = tree
        tail = layout.count..<layout.blockLength
        let count = statistics.last?.sums.upperBound ?? 0
        levels = (0..<(count > 0 ? tree.depth + 1 : 0)).map { _ in [Double](repeating: 0, count: count) }
    }

    func open(_ state: StateVersions) {
        current = state.currentWeights.view
        next = state.nextWeights.mutableView
    }

    /// Stands for the reduced tail, which is kept here.
    var reduced: FloatView { current[tail] }

    // MARK: The sums

    /// - Parameter contributions: in the order of their shards, none below another.
    func reduce(_ contributions: [Contribution]) -> ChunkOutcome {
        sum(tree.root, contributions[...], level: 0)
        for statistic in statistics where !levels[0][statistic.sums].allSatisfy(\.isFinite) {
            return .notFinite(element: statistic.mean.range.lowerBound)
        }
        return .done
    }

    private func sum(_ node: TreeNode, _ contributions: ArraySlice<Contribution>, level: Int) {
        guard contributions.count > 1 else {
            let body = contributions[contributions.startIndex].body
            for element in levels[level].indices { levels[level][element] = body.double(at: element) }
            return
        }
        let middle = tree.shards(of: node.right).lowerBound
        let split = contributions.firstIndex { tree.shards(of: $0.node).lowerBound >= middle } ?? contributions.endIndex
        if split == contributions.startIndex { return sum(node.right, contributions, level: level) }
        if split == contributions.endIndex { return sum(node.left, contributions, level: level) }
        sum(node.left, contributions[..<split], level: level)
        sum(node.right, contributions[split...], level: level + 1)
        for element in levels[level].indices { levels[level][element] += levels[level + 1][element] }
    }

    // MARK: The values

    /// - Parameter keepsOld: as after a step that is skipped.
    func update(keepsOld: Bool) {
        for statistic in statistics {
            statistic.update(current, into: next) { [levels] in keepsOld ? 0 : levels[0][$0] }
        }
    }
}
