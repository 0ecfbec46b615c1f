import Kernels
import NeuralNet
import Testing

@Suite struct NetworkTests {
    struct Fault: CustomTestStringConvertible {
        var specification: ModelSpecification
        var layer: Int?
        var message: String
        var testDescription: String { message }
    }

    static let faults = [
        Fault(
            specification: net([1, 28, 28], [.relu, .dense(units: 3)]), layer: 1,
            message: "layers[1] (dense): takes rows of one dimension, but layers[0] (relu) gives 1×28×28; put \"flatten\" before it"),
        Fault(
            specification: net([1, 28, 28], [.dense(units: 3)]), layer: 0,
            message: "layers[0] (dense): takes rows of one dimension, but the input gives 1×28×28; put \"flatten\" before it"),
        Fault(specification: net([4], [.dense(units: 0)]), layer: 0, message: "layers[0] (dense): units must be at least 1, got 0"),
        Fault(
            specification: net([4], [.dense(units: 3), .dropout(rate: 1)]), layer: 1,
            message: "layers[1] (dropout): rate must be at least 0 and less than 1, got 1.0"),
        Fault(
            specification: net([4], [.dense(units: 3), .dropout(rate: -0.5)]), layer: 1,
            message: "layers[1] (dropout): rate must be at least 0 and less than 1, got -0.5"),
        Fault(
            specification: net([4], [.dropout(rate: .nan), .dense(units: 3)]), layer: 0,
            message: "layers[0] (dropout): rate must be at least 0 and less than 1, got nan"),
        Fault(
            specification: net([4], [.dense(units: 3), .leakyReLU(slope: -1)]), layer: 1,
            message: "layers[1] (leaky_relu): slope must be a number not below 0, got -1.0"),
        Fault(
            specification: net([4], [.dense(units: 1)]), layer: 0,
            message: "loss softmax_cross_entropy: needs one output per class, at least 2, but layers[0] (dense) gives 1"),
        Fault(
            specification: net([4], [.dense(units: 2)], .binaryCrossEntropy), layer: 0,
            message: "loss binary_cross_entropy: needs exactly 1 output, but layers[0] (dense) gives 2"),
        Fault(
            specification: net([4], [.relu]), layer: nil,
            message: "the net has no parameters to train; put at least one dense layer into model.layers"),
        Fault(
            specification: net([], [.dense(units: 2)]), layer: nil,
            message: "the input must be [features] or [channels, height, width] with positive sizes, got []"),
        Fault(
            specification: net([3, 0, 2], [.flatten, .dense(units: 2)]), layer: nil,
            message: "the input must be [features] or [channels, height, width] with positive sizes, got [3, 0, 2]"),
        Fault(
            specification: net([1 << 40], [.dense(units: 2)]), layer: nil,
            message: "an input of 1099511627776 values is more than a row may have (2^28)"),
        Fault(
            specification: net([1 << 20], [.dense(units: 1 << 50)]), layer: 0,
            message: "layers[0] (dense): 1125899906842624×1048576 parameters are more than a net may have (2^33 in all)"),
        Fault(
            specification: net([4], [.dense(units: 2, biasInitializer: .heNormal)]), layer: 0,
            message: "layers[0] (dense): layers.0.bias: a bias has no fan-in; initialize it with a constant or a normal distribution"),
        Fault(
            specification: net([4], [.dense(units: 2, initializer: .normal(standardDeviation: -1))]), layer: 0,
            message:
                "layers[0] (dense): layers.0.weight: an initializer's number must be finite, and a standard deviation not below 0"),
        Fault(
            specification: ModelSpecification(
                inputShape: [4], layers: [.init(.dense(units: 2), name: "a"), .init(.dense(units: 2), name: "a")],
                loss: .softmaxCrossEntropy), layer: 1,
            message:
                "layers[1] \"a\" (dense): its parameter layers.a.weight is already one of layers[0] \"a\" (dense); give one of the two another name"
        ),
        Fault(
            specification: ModelSpecification(
                inputShape: [4], layers: [.init(.dense(units: 2), name: "a.b")], loss: .softmaxCrossEntropy), layer: 0,
            message: "layers[0] \"a.b\" (dense): a name may have letters, digits, _ and -, got \"a.b\""),
    ]

    @Test(arguments: faults)
    func aNetThatDoesNotFitIsExplained(fault: Fault) {
        do {
            _ = try Network(fault.specification)
            Issue.record("accepted")
        } catch {
            #expect(error.description == fault.message)
            #expect(error.layer == fault.layer)
        }
    }

    @Test func parametersLieInFileOrderWithoutGaps() throws {
        var specification = net(
            [1, 4, 3], [.flatten, .dense(units: 5), .relu, .dense(units: 6, bias: false), .dropout(rate: 0.5), .dense(units: 2)])
        specification.layers[3].name = "hidden"
        let network = try Network(specification)
        let expected: [(String, [Int], Range<Int>, Bool, Int)] = [
            ("layers.1.weight", [5, 12], 0..<60, true, 1), ("layers.1.bias", [5], 60..<65, false, 1),
            ("layers.hidden.weight", [6, 5], 65..<95, true, 3), ("layers.5.weight", [2, 6], 95..<107, true, 5),
            ("layers.5.bias", [2], 107..<109, false, 5),
        ]
        #expect(network.layout.entries.count == expected.count)
        for (entry, wanted) in zip(network.layout.entries, expected) {
            #expect((entry.name, entry.shape, entry.range) == (wanted.0, wanted.1, wanted.2))
            #expect((entry.isRegularized, entry.layer) == (wanted.3, wanted.4))
            #expect(network.layout.entry(named: wanted.0) == entry)
            #expect(network.layout.entry(containing: wanted.2.lowerBound) == entry)
            #expect(network.layout.entry(containing: wanted.2.upperBound - 1) == entry)
        }
        #expect(network.layout.count == 109)
        #expect(network.layout.entry(containing: 109) == nil)
        #expect(network.inputCount == 12 && network.outputCount == 2)
    }

    @Test func everyLayerOfTheFileIsListed() throws {
        let network = try Network(net([1, 4, 3], [.flatten, .dense(units: 5), .relu, .dropout(rate: 0.1), .dense(units: 2)]))
        #expect(
            network.layers.map(\.label) == [
                "layers[0] (flatten)", "layers[1] (dense)", "layers[2] (relu)", "layers[3] (dropout)", "layers[4] (dense)",
            ])
        #expect(network.layers.map(\.keyword) == ["flatten", "dense", "relu", "dropout", "dense"])
        #expect(network.layers.map(\.name) == ["layers.0", "layers.1", "layers.2", "layers.3", "layers.4"])
        #expect(network.layers.map(\.outputShape) == [[12], [5], [5], [5], [2]])
        #expect(network.layers.map(\.parameterCount) == [0, 65, 0, 0, 12])
    }
}
