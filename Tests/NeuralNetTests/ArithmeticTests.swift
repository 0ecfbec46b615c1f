import Testing

@testable import NeuralNet

@Suite struct ArithmeticTests {
    private static func operations(_ shape: [Int], _ layers: [LayerKind]) throws -> Int {
        let loss = LossSpecification.softmaxCrossEntropy(labelSmoothing: 0)
        return try Network(ModelSpecification(inputShape: shape, layers: layers.map { LayerSpecification($0) }, loss: loss))
            .operationsPerRow
    }

    @Test func theNetsOwnInputNeedsNoGradient() throws {
        // Output and weight gradient of the first layer; those and the input's gradient of the second.
        #expect(try Self.operations([7], [.dense(units: 5)]) == 2 * 2 * 7 * 5)
        #expect(try Self.operations([7], [.dense(units: 5), .relu, .dense(units: 3)]) == 2 * (2 * 7 * 5 + 3 * 5 * 3))
    }

    @Test func aConvolutionMultipliesEveryWeightAtEveryPlace() throws {
        let convolution = LayerKind.conv2d(ConvolutionOptions(filters: 4, kernel: Extent(3, 3)))
        let places = 6 * 6, weights = 4 * 2 * 3 * 3
        let inputs = 4 * places
        #expect(
            try Self.operations([2, 8, 8], [convolution, .flatten, .dense(units: 3)])
                == 2 * (2 * places * weights + 3 * inputs * 3))
    }
}
