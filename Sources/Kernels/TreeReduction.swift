internal import CKernels
public import Exactness

/// The joins that bring the operands of one set of nodes together in tree order.
///
/// value(node) = its operand if it has one, else value(left) + value(right); a side without operands is no operand. Built once per set
/// of nodes; running it allocates nothing.
public struct TreeReduction: Sendable {
    /// An operand (its index, from 0) or a level of the scratch (−1 − level).
    typealias Source = Int32

    enum Join: Sendable {
        /// a + b, left in a level of the scratch.
        case two(Source, Source, level: Int)
        /// (a + b) + (c + d) in one go.
        case four(Source, Source, Source, Source, level: Int)
        /// a + b, rounded to bf16.
        case rounded(Source, Source, level: Int)
    }

    /// Whose operands are reduced, in the order in which they are passed.
    public let nodes: [TreeNode]
    /// How many levels of scratch the joins need.
    public let levelCount: Int
    let joins: [Join]

    /// The reduction of one operand: itself.
    public static let single = TreeReduction(nodes: [TreeNode(number: 1)], in: ShardTree(shardCount: 1))

    /// `nodes`, in any order, are nodes of `tree`, none below another.
    public init(nodes: [TreeNode], in tree: ShardTree) {
        precondition(!nodes.isEmpty, "a reduction needs an operand")
        var operands = [Source](repeating: -1, count: tree.shardCount * 2)
        for (index, node) in nodes.enumerated() {
            precondition(tree.contains(node) && operands[Int(node.number)] < 0, "operands belong to different nodes of the tree")
            operands[Int(node.number)] = Source(index)
        }
        var builder = Builder(operands: operands, tree: tree)
        _ = builder.visit(tree.root, freeLevel: 0)
        precondition(builder.operandsSeen == nodes.count, "an operand lies below another")
        self.nodes = nodes
        joins = builder.joins
        levelCount = builder.levelCount
    }

    init(nodes: [TreeNode], levelCount: Int, joins: [Join]) {
        (self.nodes, self.levelCount, self.joins) = (nodes, levelCount, joins)
    }

    private struct Builder {
        let operands: [Source]
        let tree: ShardTree
        var joins: [Join] = []
        var operandsSeen = 0
        var levelCount = 0

        /// The source of the node's value, nil without operands; a join leaves it in `freeLevel` and uses no level before.
        mutating func visit(_ node: TreeNode, freeLevel: Int) -> Source? {
            let operand = operands[Int(node.number)]
            if operand >= 0 {
                operandsSeen += 1
                return operand
            }
            guard !tree.isLeaf(node) else { return nil }
            let left = visit(node.left, freeLevel: freeLevel)
            let leftIsJoin = (left ?? 0) < 0
            let right = visit(node.right, freeLevel: leftIsJoin ? freeLevel + 1 : freeLevel)
            guard let left, let right else { return left ?? right }
            append(left, right, level: freeLevel, rounds: tree.rounds(node))
            levelCount = max(levelCount, freeLevel + 1)
            return -1 - Source(freeLevel)
        }

        /// Where both sides are single joins of two operands, takes the three joins in one go.
        private mutating func append(_ left: Source, _ right: Source, level: Int, rounds: Bool) {
            if rounds {
                joins.append(.rounded(left, right, level: level))
            } else if left < 0, right < 0, case (let a, let b)? = operandPair(1), case (let c, let d)? = operandPair(0) {
                joins.removeLast(2)
                joins.append(.four(a, b, c, d, level: level))
            } else {
                joins.append(.two(left, right, level: level))
            }
        }

        /// The operands of a join counted from the end, if it has no others.
        private func operandPair(_ back: Int) -> (Source, Source)? {
            guard case .two(let a, let b, _) = joins[joins.count - 1 - back], a >= 0, b >= 0 else { return nil }
            return (a, b)
        }
    }
}

extension TreeReduction {
    /// Writes the reduction of `operands`, one per node and each as long as `result`, in cache blocks.
    ///
    /// The mode is that of the update: subnormals are zero, so the bits do not depend on the thread.
    public func reduce(_ operands: [FloatView], into result: MutableFloatView, scratch: UpdateScratch) {
        check(operands, count: result.count, scratch: scratch)
        let kernels = UpdateKernels.best
        UpdateKernels.withUpdateMode {
            var start = 0
            while start < result.count {
                let count = min(UpdateScratch.blockLength, result.count - start)
                let out = result.base + start
                let sum = joinAllButLast(operands, from: start, count: count, scratch: scratch, kernels: kernels)
                if let right = sum.b {
                    kernels.table.join(out, sum.a, right, count)
                } else {
                    UnsafeMutableRawPointer(out).copyMemory(from: sum.a, byteCount: count * MemoryLayout<Float>.stride)
                }
                start += count
            }
        }
    }

    /// The sum of `count` elements of each operand as far as it goes without a join of two at the top, which can be part of a bigger loop.
    func joinAllButLast(
        _ operands: [FloatView], from start: Int, count: Int, scratch: UpdateScratch, kernels: UpdateKernels
    ) -> dnn_sum {
        func address(_ source: Source) -> UnsafeRawPointer {
            source >= 0
                ? operands[Int(source)].base + start * MemoryLayout<Float>.stride
                : UnsafeRawPointer(scratch.level(-1 - Int(source)))
        }
        guard !joins.isEmpty else { return dnn_sum(a: address(0), b: nil) }
        for (index, join) in joins.enumerated() {
            switch join {
            case .two(let a, let b, _) where index == joins.count - 1:
                return dnn_sum(a: address(a), b: address(b))
            case .two(let a, let b, let level):
                kernels.table.join(scratch.level(level), address(a), address(b), count)
            case .four(let a, let b, let c, let d, let level):
                kernels.table.join_four(scratch.level(level), address(a), address(b), address(c), address(d), count)
            case .rounded(let a, let b, let level):
                kernels.table.join(scratch.level(level), address(a), address(b), count)
                ElementwiseKernels.roundToBF16(MutableFloatView(base: scratch.level(level), count: count))
            }
        }
        return dnn_sum(a: scratch.level(0), b: nil)
    }

    func check(_ operands: [FloatView], count: Int, scratch: UpdateScratch) {
        precondition(operands.count == nodes.count, "one operand per node")
        precondition(operands.allSatisfy { $0.count == count }, "an operand differs in length from the result")
        precondition(levelCount <= scratch.levelCount, "the scratch was made for fewer shards")
    }
}
