import Foundation
import Kernels
import Testing

/// Softmax, PReLU and maxout by their definitions; as parts of nets they are in NeuralNetTests.
@Suite struct RowKernelTests {
    /// A few roundings of Float.
    static let tolerance = 1e-6

    @Test(arguments: runnableSets, [1, 3, 8, 19])
    func softmaxOfARowSumsToOne(set: InstructionSet, width: Int) {
        let rows = 4, x = numbers(rows * width, seed: 1, spread: 40), y = zeros(x.count)
        NetKernels(set).softmax(block(x).view, rows: rows, width: width, into: y.mutableView)
        for row in 0..<rows {
            let part = x[row * width..<(row + 1) * width].map(Double.init)
            let largest = part.max() ?? 0
            let sum = part.reduce(0) { $0 + exp($1 - largest) }
            for column in 0..<width {
                #expect(abs(Double(y.view[row * width + column]) - exp(part[column] - largest) / sum) <= Self.tolerance)
            }
        }
    }

    @Test(arguments: runnableSets)
    func largeAndInfiniteInputsDoNotBreakASoftmax(set: InstructionSet) {
        let y = zeros(6)
        NetKernels(set).softmax(block([1e30, 1e30, -.infinity, 0, .nan, 0]).view, rows: 2, width: 3, into: y.mutableView)
        #expect(values(y)[..<3] == [0.5, 0.5, 0])
        #expect(values(y)[3...].allSatisfy { $0.isNaN })
    }

    @Test(arguments: runnableSets)
    func preluSlopesBelongToChannels(set: InstructionSet) {
        let x = block([-1, 2, -3, 4, -5, -6]), y = zeros(6), dx = zeros(6), slopes = block([0.5, 0.25]), gradient = zeros(2)
        NetKernels(set).prelu(x.view, slopes: slopes.view, rows: 1, width: 6, into: y.mutableView)
        #expect(values(y) == [-0.5, 2, -1.5, 4, -1.25, -1.5])
        NetKernels(set).preluBackward(
            x: x.view, dy: block([1, 1, 2, 1, 1, 3]).view, slopes: slopes.view, rows: 1, width: 6, dx: dx.mutableView,
            gradient: gradient.mutableView)
        #expect(values(dx) == [0.5, 1, 1, 1, 0.25, 0.75])
        #expect(values(gradient) == [-1 - 6, -5 - 18])
    }

    @Test(arguments: runnableSets)
    func maxoutTakesTheFirstOfTheLargestAndShowsNaN(set: InstructionSet) {
        let z = block([1, 3, 3, 5, 5, 5, -.infinity, -2, -1, 1, .nan, 2]), y = zeros(4), dz = zeros(12)
        NetKernels(set).maxout(z.view, pieces: 3, count: 4, into: y.mutableView)
        #expect(values(y)[..<3] == [3, 5, -1] && y.view[3].isNaN)
        NetKernels(set).maxoutBackward(z: z.view, dy: block([7, 8, 9, 6]).view, pieces: 3, count: 4, dz: dz.mutableView)
        #expect(values(dz) == [0, 7, 0, 8, 0, 0, 0, 0, 9, 0, 6, 0])
    }

    @Test func everyInstructionSetGivesTheSameBits() {
        let rows = 5, width = 21, x = block(numbers(rows * width, seed: 2, spread: 5)), dy = block(numbers(rows * width, seed: 3))
        let all = runnableSets.map { set in
            let kernels = NetKernels(set)
            let blocks = (0..<4).map { _ in zeros(rows * width) }
            let slopes = block(numbers(7, seed: 5)), slopeGradients = zeros(7)
            kernels.softmax(x.view, rows: rows, width: width, into: blocks[0].mutableView)
            kernels.softmaxBackward(y: blocks[0].view, dy: dy.view, rows: rows, width: width, dx: blocks[1].mutableView)
            kernels.prelu(x.view, slopes: slopes.view, rows: rows, width: width, into: blocks[2].mutableView)
            kernels.preluBackward(
                x: x.view, dy: dy.view, slopes: slopes.view, rows: rows, width: width, dx: blocks[3].mutableView,
                gradient: slopeGradients.mutableView)
            return (blocks + [slopeGradients]).flatMap(bits)
        }
        #expect(all.allSatisfy { $0 == all[0] })
    }
}
