public import Exactness
public import Kernels

/// Rows of one shard in one of the engine's slots.
public struct LeafSlot: Sendable, Equatable {
    public var shard: Int
    public var slot: Int
    public var rows: Int

    public init(shard: Int, slot: Int, rows: Int) {
        self.shard = shard
        self.slot = slot
        self.rows = rows
    }
}

/// A node of the reduction tree whose gradient is wanted.
public struct NodeWork {
    public var node: TreeNode
    /// As long as the layout; every element is written.
    public var gradient: MutableFloatView
    /// The leaves below the node that take part in this step, at least one, ascending by shard, each with at least one row.
    public var slots: [LeafSlot]

    public init(node: TreeNode, gradient: MutableFloatView, slots: [LeafSlot]) {
        self.node = node
        self.gradient = gradient
        self.slots = slots
    }
}

/// Figures of some rows: sums and counts, never means.
public struct BlockFigures: Sendable, Equatable {
    public var rows: Int
    /// Sum over rows of the data loss.
    public var lossSum: Double
    /// Rows whose class is right (the largest logit, lowest index on ties; a single logit above 0); 0 for a regression.
    public var correct: Int
    /// Rows whose class is among the five of the largest logits; 0 for a regression.
    public var topFive: Int
    /// Σ(y − t)² over rows and outputs; 0 unless the loss compares values.
    public var squaredError: Double

    public init(rows: Int, lossSum: Double, correct: Int, topFive: Int = 0, squaredError: Double) {
        self.rows = rows
        self.lossSum = lossSum
        self.correct = correct
        self.topFive = topFive
        self.squaredError = squaredError
    }

    static func + (a: BlockFigures, b: BlockFigures) -> BlockFigures {
        BlockFigures(
            rows: a.rows + b.rows, lossSum: a.lossSum + b.lossSum, correct: a.correct + b.correct, topFive: a.topFive + b.topFive,
            squaredError: a.squaredError + b.squaredError)
    }
}
