public import Exactness

extension TreeReduction {
    /// Joins operands in the order in which they are passed, ((a + b) + c) + d, wherever in the tree they belong.
    ///
    /// - Parameter nodes: one per operand, in their order.
    public init(chaining nodes: [TreeNode]) {
        precondition(!nodes.isEmpty, "a reduction needs an operand")
        self.init(
            nodes: nodes, levelCount: nodes.count > 1 ? 1 : 0,
            joins: (1..<max(nodes.count, 1)).map { .two($0 == 1 ? 0 : -1, Source($0), level: 0) })
    }
}
