/// A node of the reduction tree over the virtual shards, numbered as in a binary heap: the root is 1, shard s of V is V + s.
public struct TreeNode: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    public let number: UInt32

    public init(number: UInt32) {
        self.number = number
    }

    public var left: TreeNode { TreeNode(number: number * 2) }
    public var right: TreeNode { TreeNode(number: number * 2 + 1) }
    public var parent: TreeNode { TreeNode(number: number / 2) }
    public var sibling: TreeNode { TreeNode(number: number ^ 1) }

    public static func < (a: TreeNode, b: TreeNode) -> Bool { a.number < b.number }

    public var description: String { "node \(number)" }

    public init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(UInt32.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}

/// The fixed binary tree over shards 0..<V in which every sum of a step is formed.
///
/// The tree is a property of the run. Whoever holds all leaves of a node may form its sum; nobody may form any other sum.
public struct ShardTree: Hashable, Sendable {
    /// V, a power of two.
    public let shardCount: Int
    /// Whether the sum of a node is rounded to bf16 when it is complete: that of a leaf, and of every node below the root.
    ///
    /// The root's sum is then formed where it is used, and never travels.
    public let roundsNodes: Bool

    public init(shardCount: Int, roundsNodes: Bool = false) {
        precondition(shardCount > 0 && shardCount & (shardCount - 1) == 0, "the number of virtual shards must be a power of two")
        self.shardCount = shardCount
        self.roundsNodes = roundsNodes
    }

    /// Whether the sum of `node` is rounded.
    public func rounds(_ node: TreeNode) -> Bool {
        roundsNodes && (node != root || isLeaf(node))
    }

    public var root: TreeNode { TreeNode(number: 1) }
    public var depth: Int { shardCount.trailingZeroBitCount }

    public func leaf(_ shard: Int) -> TreeNode {
        TreeNode(number: UInt32(shardCount + shard))
    }

    /// Whether `node` is one whose sum may travel; numbers from the wire are checked with it before anything else is asked of them.
    public func contains(_ node: TreeNode) -> Bool {
        node.number >= firstTraveller && node.number < UInt32(shardCount) * 2
    }

    private var firstTraveller: UInt32 { roundsNodes && shardCount > 1 ? 2 : 1 }

    public func isLeaf(_ node: TreeNode) -> Bool {
        node.number >= UInt32(shardCount)
    }

    /// The shards below `node`.
    public func shards(of node: TreeNode) -> Range<Int> {
        let level = node.number.leadingZeroBitCount - UInt32(shardCount).leadingZeroBitCount
        let first = (Int(node.number) << level) - shardCount
        return first..<(first + 1 << level)
    }

    /// The fewest nodes that may travel and together cover exactly `shards`: the maximal complete subtrees, in ascending order of shard.
    public func maximalSubtrees(of shards: ShardSet) -> [TreeNode] {
        var found: [TreeNode] = []
        func visit(_ node: TreeNode) {
            let range = self.shards(of: node)
            if shards.containsAll(range) && contains(node) {
                found.append(node)
            } else if range.count > 1 && shards.intersects(range) {
                visit(node.left)
                visit(node.right)
            }
        }
        visit(root)
        return found
    }
}

/// A set of virtual shards, one bit each.
public struct ShardSet: Hashable, Sendable {
    private var words: [UInt64]

    public init() {
        words = []
    }

    public init(_ range: Range<Int>) {
        self.init()
        for shard in range { insert(shard) }
    }

    public init(_ shards: some Sequence<Int>) {
        self.init()
        for shard in shards { insert(shard) }
    }

    public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    public func contains(_ shard: Int) -> Bool {
        shard >> 6 < words.count && words[shard >> 6] & (1 << UInt64(shard & 63)) != 0
    }

    public func containsAll(_ range: Range<Int>) -> Bool {
        range.allSatisfy { contains($0) }
    }

    public func intersects(_ range: Range<Int>) -> Bool {
        range.contains { contains($0) }
    }

    public mutating func insert(_ shard: Int) {
        while words.count <= shard >> 6 { words.append(0) }
        words[shard >> 6] |= 1 << UInt64(shard & 63)
    }

    public mutating func remove(_ shard: Int) {
        guard shard >> 6 < words.count else { return }
        words[shard >> 6] &= ~(1 << UInt64(shard & 63))
    }

    /// Empties the set and keeps its memory.
    public mutating func removeAll() {
        for index in words.indices { words[index] = 0 }
    }

    public mutating func formUnion(_ other: ShardSet) {
        while words.count < other.words.count { words.append(0) }
        for index in other.words.indices { words[index] |= other.words[index] }
    }

    public mutating func subtract(_ other: ShardSet) {
        for index in words.indices where index < other.words.count { words[index] &= ~other.words[index] }
    }

    /// The shards in ascending order.
    public var elements: [Int] {
        words.indices.flatMap { index in (0..<64).lazy.filter { words[index] & (1 << UInt64($0)) != 0 }.map { index * 64 + $0 } }
    }

    public static func == (a: ShardSet, b: ShardSet) -> Bool {
        let longest = max(a.words.count, b.words.count)
        return (0..<longest).allSatisfy { a.word($0) == b.word($0) }
    }

    public func hash(into hasher: inout Hasher) {
        for shard in elements { hasher.combine(shard) }
    }

    private func word(_ index: Int) -> UInt64 {
        index < words.count ? words[index] : 0
    }
}
