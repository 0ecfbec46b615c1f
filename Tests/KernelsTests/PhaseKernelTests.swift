import Exactness
import Testing

@testable import Kernels

@Suite struct PhaseKernelTests {
    @Test(arguments: [1, figureBlockLength, figureBlockLength + 1, 5 * figureBlockLength, 7 * figureBlockLength + 3])
    func blockSumsAreJoinedByTheTree(elements: Int) {
        let sums = BlockSums(elementCount: elements)
        let count = (elements + figureBlockLength - 1) / figureBlockLength
        // Magnitudes so different that every other order has other bits.
        let values: [Double] = (0..<count).map { (block: Int) -> Double in
            let square = Double(block * block) * 1e13
            return square + Double(block) / 3 + 1
        }
        for (block, value) in values.enumerated().reversed() { sums.set(value, block: block) }
        #expect(sums.total == treeSum(values))
        #expect(sums.total == treeSum(values))  // asking changes nothing
    }

    @Test func everyLevelBoundsRowsWithTheSameBits() throws {
        let levels = UpdateKernels.Level.allCases.compactMap { UpdateKernels($0) }
        for (length, rows) in [(1, 9), (3, 17), (31, 8), (1_000, 5)] {
            var numbers = TestNumbers(seed: UInt32(length))
            let start = (0..<length * rows).map { _ in numbers.next() * 2 }
            let limit = Double(length).squareRoot() * 0.9
            let results = levels.map { kernels in
                let block = FloatBlock(count: start.count)
                for (index, value) in start.enumerated() { block.mutableView[index] = value }
                RowLimit.apply(limit, to: block.mutableView, length: length, kernels: kernels)
                return (0..<block.count).map { block.view[$0] }
            }
            for result in results { #expect(result == results[0]) }
            for row in 0..<rows {
                let range = row * length..<(row + 1) * length
                let norm = start[range].reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
                let expected = norm > limit ? start[range].map { Float(Double($0) * (limit / norm)) } : Array(start[range])
                #expect(Array(results[0][range]) == expected, "row \(row) of \(length)")
            }
        }
    }
}
