import Kernels
import NeuralNet
import Testing

/// Every layer and loss against central differences of a double-precision net that shares no code with the engine.
@Suite struct GradientTests {
    /// Relative to the largest gradient: Float's rounding through four layers.
    static let tolerance = 2e-5
    static let difference = 1e-5

    struct Model: CustomTestStringConvertible {
        var testDescription: String
        var specification: ModelSpecification

        init(_ name: String, _ input: [Int], _ layers: [LayerKind], _ loss: LossSpecification = .softmaxCrossEntropy) {
            testDescription = name
            specification = net(input, layers, loss, initializer: .normal(standardDeviation: 0.4))
        }
    }

    static let offset = InitializerSpecification.normal(standardDeviation: 0.3)

    static let models = [
        Model("dense alone", [7], [.dense(units: 3, biasInitializer: offset)]),
        Model("no bias", [5], [.dense(units: 4, bias: false), .tanh, .dense(units: 2, bias: false)]),
        Model("sigmoid", [7], [.dense(units: 5, biasInitializer: offset), .sigmoid, .dense(units: 3, biasInitializer: offset)]),
        Model("tanh", [3], [.dense(units: 9, biasInitializer: offset), .tanh, .dense(units: 2)]),
        Model("relu", [6], [.dense(units: 11, biasInitializer: offset), .relu, .dense(units: 4)]),
        Model("leaky relu", [6], [.dense(units: 11, biasInitializer: offset), .leakyReLU(slope: 0.2), .dense(units: 4)]),
        Model("flatten", [2, 3, 2], [.flatten, .dense(units: 5), .relu, .dense(units: 3)]),
        Model("activation of the input", [5], [.tanh, .dense(units: 3)]),
        Model(
            "activations in a row", [5], [.dense(units: 6, biasInitializer: offset), .tanh, .sigmoid, .leakyReLU(), .dense(units: 2)]),
        Model("dropout after relu", [9], [.dense(units: 13), .relu, .dropout(rate: 0.4), .dense(units: 3)]),
        Model("dropout after leaky relu", [9], [.dense(units: 13), .leakyReLU(slope: 0.3), .dropout(rate: 0.4), .dense(units: 3)]),
        Model("dropout after sigmoid", [9], [.dense(units: 13), .sigmoid, .dropout(rate: 0.4), .dense(units: 3)]),
        Model("classic dropout after tanh", [9], [.dense(units: 13), .tanh, .dropout(rate: 0.3, scaling: .classic), .dense(units: 3)]),
        Model("dropout of a linear layer", [9], [.dense(units: 13), .dropout(rate: 0.5), .dense(units: 3)]),
        Model("dropout of the input", [9], [.dropout(rate: 0.2), .dense(units: 3)]),
        Model("dropout before the activation", [9], [.dense(units: 8), .dropout(rate: 0.2), .tanh, .dense(units: 3)]),
        Model("binary cross-entropy", [4], [.dense(units: 6, biasInitializer: offset), .tanh, .dense(units: 1)], .binaryCrossEntropy),
        Model("mean squared error", [4], [.dense(units: 6, biasInitializer: offset), .sigmoid, .dense(units: 5)], .meanSquaredError),
        Model("loss of an activation", [4], [.dense(units: 6, biasInitializer: offset), .sigmoid], .meanSquaredError),
    ]

    @Test(arguments: models, ProductPath.allCases)
    func gradientsAreTheSlopesOfTheLoss(model: Model, path: ProductPath) throws {
        for count in [1, 5] { try check(model, path, count: count) }
    }

    private func check(_ model: Model, _ path: ProductPath, count: Int) throws {
        let network = try Network(model.specification)
        let rows = Rows(network, count: count, seed: 21), step: UInt64 = 3
        let leaf = try SingleLeaf(model.specification, rows, seed: 8, path: path)
        let reference = ReferenceNet(specification: model.specification, seed: 8)
        let parameters = values(leaf.weights).map(Double.init)

        let (gradient, figures) = try leaf.gradient(step: step)
        let expectedLoss = reference.loss(parameters, rows, step: step)
        #expect(abs(figures.lossSum - expectedLoss) <= Self.tolerance * max(1, expectedLoss))
        #expect(figures.rows == count)
        let slopes = parameters.indices.map { index in
            var above = parameters
            var below = parameters
            above[index] += Self.difference
            below[index] -= Self.difference
            return (reference.loss(above, rows, step: step) - reference.loss(below, rows, step: step)) / (2 * Self.difference)
        }
        #expect(worst(values(gradient), slopes) <= Self.tolerance)

        let inference = leaf.evaluate().1
        let expected = reference.loss(parameters, rows, step: nil)
        #expect(abs(inference.lossSum - expected) <= Self.tolerance * max(1, expected))
    }
}
