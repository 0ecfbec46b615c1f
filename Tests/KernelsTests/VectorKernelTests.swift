import Exactness
import Testing

@testable import Kernels

@Suite struct VectorKernelTests {
    private func values(_ count: Int, seed: Int) -> FloatBlock {
        let block = FloatBlock(count: count)
        var state = UInt32(truncatingIfNeeded: seed) &* 2_654_435_769 &+ 1
        for index in 0..<count {
            state = state &* 1_664_525 &+ 1_013_904_223
            block.mutableView[index] = Float(Int32(bitPattern: state)) * 0x1p-31 * Float(1 + index % 7)
        }
        return block
    }

    /// The sum by its definition: 16 lanes in each figure block, joined by halves, blocks joined by the tree.
    private func defined(_ terms: [Double]) -> Double {
        treeSum(
            stride(from: 0, to: terms.count, by: figureBlockLength).map { start in
                var lanes = [Double](repeating: 0, count: 16)
                for (offset, index) in (start..<min(start + figureBlockLength, terms.count)).enumerated() {
                    lanes[offset % 16] += terms[index]
                }
                for half in [8, 4, 2, 1] { for lane in 0..<half { lanes[lane] += lanes[lane + half] } }
                return lanes[0]
            })
    }

    @Test(arguments: [0, 1, 15, 16, 17, 100, 16_384, 16_385, 50_001])
    func figuresHaveTheBitsOfTheirDefinition(count: Int) {
        let (a, b) = (values(count, seed: 1), values(count, seed: 2))
        let elements = 0..<count
        #expect(VectorKernels.dot(a.view, b.view) == defined(elements.map { Double(a.view[$0]) * Double(b.view[$0]) }))
        #expect(VectorKernels.sumOfMagnitudes(a.view) == defined(elements.map { Double(abs(a.view[$0])) }))
        #expect(VectorKernels.largestMagnitude(a.view) == elements.map { abs(a.view[$0]) }.max() ?? 0)
    }

    @Test(arguments: 0...40)
    func blocksAreJoinedByTheTree(blocks: Int) {
        let sums = (0..<blocks).map { 1 / Double(3 * $0 + 1) }
        let figure = VectorKernels.figure(elementCount: blocks * figureBlockLength - min(blocks, 1)) {
            #expect($0.lowerBound % figureBlockLength == 0)
            return sums[$0.lowerBound / figureBlockLength]
        }
        #expect(figure == treeSum(sums))
    }

    @Test(arguments: [1, 7, 16, 33, 1_000])
    func sumsOfVectorsAreRoundedOnce(count: Int) {
        let (a, b) = (values(count, seed: 3), values(count, seed: 4))
        let result = FloatBlock(count: count)
        VectorKernels.combine(a.view, plus: 0.1, times: b.view, into: result.mutableView)
        for index in 0..<count { #expect(result.view[index] == Float(Double(a.view[index]) + 0.1 * Double(b.view[index]))) }
        VectorKernels.scale(a.view, by: -1 / 3.0, into: result.mutableView)
        for index in 0..<count { #expect(result.view[index] == Float(-1 / 3.0 * Double(a.view[index]))) }
        b.mutableView[0] = 0
        VectorKernels.objectiveGradient(sum: a.view, divisor: 7, weights: b.view, l2: 0.3, l1: 0.2, into: result.mutableView)
        for index in 0..<count {
            let weight = Double(b.view[index])
            let sign = weight > 0 ? 1.0 : weight < 0 ? -1 : 0
            #expect(result.view[index] == Float(Double(a.view[index]) / 7 + 0.3 * weight + 0.2 * sign))
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity], [0, 5, 16, 40])
    func aWildElementShowsInTheLargestMagnitude(value: Float, place: Int) {
        let block = values(41, seed: 5)
        block.mutableView[place] = value
        #expect(!VectorKernels.largestMagnitude(block.view).isFinite)
    }
}
