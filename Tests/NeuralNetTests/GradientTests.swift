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
        Model("mean absolute error", [4], [.dense(units: 6, biasInitializer: offset), .tanh, .dense(units: 5)], .meanAbsoluteError),
        Model("huber", [4], [.dense(units: 6, biasInitializer: offset), .tanh, .dense(units: 5)], .huber(delta: 0.3)),
        Model("label smoothing", [4], [.dense(units: 9, biasInitializer: offset)], .softmaxCrossEntropy(labelSmoothing: 0.2)),
        Model("elu", [6], [.dense(units: 11, biasInitializer: offset), .elu(alpha: 1.5), .dense(units: 4)]),
        Model("selu", [6], [.dense(units: 11, biasInitializer: offset), .selu, .dense(units: 4)]),
        Model("gelu", [6], [.dense(units: 11, biasInitializer: offset), .gelu(), .dense(units: 4)]),
        Model("gelu by tanh", [6], [.dense(units: 33, biasInitializer: offset), .gelu(approximate: .tanh), .dense(units: 4)]),
        Model("gelu of the input, then dropout", [6], [.gelu(), .dropout(rate: 0.3), .dense(units: 4)]),
        Model("silu, then dropout", [6], [.dense(units: 11), .silu, .dropout(rate: 0.3), .dense(units: 4)]),
        Model("two that read their input", [5], [.dense(units: 7), .silu, .gelu(), .dense(units: 3)]),
        Model("silu after dropout", [5], [.dense(units: 7), .relu, .dropout(rate: 0.3), .silu, .dense(units: 3)]),
        Model("softplus", [6], [.dense(units: 11, biasInitializer: offset), .softplus, .dense(units: 4)]),
        Model("hard sigmoid", [6], [.dense(units: 11, biasInitializer: offset), .hardSigmoid, .dense(units: 4)]),
        Model("softmax", [6], [.dense(units: 11, biasInitializer: offset), .softmax, .dense(units: 4)]),
        Model("softmax, then an activation and dropout", [6], [.dense(units: 9), .softmax, .tanh, .dropout(rate: 0.3), .dense(units: 4)]),
        Model("loss of a softmax", [6], [.dense(units: 5), .softmax], .meanSquaredError),
        Model("prelu", [6], [.dense(units: 11, biasInitializer: offset), .prelu(), .dense(units: 4)]),
        Model("prelu per unit", [6], [.dense(units: 11, biasInitializer: offset), .prelu(perChannel: true), .dense(units: 4)]),
        Model("prelu per channel of the input", [3, 2, 5], [.prelu(perChannel: true), .flatten, .dense(units: 4)]),
        Model("prelu, then dropout", [6], [.dense(units: 11), .prelu(), .dropout(rate: 0.4), .dense(units: 4)]),
        Model("maxout", [6], [.maxout(units: 5, pieces: 3), .maxout(units: 3, pieces: 2), .dense(units: 4)]),
        Model("maxout of one piece, tanh", [6], [.maxout(units: 5, pieces: 1), .tanh, .dense(units: 4)]),
        Model("maxout and dropout", [6], [.dropout(rate: 0.2), .maxout(units: 9, pieces: 5), .dropout(rate: 0.5), .dense(units: 4)]),
        Model("loss of a maxout", [6], [.maxout(units: 4, pieces: 3)]),
        Model("layer norm", [6], [.dense(units: 11, biasInitializer: offset), .layerNorm(), .dense(units: 4)]),
        Model(
            "layer norm of the input, relu, dropout", [2, 3, 2],
            [.layerNorm(), .relu, .dropout(rate: 0.3), .flatten, .dense(units: 4)]),
        Model("loss of a layer norm", [6], [.dense(units: 4, biasInitializer: offset), .layerNorm(epsilon: 0.1)]),
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
