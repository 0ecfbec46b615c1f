import Exactness
import Testing

@Suite struct TreeSumTests {
    /// The definition: halves of the next power of two; a side without operands is none.
    private func naive(_ blocks: [String?], _ range: Range<Int>) -> String? {
        guard range.lowerBound < blocks.count else { return nil }
        if range.count == 1 { return blocks[range.lowerBound] }
        let middle = range.lowerBound + range.count / 2
        switch (naive(blocks, range.lowerBound..<middle), naive(blocks, middle..<range.upperBound)) {
        case (let left?, let right?): return "(\(left)+\(right))"
        case (let left, let right): return left ?? right
        }
    }

    private func padded(_ count: Int) -> Int {
        var size = 1
        while size < count { size *= 2 }
        return size
    }

    private func joined(_ blocks: [String?]) -> String? {
        treeSum(blocks) { "(\($0)+\($1))" }
    }

    @Test func blocksAreJoinedInTreeOrder() {
        #expect(joined(["a", "b", "c", "d", "e"]) == "(((a+b)+(c+d))+e)")
        for count in 0...70 {
            let blocks = (0..<count).map { Optional("\($0)") }
            #expect(joined(blocks) == naive(blocks, 0..<padded(count)))
        }
    }

    @Test func anAbsentBlockIsNoOperand() {
        #expect(joined([nil, "b", nil, nil, "e"]) == "(b+e)")
        #expect(joined([nil, nil, nil]) == nil)
        for count in 1...9 {
            for subset in 0..<1 << count {
                let blocks = (0..<count).map { subset >> $0 & 1 == 1 ? "\($0)" : nil }
                #expect(joined(blocks) == naive(blocks, 0..<padded(count)))
            }
        }
    }

    @Test func trailingAbsentBlocksChangeNothing() {
        let blocks: [String?] = ["a", "b", "c"]
        #expect(joined(blocks + [nil, nil, nil, nil]) == joined(blocks))
    }

    @Test func doublesAreAddedInTheSameOrder() {
        // From left to right this is 1: (1 + 1e16) and (−1e16 + 1) each lose theirs.
        #expect(treeSum([1, 1e16, -1e16, 1]) == 0)
        #expect(treeSum([1e16, -1e16, 1, 1]) == 2)
        #expect(treeSum([]) == 0)
        #expect(treeSum([0.1]) == 0.1)
    }
}
