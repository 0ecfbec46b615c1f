import Exactness
import Kernels
import NeuralNet
import Optimization
import Testing

@testable import ParameterServer

/// definitions.md, "Batch norm": row-weighted means over the leaves, in double, in the order of the tree.
@Suite struct RunningValuesTests {
    static let tree = ShardTree(shardCount: 4)

    let layout: ParameterLayout
    let weights: FloatBlock

    init() throws {
        let network = try Network(
            ModelSpecification(
                inputShape: [3],
                layers: [.init(.batchNorm(momentum: 0.25)), .init(.dense(units: 2)), .init(.batchNorm()), .init(.dense(units: 2))],
                loss: .softmaxCrossEntropy))
        layout = network.layout
        weights = FloatBlock(count: layout.blockLength)
        network.initialize(into: weights.mutableView, seed: 1)
    }

    /// What a shard's leaf found: its rows, and numbers that differ in their last places.
    private func leaf(_ shard: Int, rows: Double) -> [Double] {
        layout.runningStatistics.flatMap { statistics in
            [rows]
                + (0..<2 * statistics.channels).map { (channel: Int) -> Double in
                    let base: Double = 1 / Double(3 + shard)
                    return rows * (base + Double(channel) * 1e-9)
                }
        }
    }

    /// Bodies that contributions look at.
    private final class Kept { var bodies: [FloatBlock] = [] }
    private let kept = Kept()

    private func contribution(_ node: TreeNode, _ sums: [Double]) -> Contribution {
        let body = FloatBlock(count: 2 * sums.count + 1)
        kept.bodies.append(body)
        for (index, value) in sums.enumerated() { body.mutableView[1..<body.count].storeDouble(value, at: index) }
        return Contribution(node: node, samples: 1, loss: 0, body: body.view[1..<body.count], token: 0)
    }

    private func values(_ contributions: [Contribution], keepsOld: Bool = false) -> [Float] {
        let state = StateVersions(elementCount: layout.count, tailCount: layout.tailCount, slotCount: 0)
        state.currentWeights.mutableView.copy(from: weights.view)
        let running = RunningValues(layout, tree: Self.tree)
        running.open(state)
        #expect(running.reduce(contributions) == .done)
        running.update(keepsOld: keepsOld)
        return (layout.count..<layout.blockLength).map { state.nextWeights.view[$0] }
    }

    private func joined(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 + $1 } }

    @Test func whoSumsDoesNotMatter() {
        let tree = Self.tree, leaves = [32, 32, 31, 7].enumerated().map { leaf($0.offset, rows: $0.element) }
        let left = joined(leaves[0], leaves[1]), right = joined(leaves[2], leaves[3])
        let apart = values((0..<4).map { contribution(tree.leaf($0), leaves[$0]) })
        #expect(apart == values([contribution(tree.root, joined(left, right))]))
        #expect(apart == values([contribution(tree.root.left, left), contribution(tree.root.right, right)]))
        #expect(
            apart
                == values([
                    contribution(tree.leaf(0), leaves[0]), contribution(tree.leaf(1), leaves[1]), contribution(tree.root.right, right),
                ]))
        // An absent leaf is no operand.
        let without = values([contribution(tree.leaf(0), leaves[0]), contribution(tree.root.right, right)])
        #expect(without == values([contribution(tree.root, joined(leaves[0], right))]))
        #expect(without != apart)
    }

    @Test func valuesMoveByTheirMomentum() throws {
        let found = values([contribution(Self.tree.root, leaf(0, rows: 32))])
        var expected: [Float] = []
        for statistics in layout.runningStatistics {
            for index in 0..<2 * statistics.channels {
                let old = index < statistics.channels ? 0.0 : 1.0, new = 1.0 / 3 + Double(index) * 1e-9
                expected.append(Float((1 - statistics.momentum) * old + statistics.momentum * new))
            }
        }
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= $1.ulp })
        #expect(layout.runningStatistics.map(\.momentum) == [0.25, 0.1])
    }

    @Test func aSkippedStepAndLeavesWithoutStatisticsChangeNothing() {
        let old = (layout.count..<layout.blockLength).map { weights.view[$0] }
        #expect(values([contribution(Self.tree.root, leaf(0, rows: 32))], keepsOld: true) == old)
        #expect(values([contribution(Self.tree.root, leaf(0, rows: 0))]) == old)
    }

    @Test func aSumThatIsNotFiniteIsNamed() {
        var sums = leaf(0, rows: 32)
        sums[sums.count - 1] = .infinity
        let running = RunningValues(layout, tree: Self.tree)
        guard case .notFinite(let element) = running.reduce([contribution(Self.tree.root, sums)]) else {
            Issue.record("accepted")
            return
        }
        #expect(layout.storedEntry(containing: element)?.name == "layers.2.running_mean")
    }
}
