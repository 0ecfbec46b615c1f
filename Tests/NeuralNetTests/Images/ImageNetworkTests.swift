import Kernels
import NeuralNet
import Testing

/// Names, shapes, initial values and errors of nets with image layers and residual blocks.
@Suite struct ImageNetworkTests {
    static func conv(_ filters: Int, kernel: Int = 3, stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1) -> LayerKind {
        .conv2d(
            ConvolutionOptions(
                filters: filters, kernel: Extent(kernel), stride: Extent(stride), padding: Extent(padding), dilation: Extent(dilation),
                groups: groups))
    }

    static func block(_ layers: LayerKind...) -> LayerKind { .residual(layers.map { LayerSpecification($0) }) }

    struct Fault: CustomTestStringConvertible {
        var input: [Int]
        var layers: [LayerKind]
        var path: [Int]
        var message: String
        var testDescription: String { message }
    }

    static let faults = [
        Fault(
            input: [784], layers: [conv(8)], path: [0],
            message:
                "layers[0] (conv2d): takes images (channels × height × width), but the input gives 784; data.shape tells the shape of a row: [channels, height, width]"
        ),
        Fault(
            input: [1, 28, 28], layers: [.flatten, conv(8)], path: [1],
            message: "layers[1] (conv2d): takes images (channels × height × width), but layers[0] (flatten) gives 784"),
        Fault(
            input: [3, 4, 4], layers: [conv(4), conv(8)], path: [1],
            message: "layers[1] (conv2d): a kernel of 3×3 does not fit on images of 4×2×2"),
        Fault(
            input: [3, 4, 4], layers: [conv(4, padding: 1, dilation: 3)], path: [0],
            message: "layers[0] (conv2d): a kernel of 3×3 with dilation 3×3 does not fit on images of 3×4×4 with padding 1×1"),
        Fault(
            input: [3, 4, 4], layers: [conv(4, groups: 2)], path: [0],
            message: "layers[0] (conv2d): 2 groups must divide the channels and the filters, but the input gives 3×4×4 and filters is 4"),
        Fault(input: [3, 4, 4], layers: [conv(0)], path: [0], message: "layers[0] (conv2d): filters must be at least 1, got 0"),
        Fault(
            input: [3, 4, 4], layers: [conv(4, stride: 0)], path: [0],
            message: "layers[0] (conv2d): stride must be in 1…4096, got 0×0"),
        Fault(
            input: [3, 4, 4], layers: [.maxPool2d(PoolingOptions(kernel: Extent(2), padding: Extent(2)))], path: [0],
            message: "layers[0] (max_pool2d): padding must be less than the kernel, or a window has nothing but padding"),
        Fault(
            input: [1, 8, 8], layers: [conv(4), .dense(units: 3)], path: [1],
            message: "layers[1] (dense): takes rows of one dimension, but layers[0] (conv2d) gives 4×6×6; put \"flatten\" before it"),
        Fault(
            input: [4], layers: [.batchNorm(momentum: 2), .dense(units: 2)], path: [0],
            message: "layers[0] (batch_norm): momentum must be in 0…1, got 2.0"),
        Fault(
            input: [4], layers: [.residual([]), .dense(units: 2)], path: [0],
            message: "layers[0] (residual): layers must have at least one layer"),
        Fault(
            input: [1, 8, 8], layers: [conv(4), block(.relu, block(conv(4, kernel: 7)))], path: [1, 1, 0],
            message: "layers[1].layers[1].layers[0] (conv2d): a kernel of 7×7 does not fit on images of 4×6×6"),
        Fault(
            input: [1, 8, 8], layers: [conv(4), block(.flatten, .dense(units: 5))], path: [1],
            message:
                "layers[1] (residual): layers[0] (conv2d) gives 4×6×6 and its layers 5: no projection leads from one to the other; put the \"flatten\" before the block"
        ),
        Fault(
            input: [1, 8, 8], layers: [block(conv(4))], path: [0],
            message:
                "layers[0] (residual): the input gives 1×8×8 and its layers 4×6×6: no 1×1 convolution leads from one to the other, as 6×6 is not 8×8 divided by a stride; change padding or stride inside the block"
        ),
    ]

    @Test(arguments: faults)
    func aNetThatDoesNotFitIsExplained(fault: Fault) {
        do {
            _ = try Network(net(fault.input, fault.layers))
            Issue.record("accepted")
        } catch {
            #expect(error.description == fault.message)
            #expect(error.path == fault.path)
        }
    }

