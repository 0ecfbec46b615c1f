import Exactness
import Foundation
import Kernels
import Testing

@testable import NeuralNet

/// What is said of activations and of dropout, as nets.
@Suite struct TechniqueTests {
    /// A few roundings of Float through three layers.
    static let tolerance = 1e-5

    /// Outputs for the inputs, and which ReLUs are active.
    private func outputs(_ model: ModelSpecification, _ inputs: [[Float]]) throws -> (values: [[Float]], active: [[Bool]]) {
        let network = try Network(model)
        let leaf = try SingleLeaf(
            model,
            Rows(
                features: inputs.flatMap { $0 }, targets: [Float](repeating: 0, count: inputs.count * network.outputCount),
                count: inputs.count), seed: 5)
        let y = leaf.evaluate().0
        var active = inputs.map { _ in [Bool]() }
        for (index, stage) in network.stages.enumerated() where stage.after.activation == .relu {
            let width = stage.outputWidth
            for row in inputs.indices {
                active[row] += (0..<width).map { leaf.engine.memory[0].outputs[index].view[row * width + $0] > 0 }
            }
        }
        return (inputs.indices.map { Array(y[$0 * network.outputCount..<($0 + 1) * network.outputCount]) }, active)
    }

    /// Inside one activation region a ReLU net is affine: the value in the middle is the mean of the ends. Over regions it is not.
    @Test func aReLUNetIsPiecewiseLinear() throws {
        let offset = InitializerSpecification.normal(standardDeviation: 0.3)
        let model = net(
            [4],
            [.dense(units: 9, biasInitializer: offset), .relu, .dense(units: 7, biasInitializer: offset), .relu, .dense(units: 3)],
            .meanSquaredError, initializer: .normal(standardDeviation: 0.6))
        let center: [Float] = [0.3, -0.2, 0.5, 0.1], direction: [Float] = [1, -2, 0.5, 1.5]
        func line(_ step: Float) -> [[Float]] { [-1, 0, 1].map { side in zip(center, direction).map { $0 + side * step * $1 } } }

        let near = try outputs(model, line(1 / 256)), far = try outputs(model, line(4))
        #expect(near.active[0] == near.active[1] && near.active[1] == near.active[2], "one region")
        #expect(far.active[0] != far.active[1] && far.active[1] != far.active[2], "several regions")
        func bend(_ values: [[Float]]) -> Double {
            (0..<3).map { abs(Double(values[0][$0]) - 2 * Double(values[1][$0]) + Double(values[2][$0])) }.max() ?? 0
        }
        #expect(near.values[0] != near.values[2], "the output moves")
        #expect(bend(near.values) <= Self.tolerance)
        #expect(bend(far.values) > 0.1)
    }

    /// Σ σ(z + ½ − i) over i = 1, 2, … is the midpoint rule for the integral that is softplus; its error is about σ'/24 ≤ 1/96
    /// (Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", ICML 2010, §2).
    @Test func shiftedSigmoidsApproachSoftplus() throws {
        let count = 60, z = (-20...30).map { Float($0) / 2 }
        let sum = net([1], [.dense(units: count), .sigmoid, .dense(units: 1)], .meanSquaredError)
        let ones = [Float](repeating: 1, count: count), offsets: [Float] = (1...count).map { 0.5 - Float($0) }
        let weights = ones + offsets + ones + [0]
        let leaf = try SingleLeaf(
            sum, Rows(features: z, targets: [Float](repeating: 0, count: z.count), count: z.count), weights: block(weights))
        let softplus = try ONNXNet.run([.softplus], rowShape: [1], z).values
        for (approximate, exact) in zip(leaf.evaluate().0, softplus) {
            #expect(abs(Double(approximate) - Double(exact)) <= 1.02 / 96)
        }
    }

    // MARK: Maxout

