internal import CKernels

/// The order in which leaves are summed into a node, as operations on a stack of partial sums.
///
/// The shape is set once per set of leaves; the operands once per layer. Nothing is allocated once capacity is there.
package final class TreeProgram {
    private(set) var operations: [ck_sum_operation] = []
    private var leaves: [Int] = []

    package init() {}

    package func removeAll() {
        operations.removeAll(keepingCapacity: true)
        leaves.removeAll(keepingCapacity: true)
    }

    /// The sum at `level` becomes the leaf, or grows by it.
    package func append(leaf: Int, level: Int, adds: Bool) {
        precondition(level < Int(CK_MAX_LEVELS), "a tree deeper than the kernels' stack")
        var operation = ck_sum_operation()
        operation.level = Int32(level)
        operation.kind = Int32(adds ? CK_SUM_ADD : CK_SUM_STORE)
        operations.append(operation)
        leaves.append(leaf)
    }

    /// The sum at `level` grows by the one at `level + 1`.
    package func appendMerge(level: Int) {
        precondition(level + 1 < Int(CK_MAX_LEVELS), "a tree deeper than the kernels' stack")
        var operation = ck_sum_operation()
        operation.level = Int32(level)
        operation.kind = Int32(CK_SUM_MERGE)
        operations.append(operation)
        leaves.append(-1)
    }

    /// The sum at `level` is rounded to bf16.
    package func appendRounding(level: Int) {
        var operation = ck_sum_operation()
        operation.level = Int32(level)
        operation.kind = Int32(CK_SUM_ROUND)
        operations.append(operation)
        leaves.append(-1)
    }

    /// Floats of scratch that `sum` wants for sums of so many elements.
    package func scratchCount(elements: Int) -> Int {
        (operations.map { Int($0.level) }.max() ?? 0) * elements
    }

    /// The tree sum of blocks that `leaf` writes, or adds to what is there.
    package func sum(
        into target: MutableFloatView, scratch: MutableFloatView,
        leaf bring: (_ leaf: Int, _ block: MutableFloatView, _ adds: Bool) -> Void
    ) {
        /// Level 0 is the target; the scratch holds the levels above.
        func open(_ level: Int32) -> MutableFloatView {
            level == 0 ? target : scratch[(Int(level) - 1) * target.count..<Int(level) * target.count]
        }
        for (operation, leaf) in zip(operations, leaves) {
            let sum = open(operation.level)
            switch Int(operation.kind) {
            case CK_SUM_STORE: bring(leaf, sum, false)
            case CK_SUM_ADD: bring(leaf, sum, true)
            case CK_SUM_ROUND: ElementwiseKernels.roundToBF16(sum)
            default: ElementwiseKernels.add(open(operation.level + 1).view, to: sum)
            }
        }
    }

    /// Sets every leaf's operands for one layer.
    package func bind(_ operands: (_ leaf: Int) -> LeafOperands) {
        for index in operations.indices where leaves[index] >= 0 {
            let leaf = operands(leaves[index])
            precondition(leaf.isComplete, "operands of a leaf smaller than its shape")
            operations[index].transposed = UnsafePointer(leaf.transposed.base)
            operations[index].packed = UnsafePointer(leaf.packed.base)
            operations[index].plain = UnsafePointer(leaf.gradient.base)
            operations[index].rows = leaf.rows
            operations[index].ld = leaf.units
        }
    }
}

/// One leaf's part in a parameter gradient.
package struct LeafOperands {
    package var rows: Int
    package var units: Int
    package var depth: Int
    /// Output gradient, [rows, units].
    package var gradient: MutableFloatView
    /// The same, [units, rows].
    package var transposed: MutableFloatView
    /// Inputs by `packColumns`.
    package var packed: MutableFloatView

    package init(
        rows: Int, units: Int, depth: Int, gradient: MutableFloatView, transposed: MutableFloatView, packed: MutableFloatView
    ) {
        self.rows = rows
        self.units = units
        self.depth = depth
        self.gradient = gradient
        self.transposed = transposed
        self.packed = packed
    }

    var isComplete: Bool {
        gradient.count >= rows * units && transposed.count >= rows * units
            && packed.count >= rows * NetKernels.wholePanels(depth)
    }
}
