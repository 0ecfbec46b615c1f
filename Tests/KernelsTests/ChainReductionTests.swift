import Exactness
import Testing

@testable import Kernels

@Suite struct ChainReductionTests {
    /// ((a + b) + c) + …, whatever nodes they are of.
    @Test(arguments: [1, 2, 3, 4, 7])
    func operandsAreJoinedInTheirOrder(operandCount: Int) {
        let tree = ShardTree(shardCount: 8)
        let count = 4_099  // a whole cache block and a rest
        let operands = (0..<operandCount).map { UnalignedFloats(count: count, seed: UInt32($0 + 1), shift: $0 % 4) }
        let result = FloatBlock(count: count)
        let chain = TreeReduction(chaining: (0..<operandCount).reversed().map(tree.leaf))
        chain.reduce(operands.map(\.view), into: result.mutableView, scratch: UpdateScratch(shardCount: 8))
        let isEqual = (0..<count).allSatisfy { element in
            let sum = operands.dropFirst().reduce(operands[0].view[element]) { $0 + $1.view[element] }
            return result.view[element].bitPattern == sum.bitPattern
        }
        #expect(isEqual)
    }
}