    /// Piece 0 fixed to 0, piece 1 as a dense layer: bit for bit the ReLU, also where both are 0, and so is what it learns.
    @Test func maxoutWithAPieceOfZeroIsTheReLU() throws {
        let inputs = 5, units = 7, rows = Rows(try Network(net([inputs], [.dense(units: 3)])), count: 11, seed: 3)
        let weight = numbers(units * inputs, seed: 8), bias = numbers(units, seed: 9).map { ($0 * 4).rounded() / 4 }
        let head = numbers(units * 3, seed: 10) + numbers(3, seed: 11)
        let pieces = (0..<units).flatMap { unit in
            [Float](repeating: 0, count: inputs) + weight[unit * inputs..<(unit + 1) * inputs]
        }
        let offsetsOfPieces: [Float] = bias.flatMap { [0, $0] }
        let relu = try SingleLeaf(
            net([inputs], [.dense(units: units), .relu, .dense(units: 3)]), rows, weights: block(weight + bias + head), path: .ownKernels)
        let maxout = try SingleLeaf(
            net([inputs], [.maxout(units: units, pieces: 2), .dense(units: 3)]), rows,
            weights: block(pieces + offsetsOfPieces + head), path: .ownKernels)
        #expect(maxout.evaluate().0.map(\.bitPattern) == relu.evaluate().0.map(\.bitPattern))

        let expected = values(try relu.gradient().0), found = values(try maxout.gradient().0)
        let weightCount = 2 * units * inputs
        let free: [Float] = (0..<units).flatMap { unit in found[(2 * unit + 1) * inputs..<(2 * unit + 2) * inputs] }
        let offsets: [Float] = (0..<units).map { found[weightCount + 2 * $0 + 1] }
        #expect(free == Array(expected[..<free.count]))
        #expect(offsets == Array(expected[free.count..<free.count + units]))
        #expect(Array(found[(weightCount + 2 * units)...]) == Array(expected[(free.count + units)...]))
    }

    /// Two pieces give |x|; a unit is convex, so no net of one maxout unit gives −|x|.
    @Test func maxoutLearnsItsShapeFromItsPieces() throws {
        let x = (-8...8).map { Float($0) / 4 }
        let y = try ONNXNet.run(
            [.maxout(units: 1, pieces: 2)], rowShape: [1], x, parameters: ["layers.0.weight": [1, -1], "layers.0.bias": [0, 0]]
        ).values
        #expect(y == x.map { abs($0) })
    }

    /// One sample trains one piece of a unit; a batch trains them all, because samples pick different winners.
    @Test func onlyTheWinningPieceLearnsFromASample() throws {
        let model = net([6], [.maxout(units: 4, pieces: 3)], .meanSquaredError)
        func trainedPieces(_ count: Int) throws -> [Int] {
            let leaf = try SingleLeaf(model, Rows(Network(model), count: count, seed: 2), seed: 3)
            let gradient = values(try leaf.gradient().0)
            return (0..<4).map { unit in (0..<3).count { gradient[72 + 3 * unit + $0] != 0 } }
        }
        #expect(try trainedPieces(1) == [1, 1, 1, 1])
        #expect(try trainedPieces(200) == [3, 3, 3, 3])
    }

    // MARK: Dropout as an ensemble

    /// The mean over masks of a linear net is the scaled net; through a sigmoid it is so approximately.
    @Test(arguments: [DropoutScaling.inverted, .classic])
    func theMeanOverMasksConvergesToTheScaledNet(scaling: DropoutScaling) throws {
        let rate = 0.4, rounds = 400
        for (layers, slack) in [
            ([LayerKind.dense(units: 24), .dropout(rate: rate, scaling: scaling), .dense(units: 3)], 0.0),
            ([.dense(units: 24), .dropout(rate: rate, scaling: scaling), .dense(units: 3), .sigmoid], 0.02),
        ] {
            let model = net([6], layers, .meanSquaredError), network = try Network(model)
            // Many copies of one row: each has its own sample number, so its own mask.
            let copies = 64, row = numbers(6, seed: 4)
            let rows = Rows(
                features: (0..<copies).flatMap { _ in row }, targets: [Float](repeating: 0, count: 3 * copies), count: copies)
            let leaf = try SingleLeaf(model, rows, seed: 6)
            var sums = [Double](repeating: 0, count: 3), squares = sums
            for step in 0..<rounds {
                _ = try leaf.gradient(step: UInt64(step))
                for (index, y) in values(leaf.engine.outputs(slot: 0, rows: copies)).enumerated() {
                    sums[index % 3] += Double(y)
                    squares[index % 3] += Double(y) * Double(y)
                }
            }
            let scaled = leaf.evaluate().0, count = Double(rounds * copies)
            for output in 0..<network.outputCount {
                let mean = sums[output] / count
                let error = ((squares[output] / count - mean * mean) / count).squareRoot()
                #expect(abs(mean - Double(scaled[output])) <= 6 * error + slack, "six standard errors, and what the sigmoid bends")
            }
        }
    }
}
