internal import Exactness

/// The rows of a part, dealt to the virtual shards by a seeded permutation.
public struct ShardedPart: Sendable {
    public let part: DataPart
    /// V
    public let shardCount: Int
    /// Row numbers in the permuted order: the one at p belongs to shard p % V, where its position is p / V.
    private let dealt: [UInt32]

    /// - Parameter deal: 0 for the first; `redeal_every` counts on.
    public init(_ part: DataPart, shardCount: Int, seed: UInt64, deal: UInt64 = 0) {
        precondition(shardCount > 0, "there must be at least one virtual shard")
        self.part = part
        self.shardCount = shardCount
        dealt = RandomStream(seed: seed, purpose: .deal, step: deal).permutation(count: part.rowCount).map { part.rows[Int($0)] }
    }

    public var format: RowFormat { part.format }
    public var rowCount: Int { dealt.count }

    /// Differs by at most one between shards; 0 if there are fewer rows than shards.
    public func rowCount(ofShard shard: Int) -> Int {
        precondition((0..<shardCount).contains(shard), "there is no such virtual shard")
        return (dealt.count + shardCount - 1 - shard) / shardCount
    }

    /// Whether there are such a shard and such positions in it; what a peer asks for is checked with it before it is gathered.
    public func contains(_ positions: ArraySlice<UInt32>, shard: Int) -> Bool {
        guard (0..<shardCount).contains(shard) else { return false }
        let count = rowCount(ofShard: shard)
        return positions.allSatisfy { $0 < count }
    }

    /// The row's number in its table, which is also its sample id.
    public func sourceRow(shard: Int, position: Int) -> UInt32 {
        precondition((0..<rowCount(ofShard: shard)).contains(position), "a shard has no such position")
        return dealt[position * shardCount + shard]
    }
}