    @Test func parametersAndStatisticsHaveNestedNames() throws {
        var specification = net(
            [1, 8, 8],
            [
                Self.conv(4), .batchNorm(),
                Self.block(Self.conv(6, stride: 2, padding: 1), .batchNorm(), Self.block(Self.conv(6, kernel: 1))),
                .globalAveragePool2d, Self.block(.dense(units: 5)), .dense(units: 3),
            ])
        specification.layers[2].name = "down"
        let network = try Network(specification)
        #expect(
            network.layout.entries.map(\.name) == [
                "layers.0.weight", "layers.0.bias", "layers.1.scale", "layers.1.shift", "layers.down.layers.0.weight",
                "layers.down.layers.0.bias", "layers.down.layers.1.scale", "layers.down.layers.1.shift",
                "layers.down.layers.2.layers.0.weight", "layers.down.layers.2.layers.0.bias", "layers.down.projection.weight",
                "layers.4.layers.0.weight", "layers.4.layers.0.bias", "layers.4.projection.weight", "layers.5.weight", "layers.5.bias",
            ])
        #expect(network.layout.entry(named: "layers.down.layers.0.weight")?.shape == [6, 4, 3, 3])
        #expect(network.layout.entry(named: "layers.down.projection.weight")?.shape == [6, 4, 1, 1])
        #expect(network.layout.entry(named: "layers.4.projection.weight")?.shape == [5, 6])
        #expect(network.layout.entries.filter(\.isRegularized).allSatisfy { $0.name.hasSuffix("weight") })
        #expect(
            network.layout.storedEntries.dropFirst(network.layout.entries.count).map(\.name) == [
                "layers.1.running_mean", "layers.1.running_variance", "layers.down.layers.1.running_mean",
                "layers.down.layers.1.running_variance",
            ])
        #expect(network.layout.blockLength == network.layout.count + 2 * (1 + 8) + 2 * (1 + 12))
        #expect(
            network.layers.map(\.label) == [
                "layers[0] (conv2d)", "layers[1] (batch_norm)", "layers[2] \"down\" (residual)", "layers[2].layers[0] (conv2d)",
                "layers[2].layers[1] (batch_norm)", "layers[2].layers[2] (residual)", "layers[2].layers[2].layers[0] (conv2d)",
                "layers[3] (global_avg_pool2d)", "layers[4] (residual)", "layers[4].layers[0] (dense)", "layers[5] (dense)",
            ])
        #expect(network.layers.map(\.parameterCount) == [40, 8, 24, 222, 12, 0, 42, 0, 30, 35, 18])
        #expect(network.layers[2].outputShape == [6, 3, 3])
        // Every entry belongs to the line that its layer has among all layers.
        for entry in network.layout.storedEntries { #expect(entry.name.hasPrefix(network.layers[entry.layer].name)) }
    }

    @Test func runningValuesStartAtZeroAndOne() throws {
        let network = try Network(net([5], [.batchNorm(), .dense(units: 2)]))
        let weights = zeros(network.layout.blockLength)
        weights.mutableView.fill(.nan)
        network.initialize(into: weights.mutableView, seed: 1)
        let statistics = try #require(network.layout.runningStatistics.first)
        #expect(values(weights.view[statistics.mean.range]) == [0, 0, 0, 0, 0])
        #expect(values(weights.view[statistics.variance.range]) == [1, 1, 1, 1, 1])
        #expect(!values(weights).contains { $0.isNaN })
    }

    /// He's deviation is √(2 / (channels · kernel area)), also where normalisation stands between product and ReLU.
    @Test func convolutionsStartWithTheFansOfTheirKernel() throws {
        let network = try Network(net([8, 6, 6], [Self.conv(400), .batchNorm(), .relu, .globalAveragePool2d, .dense(units: 2)]))
        let weights = zeros(network.layout.blockLength)
        network.initialize(into: weights.mutableView, seed: 1)
        let kernel = values(weights.view[network.layout.entries[0].range]).map(Double.init)
        let deviation = (kernel.reduce(0) { $0 + $1 * $1 } / Double(kernel.count)).squareRoot()
        let sampling = 0.02  // 28,800 draws: the deviation's own is 0.4 %
        #expect(abs(deviation / (2.0 / 72).squareRoot() - 1) < sampling)
    }
}
