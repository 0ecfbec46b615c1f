import Kernels
import NeuralNet
import Testing

/// Nets with activations, maxout and norms: what fits, where parameters lie, how they start.
@Suite struct PointwiseNetworkTests {
    static let faults: [NetworkTests.Fault] = [
        .init(
            specification: net([4], [.dense(units: 3), .elu(alpha: -1)]), layer: 1,
            message: "layers[1] (elu): alpha must be a number not below 0, got -1.0"),
        .init(
            specification: net([2, 3, 4], [.maxout(units: 3)]), layer: 0,
            message: "layers[0] (maxout): takes rows of one dimension, but the input gives 2×3×4; put \"flatten\" before it"),
        .init(specification: net([4], [.maxout(units: 0)]), layer: 0, message: "layers[0] (maxout): units must be at least 1, got 0"),
        .init(
            specification: net([4], [.maxout(units: 2, pieces: 0)]), layer: 0,
            message: "layers[0] (maxout): pieces must be at least 1, got 0"),
        .init(
            specification: net([4], [.maxout(units: 1 << 40, pieces: 1 << 40)]), layer: 0,
            message: "layers[0] (maxout): 1099511627776 units of 1099511627776 pieces are more than a row may have (2^28)"),
        .init(
            specification: net([2, 3, 4], [.softmax, .flatten, .dense(units: 2)]), layer: 0,
            message: "layers[0] (softmax): takes rows of one dimension, but the input gives 2×3×4; put \"flatten\" before it"),
        .init(
            specification: net([4], [.dense(units: 3), .layerNorm(epsilon: 0)]), layer: 1,
            message: "layers[1] (layer_norm): epsilon must be greater than 0, got 0.0"),
        .init(
            specification: net([4], [.dense(units: 3)], .huber(delta: 0)), layer: 0,
            message: "loss huber: delta must be greater than 0, got 0.0"),
        .init(
            specification: net([4], [.dense(units: 3)], .softmaxCrossEntropy(labelSmoothing: 1)), layer: 0,
            message: "loss softmax_cross_entropy: label_smoothing must be at least 0 and less than 1, got 1.0"),
    ]

    @Test(arguments: faults)
    func aNetThatDoesNotFitIsExplained(fault: NetworkTests.Fault) {
        let error = #expect(throws: ModelError.self) { try Network(fault.specification) }
        #expect(error?.description == fault.message)
        #expect(error?.layer == fault.layer)
    }

    @Test func parametersHaveTheirNamesShapesAndStart() throws {
        let network = try Network(
            net(
                [3, 2, 5],
                [
                    .prelu(perChannel: true), .layerNorm(), .flatten, .maxout(units: 4, pieces: 3), .prelu(), .layerNorm(),
                    .prelu(perChannel: true), .dense(units: 2),
                ]))
        let entries = network.layout.entries
        #expect(
            entries.map(\.name) == [
                "layers.0.slope", "layers.1.scale", "layers.1.shift", "layers.3.weight", "layers.3.bias", "layers.4.slope",
                "layers.5.scale", "layers.5.shift", "layers.6.slope", "layers.7.weight", "layers.7.bias",
            ])
        #expect(entries.map(\.shape) == [[3], [3, 2, 5], [3, 2, 5], [12, 30], [12], [1], [4], [4], [4], [2, 4], [2]])
        #expect(entries.filter(\.isRegularized).map(\.name) == ["layers.3.weight", "layers.7.weight"])
        let weights = zeros(network.layout.count)
        network.initialize(into: weights.mutableView, seed: 1)
        for entry in entries {
            let start = Set(values(weights.view[entry.range]))
            switch entry.name.split(separator: ".").last {
            case "slope": #expect(start == [0.25])
            case "scale": #expect(start == [1])
            case "shift", "bias": #expect(start == [0])
            default: #expect(start.count > 4)
            }
        }
        #expect(network.layers.map(\.outputShape) == [[3, 2, 5], [3, 2, 5], [30], [4], [4], [4], [4], [2]])
    }

    /// He: σ = √(2/400); Xavier uniform: no value beyond √(6/800).
    @Test(arguments: [
        LayerKind.relu, .leakyReLU(), .prelu(), .elu(), .selu, .gelu(), .silu, .softplus, .sigmoid, .tanh, .hardSigmoid, .softmax,
    ])
    func automaticInitializersLookAtTheActivation(kind: LayerKind) throws {
        let network = try Network(net([400], [.dense(units: 400), .dropout(rate: 0.5), .layerNorm(), kind, .dense(units: 2)]))
        let weights = zeros(network.layout.count)
        network.initialize(into: weights.mutableView, seed: 1)
        let beyond = values(weights.view[0..<160_000]).contains { abs(Double($0)) > (6.0 / 800).squareRoot() * 1.000_001 }
        let isRectifier: Bool
        switch kind {
        case .sigmoid, .tanh, .hardSigmoid, .softmax: isRectifier = false
        default: isRectifier = true
        }
        #expect(beyond == isRectifier)
    }

    @Test func maxoutStartsAsBeforeARectifier() throws {
        let network = try Network(net([400], [.maxout(units: 200, pieces: 2), .dense(units: 2)]))
        let weights = zeros(network.layout.count)
        network.initialize(into: weights.mutableView, seed: 1)
        #expect(values(weights.view[0..<160_000]).contains { abs(Double($0)) > 3 * (2.0 / 400).squareRoot() })
    }

    /// The loss says which class it found, also for a single logit.
    @Test func classesFoundAndTrueAreKnownAfterAPass() throws {
        let features: [Float] = [1, 0, 0, 1, 0.4, 0.6]
        let leaf = try SingleLeaf(
            net([2], [.dense(units: 2, bias: false)]), Rows(features: features, labels: [0, 0, 1], count: 3), weights: block([1, 0, 0, 1]))
        #expect(leaf.evaluate().1 == BlockFigures(rows: 3, lossSum: leaf.evaluate().1.lossSum, correct: 2, topFive: 3, squaredError: 0))
        #expect((0..<3).map { leaf.engine.foundClass(slot: 0, row: $0) } == [0, 1, 1])
        #expect((0..<3).map { leaf.engine.trueClass(slot: 0, row: $0) } == [0, 0, 1])
        let binary = try SingleLeaf(
            net([2], [.dense(units: 1, bias: false)], .binaryCrossEntropy), Rows(features: features, targets: [0, 1, 1], count: 3),
            weights: block([1, -1]))
        #expect(binary.evaluate().1.correct == 0)
        #expect((0..<3).map { binary.engine.foundClass(slot: 0, row: $0) } == [1, 0, 0])
        #expect((0..<3).map { binary.engine.trueClass(slot: 0, row: $0) } == [0, 1, 1])
    }
}
