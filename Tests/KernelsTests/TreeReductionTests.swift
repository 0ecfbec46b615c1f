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

    /// Sums of nodes below the root are rounded wherever they are formed, that of the root is not.
    @Test(arguments: [1, 19, 4_097])
    func sumsBelowTheRootAreRounded(count: Int) {
        let tree = ShardTree(shardCount: 8, roundsNodes: true)
        let scratch = UpdateScratch(shardCount: 8)
        for nodes in [(0..<8).map(tree.leaf), (1..<8).map(tree.leaf), (0..<4).map(tree.leaf), [tree.root.left, tree.root.right]] {
            expectTreeOrder(nodes, in: tree, count: count, scratch: scratch)
        }
    }

    @Test func roundingToHalvesIsToTheNearestTiesToEven() {
        // 1 + 2⁻⁸ lies between 1 and 1 + 2⁻⁷: the even one is 1; 1 + 3·2⁻⁸ between 1 + 2⁻⁷ and 1 + 2⁻⁶.
        let cases: [(Float, Float)] = [
            (1 + 0x1p-8, 1), (1 + 3 * 0x1p-8, 1 + 0x1p-6), ((1 + 0x1p-8).nextUp, 1 + 0x1p-7), (-1 - 0x1p-8, -1), (0, 0), (-0.0, -0.0),
            (.greatestFiniteMagnitude, .infinity), (.infinity, .infinity), (0x1p-133, 0x1p-133), (0x1p-149, 0),
        ]
        let block = FloatBlock(count: cases.count + 1)
        for (index, pair) in cases.enumerated() { block.mutableView[index] = pair.0 }
        block.mutableView[cases.count] = Float(bitPattern: 0x7F80_0001)
        let halves = FloatBlock(count: (block.count + 1) / 2)
        ElementwiseKernels.round(block.view, intoBF16: halves.mutableView)
        ElementwiseKernels.roundToBF16(block.mutableView)
        for (index, pair) in cases.enumerated() { #expect(block.view[index].bitPattern == pair.1.bitPattern, "\(pair)") }
        #expect(block.view[cases.count].isNaN)
        let widened = FloatBlock(count: block.count)
        ElementwiseKernels.widen(bf16: UnsafeRawBufferPointer(rebasing: halves.view.bytes[..<(2 * block.count)]), into: widened.mutableView)
        #expect((0..<block.count).allSatisfy { widened.view[$0].bitPattern == block.view[$0].bitPattern })
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
            return tree.rounds(node) ? Self.rounded(left + right) : left + right
        }
        let isEqual = (0..<count).allSatisfy { result.view[$0].bitPattern == value(tree.root, $0)?.bitPattern }
        #expect(isEqual, "nodes \(nodes)", sourceLocation: sourceLocation)
    }

    /// The nearest bfloat16, from the distances to the two around it.
    private static func rounded(_ value: Float) -> Float {
        let upper = value.bitPattern & 0xFFFF_0000
        let (below, above) = (Float(bitPattern: upper), Float(bitPattern: upper + 0x1_0000))
        let (down, up) = (abs(Double(value) - Double(below)), abs(Double(above) - Double(value)))
        if down == up { return upper & 0x1_0000 == 0 ? below : above }
        return down < up ? below : above
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
