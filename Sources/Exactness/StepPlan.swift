/// Which rows every leaf of every step takes: a pure function of row count, batch size and V.
///
/// Every step takes the next batch/V rows of each shard's epoch order; at the end of an epoch a leaf may be short or absent.
public struct StepPlan: Hashable, Sendable {
    /// Rows of the part that is trained on.
    public let rowCount: Int
    public let shardCount: Int
    /// Rows of a full leaf: batch size / V.
    public let leafRows: Int

    /// - Precondition: V divides the batch size; the run file's reader has told the user so before.
    public init(rowCount: Int, batchSize: Int, shardCount: Int) {
        precondition(batchSize > 0 && shardCount > 0 && batchSize % shardCount == 0, "V must divide the batch size")
        self.rowCount = rowCount
        self.shardCount = shardCount
        self.leafRows = batchSize / shardCount
    }

    /// Rows of shard `shard`: sizes differ by at most one, the first shards hold the surplus.
    public func rows(ofShard shard: Int) -> Int {
        rowCount / shardCount + (shard < rowCount % shardCount ? 1 : 0)
    }

    public var stepsPerEpoch: Int {
        (rows(ofShard: 0) + leafRows - 1) / leafRows
    }

    public func epoch(ofStep step: UInt64) -> UInt64 {
        step / UInt64(stepsPerEpoch)
    }

    public func stepInEpoch(_ step: UInt64) -> Int {
        Int(step % UInt64(stepsPerEpoch))
    }

    /// The positions in the shard's epoch order that its leaf of `step` takes; empty for an absent leaf.
    public func positions(step: UInt64, shard: Int) -> Range<Int> {
        block(stepInEpoch(step), ofShard: shard)
    }

    public func isPresent(shard: Int, step: UInt64) -> Bool {
        stepInEpoch(step) * leafRows < rows(ofShard: shard)
    }

    /// Samples of `step` over all shards.
    public func sampleCount(step: UInt64) -> Int {
        (0..<shardCount).reduce(0) { $0 + positions(step: step, shard: $1).count }
    }

    /// Blocks of at most `leafRows` rows that a long pass cuts the shard into, in stored order, never across shards.
    public func blockCount(ofShard shard: Int) -> Int {
        (rows(ofShard: shard) + leafRows - 1) / leafRows
    }

    /// The rows of a shard's block.
    public func block(_ index: Int, ofShard shard: Int) -> Range<Int> {
        let rows = rows(ofShard: shard)
        let first = min(index * leafRows, rows)
        return first..<min(first + leafRows, rows)
    }

    /// The number of the shard's first block when the blocks of all shards are counted in shard order.
    public func firstBlock(ofShard shard: Int) -> Int {
        (0..<shard).reduce(0) { $0 + blockCount(ofShard: $1) }
    }

    public var blockCount: Int { firstBlock(ofShard: shardCount) }

    /// Every row count that a leaf or a block of this plan can have, in ascending order.
    public var leafRowCounts: [Int] {
        var counts: Set<Int> = []
        for shard in Set([0, shardCount - 1]) {
            let rows = rows(ofShard: shard)
            if rows >= leafRows { counts.insert(leafRows) }
            if rows % leafRows != 0 { counts.insert(rows % leafRows) }
        }
        return counts.sorted()
    }
}
