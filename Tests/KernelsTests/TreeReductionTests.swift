import Exactness
import Testing

@testable import Kernels

@Suite struct TreeReductionTests {
    @Test func everyAntichainOfEightShardsIsJoinedInTreeOrder() {
        let tree = ShardTree(shardCount: 8)
        let scratch = UpdateScratch(shardCount: 8)
        let antichains = Self.antichains(below: tree.root, in: tree).filter { !$0.isEmpty }
        #expect(antichains.count == 676)  // f(leaf) = 2, f(node) = 1 + f(child)²; less the empty one
        for nodes in antichains {
            expectTreeOrder(nodes.reversed(), in: tree, count: 19, scratch: scratch)  // whole vectors of every level, and a rest
        }
    }

    @Test(arguments: [1, 3, 4_095, 4_097, 16_389])
    func blocksOfAnyLengthAreReduced(count: Int) {
        let tree = ShardTree(shardCount: 8)
        let nodes = [tree.leaf(0), tree.leaf(1), TreeNode(number: 5), tree.leaf(5), TreeNode(number: 7)]
        expectTreeOrder(nodes, in: tree, count: count, scratch: UpdateScratch(shardCount: 8))
        expectTreeOrder((0..<8).map(tree.leaf), in: tree, count: count, scratch: UpdateScratch(shardCount: 8))
    }

    @Test(arguments: 1...6)
    func aThousandShardsNeedTenLevels(seed: Int) {
        let tree = ShardTree(shardCount: 1_024)
        var numbers = TestNumbers(seed: UInt32(seed))
        let present = (0..<1_024).filter { _ in seed == 1 || numbers.next() > 0 }
        let reduction = TreeReduction(nodes: present.map(tree.leaf), in: tree)
        #expect(reduction.levelCount <= 10)
        expectTreeOrder(present.map(tree.leaf), in: tree, count: 2, scratch: UpdateScratch(shardCount: 1_024))
    }

    @Test func fourLeavesAreJoinedInOneGo() {
        let tree = ShardTree(shardCount: 4)
        #expect(TreeReduction(nodes: (0..<4).map(tree.leaf), in: tree).joins.count == 1)
        #expect(TreeReduction(nodes: [tree.leaf(0), tree.leaf(2), tree.leaf(3)], in: tree).joins.count == 2)
        #expect(TreeReduction(nodes: [tree.root], in: tree).joins.isEmpty)
    }

    private func expectTreeOrder(
        _ nodes: [TreeNode], in tree: ShardTree, count: Int, scratch: UpdateScratch, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let operands = nodes.enumerated().map { UnalignedFloats(count: count, seed: UInt32($0.offset + 1), shift: $0.offset % 4) }
        let result = FloatBlock(count: count)
        TreeReduction(nodes: nodes, in: tree).reduce(operands.map(\.view), into: result.mutableView, scratch: scratch)

        func value(_ node: TreeNode, _ element: Int) -> Float? {
            if let index = nodes.firstIndex(of: node) { return operands[index].view[element] }
            guard !tree.isLeaf(node) else { return nil }
            guard let left = value(node.left, element) else { return value(node.right, element) }
            guard let right = value(node.right, element) else { return left }
            return left + right
        }
        let isEqual = (0..<count).allSatisfy { result.view[$0].bitPattern == value(tree.root, $0)?.bitPattern }
        #expect(isEqual, "nodes \(nodes)", sourceLocation: sourceLocation)
    }

    private static func antichains(below node: TreeNode, in tree: ShardTree) -> [[TreeNode]] {
        guard !tree.isLeaf(node) else { return [[], [node]] }
        let right = antichains(below: node.right, in: tree)
        return [[node]] + antichains(below: node.left, in: tree).flatMap { left in right.map { left + $0 } }
    }
}

/// Numbers in ±1 of very different magnitudes, so that every order of addition has bits of its own.
struct TestNumbers {
    private var state: UInt32

    init(seed: UInt32) {
        state = seed &* 2_654_435_761
    }

    mutating func next() -> Float {
        state = state &* 1_664_525 &+ 1_013_904_223
        let magnitude = Float(sign: .plus, exponent: -Int(state >> 8 & 15), significand: 1)
        return Float(Int32(bitPattern: state &* 747_796_405)) / Float(1 << 31) * magnitude
    }
}

/// Floats that begin `shift` bytes behind an aligned address, as the body of a message may.
final class UnalignedFloats {
    private let memory: UnsafeMutableRawBufferPointer
    private let shift: Int

    init(count: Int, seed: UInt32, shift: Int) {
        memory = .allocate(byteCount: count * 4 + shift, alignment: 64)
        self.shift = shift
        var numbers = TestNumbers(seed: seed)
        for index in 0..<count { self[index] = numbers.next() }
    }

    deinit {
        memory.deallocate()
    }

    subscript(index: Int) -> Float {
        get { memory.loadUnaligned(fromByteOffset: shift + index * 4, as: Float.self) }
        set { memory.storeBytes(of: newValue, toByteOffset: shift + index * 4, as: Float.self) }
    }

    /// Valid while this object lives.
    var view: FloatView {
        FloatView(base: UnsafeRawPointer(memory.baseAddress! + shift), count: (memory.count - shift) / 4)  // allocated above
    }
}
