import Exactness
import Foundation
import Testing

@Suite struct ShardTreeTests {
    static let sizes = [1, 2, 4, 8, 64, 1_024]

    @Test(arguments: sizes)
    func aNodeCoversTheShardsOfItsChildren(shardCount: Int) {
        let tree = ShardTree(shardCount: shardCount)
        #expect(tree.shards(of: tree.root) == 0..<shardCount)
        #expect(1 << tree.depth == shardCount)
        for number in 1..<UInt32(2 * shardCount) {
            let node = TreeNode(number: number)
            let shards = tree.shards(of: node)
            #expect(tree.contains(node))
            #expect(tree.isLeaf(node) == (shards.count == 1))
            if tree.isLeaf(node) {
                #expect(node == tree.leaf(shards.lowerBound))
            } else {
                #expect(Array(tree.shards(of: node.left)) + Array(tree.shards(of: node.right)) == Array(shards))
                #expect(node.left.parent == node && node.right.parent == node)
                #expect(node.left.sibling == node.right && node.right.sibling == node.left)
            }
        }
    }

    @Test(arguments: sizes)
    func numbersFromElsewhereAreForeign(shardCount: Int) {
        let tree = ShardTree(shardCount: shardCount)
        for number in [0, UInt32(2 * shardCount), UInt32(2 * shardCount + 1), .max] {
            #expect(!tree.contains(TreeNode(number: number)))
        }
    }

    /// Brute force: every node whose shards are all there and whose parent's are not.
    @Test(arguments: [1, 2, 4, 8])
    func theMaximalSubtreesOfEverySubsetAreThoseOfBruteForce(shardCount: Int) {
        let tree = ShardTree(shardCount: shardCount)
        for subset in 0..<1 << shardCount {
            let shards = Set((0..<shardCount).filter { subset >> $0 & 1 == 1 })
            func isWhole(_ node: TreeNode) -> Bool { tree.contains(node) && shards.isSuperset(of: tree.shards(of: node)) }
            let expected = (1..<UInt32(2 * shardCount)).map(TreeNode.init).filter { isWhole($0) && !isWhole($0.parent) }
            let found = tree.maximalSubtrees(of: ShardSet(shards))
            #expect(found == expected.sorted { tree.shards(of: $0).lowerBound < tree.shards(of: $1).lowerBound })
            #expect(found.flatMap { Array(tree.shards(of: $0)) } == shards.sorted())
        }
    }

    /// Where sums are rounded on their way, the root's is formed where it is used; with one shard the leaf is what travels.
    @Test func theRootOfARoundedTreeDoesNotTravel() {
        let tree = ShardTree(shardCount: 4, roundsNodes: true)
        #expect(!tree.contains(tree.root) && !tree.rounds(tree.root))
        #expect(tree.maximalSubtrees(of: ShardSet(0..<4)) == [tree.root.left, tree.root.right])
        #expect((2..<8).allSatisfy { tree.contains(TreeNode(number: $0)) && tree.rounds(TreeNode(number: $0)) })
        let single = ShardTree(shardCount: 1, roundsNodes: true)
        #expect(single.contains(single.root) && single.rounds(single.root))
        #expect(single.maximalSubtrees(of: ShardSet(0..<1)) == [single.root])
    }

    @Test func aNodeIsWrittenAsItsNumber() throws {
        let nodes = [TreeNode(number: 1), TreeNode(number: .max)]
        let data = try JSONEncoder().encode(nodes)
        #expect(String(decoding: data, as: UTF8.self) == "[1,4294967295]")
        #expect(try JSONDecoder().decode([TreeNode].self, from: data) == nodes)
        #expect(nodes[0] < nodes[1])
    }
}
