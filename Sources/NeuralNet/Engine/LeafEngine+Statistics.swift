internal import Exactness
internal import Kernels

/// What batch normalisation found of the leaves, on its way to the running values.
extension LeafEngine {
    /// The tail of every node's gradient: per layer the sums over its leaves, in double, along the tree.
    func sumStatistics(_ nodes: [NodeWork]) {
        for statistics in network.stageStatistics {
            guard let worker = workers[statistics.stage] else { continue }
            for (node, work) in nodes.enumerated() {
                let tail = targets[node][network.layout.count..<network.layout.blockLength]
                for element in 0..<statistics.sums.count {
                    let sum = sum(work.node, work.slots[...]) { leaf in
                        worker.statistics(of: call(statistics.stage, leaf, 0))?[element] ?? 0
                    }
                    tail.storeDouble(sum, at: statistics.sums.lowerBound + element)
                }
            }
        }
    }

    private func sum(_ node: TreeNode, _ leaves: ArraySlice<LeafSlot>, _ value: (LeafSlot) -> Double) -> Double {
        guard leaves.count > 1 else { return value(leaves[leaves.startIndex]) }
        let (left, right) = split(leaves, below: node)
        if left.isEmpty { return sum(node.right, leaves, value) }
        if right.isEmpty { return sum(node.left, leaves, value) }
        return sum(node.left, left, value) + sum(node.right, right, value)
    }
}
