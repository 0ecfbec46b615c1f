import Kernels
import NeuralNet
import Testing

/// Image layers, batch normalisation and residual blocks against central differences of a double-precision net that shares no code.
@Suite struct ImageGradientTests {
    /// Relative to the largest gradient: Float's rounding through several layers.
    static let tolerance = 3e-5
    /// Small, since normalisation bends what lies near a kink of ReLU.
    static let difference = 1e-6

    struct Model: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var specification: ModelSpecification

        init(_ name: String, _ input: [Int], _ layers: [LayerKind]) {
            testDescription = name
            specification = net(input, layers, .meanSquaredError, initializer: .normal(standardDeviation: 0.4))
        }
    }

    static let offset = InitializerSpecification.normal(standardDeviation: 0.3)

    static func conv(
        _ filters: Int, _ kernel: Extent, stride: Extent = Extent(1), padding: Extent = Extent(0), dilation: Extent = Extent(1),
        groups: Int = 1, bias: Bool = true
    ) -> LayerKind {
        .conv2d(
            ConvolutionOptions(
                filters: filters, kernel: kernel, stride: stride, padding: padding, dilation: dilation, groups: groups, bias: bias,
                biasInitializer: offset))
    }

    static func block(_ layers: LayerKind...) -> LayerKind { .residual(layers.map { LayerSpecification($0) }) }

    static let head: [LayerKind] = [.flatten, .dense(units: 3)]

    static let models =
        [
            Model("a convolution alone", [1, 5, 4], [conv(2, Extent(3)), .flatten]),
            Model("no bias", [2, 5, 4], [conv(3, Extent(3), bias: false)] + head),
            Model(
                "oblong kernel, stride, padding", [3, 7, 6], [conv(5, Extent(3, 2), stride: Extent(2, 1), padding: Extent(1, 2))] + head),
            Model("dilation", [2, 9, 8], [conv(3, Extent(3), padding: Extent(2), dilation: Extent(2, 3)), .tanh] + head),
            Model("groups", [4, 5, 5], [conv(8, Extent(3), padding: Extent(1), groups: 2), .relu] + head),
            Model("each channel for itself", [3, 5, 5], [conv(3, Extent(3), padding: Extent(1), groups: 3), .relu] + head),
            Model("whole blocks of channels", [1, 6, 6], [conv(16, Extent(3)), .relu, conv(16, Extent(3)), .relu] + head),
            Model("more than a block of channels", [1, 5, 5], [conv(18, Extent(2)), .sigmoid, conv(9, Extent(2)), .relu] + head),
            Model("kernel as large as the image", [2, 3, 4], [conv(4, Extent(3, 4)), .relu] + head),
            Model("max pooling", [2, 6, 5], [conv(3, Extent(2)), .maxPool2d(PoolingOptions(kernel: Extent(2)))] + head),
            Model(
                "max pooling behind relu", [2, 6, 5], [conv(3, Extent(2)), .relu, .maxPool2d(PoolingOptions(kernel: Extent(2)))] + head),
            Model(
                "max pooling behind tanh", [1, 6, 6],
                [conv(3, Extent(2)), .tanh, .maxPool2d(PoolingOptions(kernel: Extent(3), stride: Extent(2), padding: Extent(1)))] + head),
            Model(
                "average pooling", [2, 7, 6],
                [conv(3, Extent(2)), .relu, .averagePool2d(PoolingOptions(kernel: Extent(3, 2), stride: Extent(2), padding: Extent(1)))]
                    + head),
            Model("pooling the input", [2, 6, 6], [.averagePool2d(PoolingOptions(kernel: Extent(2)))] + head),
            Model("global average", [2, 5, 6], [conv(5, Extent(3)), .relu, .globalAveragePool2d, .dense(units: 3)]),
            Model("dropout of images", [2, 5, 5], [conv(3, Extent(3)), .relu, .dropout(rate: 0.3), conv(2, Extent(2))] + head),
            Model(
                "pooling, relu, dropout", [1, 8, 8],
                [
                    conv(4, Extent(3)), .relu, .maxPool2d(PoolingOptions(kernel: Extent(2))), .dropout(rate: 0.25), .flatten,
                    .dense(units: 3),
                ]),
            Model("two activations", [1, 5, 5], [conv(3, Extent(2)), .tanh, .sigmoid] + head),
            Model("batch norm of rows", [6], [.dense(units: 7, biasInitializer: offset), .batchNorm(), .relu, .dense(units: 3)]),
            Model("batch norm of many features", [5], [.dense(units: 19), .batchNorm(epsilon: 1e-3), .tanh, .dense(units: 3)]),
            Model("batch norm of images", [2, 4, 5], [conv(3, Extent(2), bias: false), .batchNorm(), .relu] + head),
            Model(
                "batch norm of whole blocks", [1, 4, 4],
                [conv(16, Extent(2)), .batchNorm(), conv(17, Extent(2)), .batchNorm(), .tanh] + head),
            Model("batch norm of the input", [2, 4, 4], [.batchNorm(), conv(3, Extent(2))] + head),
            Model("residual of rows", [5], [.dense(units: 6, biasInitializer: offset), block(.dense(units: 6), .tanh), .dense(units: 3)]),
            Model("residual projection of rows", [5], [block(.dense(units: 7), .relu, .dense(units: 4)), .relu, .dense(units: 3)]),
            Model("a block that begins with its activation", [5], [.dense(units: 6), block(.relu, .dense(units: 6)), .dense(units: 3)]),
            Model("a block of an activation alone", [5], [.dense(units: 6), block(.tanh), .dense(units: 3)]),
            Model("a block that does nothing", [5], [.dense(units: 6), block(.flatten), .dense(units: 3)]),
            Model("residual of the input", [5], [block(.dense(units: 5), .tanh), .dense(units: 3)]),
            Model(
                "residual of images", [2, 5, 5],
                [conv(4, Extent(3)), block(conv(4, Extent(3), padding: Extent(1)), .relu, conv(4, Extent(3), padding: Extent(1))), .relu]
                    + head),
            Model("residual of images from the input", [3, 4, 4], [block(conv(3, Extent(3), padding: Extent(1)), .relu)] + head),
            Model(
                "residual projection of images", [2, 7, 6],
                [
                    conv(3, Extent(3), padding: Extent(1)),
                    block(conv(5, Extent(3), stride: Extent(2), padding: Extent(1), bias: false), .batchNorm(), .tanh), .relu,
                ] + head),
            Model(
                "blocks inside blocks", [6],
                [
                    .dense(units: 6), .relu,
                    block(.dense(units: 6), block(.tanh, .dense(units: 6), block(.dense(units: 4), .sigmoid)), .relu, .dropout(rate: 0.2)),
                    .dense(units: 3),
                ]),
            Model(
                "a block that ends plain", [2, 4, 4],
                [conv(3, Extent(3), padding: Extent(1)), block(conv(3, Extent(3), padding: Extent(1)), .dropout(rate: 0.2)), .relu] + head),
            Model(
                "two blocks in a row", [4],
                [block(.dense(units: 4), .relu), block(.dense(units: 4), .tanh), block(.dense(units: 3), .tanh)]),
        ]

    struct Setting: Sendable, CustomTestStringConvertible {
        var set: InstructionSet
        var path: ProductPath
        var testDescription: String { "\(set), \(path)" }
    }

    static let settings = InstructionSet.allCases.filter { $0 <= .effective }.map {
        Setting(set: $0, path: $0 == .avx512 ? .oneDNN : .ownKernels)
    }

    @Test(arguments: models, settings)
    func gradientsAreTheSlopesOfTheLoss(model: Model, setting: Setting) throws {
        for count in [1, 5] { try check(model, setting, count: count) }
    }

    private func check(_ model: Model, _ setting: Setting, count: Int) throws {
        let network = try Network(model.specification)
        let rows = Rows(network, count: count, seed: 21), step: UInt64 = 3
        let weights = zeros(network.layout.blockLength)
        network.initialize(into: weights.mutableView, seed: 8)
        // Scales and running values that are not what they start with.
        for (index, entry) in network.layout.storedEntries.enumerated() where entry.shape.count == 1 {
            for (element, number) in zip(entry.range, numbers(entry.range.count, seed: UInt64(index), spread: 0.4)) {
                weights.mutableView[element] += entry.name.hasSuffix("variance") ? abs(number) : number
            }
        }
        let leaf = try SingleLeaf(model.specification, rows, weights: weights, seed: 8, path: setting.path, set: setting.set)
        let parameters = values(weights).map(Double.init)
        func loss(_ parameters: [Double], step: UInt64?) -> Double {
            ImageReference.loss(network, parameters, rows, seed: 8, step: step)
        }

        let (gradient, figures) = try leaf.gradient(step: step)
        let expectedLoss = loss(parameters, step: step)
        #expect(abs(figures.lossSum - expectedLoss) <= Self.tolerance * max(1, expectedLoss), "\(count) rows: loss")
        let slopes = (0..<network.layout.count).map { index in
            var above = parameters
            var below = parameters
            above[index] += Self.difference
            below[index] -= Self.difference
            return (loss(above, step: step) - loss(below, step: step)) / (2 * Self.difference)
        }
        #expect(worst(values(gradient.view[0..<network.layout.count]), slopes) <= Self.tolerance, "\(count) rows")

        let inference = leaf.evaluate().1, expected = loss(parameters, step: nil)
        #expect(abs(inference.lossSum - expected) <= Self.tolerance * max(1, expected), "\(count) rows: inference")
    }
}
