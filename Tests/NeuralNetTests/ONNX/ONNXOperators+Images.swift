import Kernels

@testable import NeuralNet

/// Images `[rows, channels, height, width]`; tensors of one dimension less are images of height 1.
extension ONNXOperators {
    static let images: [String: ONNXOperator] = [
        "Conv": convolution,
        "MaxPool": { call in
            let x = try call.input(0), shape = try imageShape(x)
            let y = try ONNXNet.run([.maxPool2d(try pooling(call, shape))], rowShape: Array(shape[1...]), x.floats)
            return [image(y, like: x)]
        },
        "AveragePool": { call in
            let x = try call.input(0), shape = try imageShape(x), options = try pooling(call, shape)
            guard options.padding == Extent(0) || call.node.number("count_include_pad", default: 0) == 1 else {
                throw ONNXCase.DoesNotApply("AveragePool that leaves padding out of the count; ours counts it as zeros")
            }
            return [image(try ONNXNet.run([.averagePool2d(options)], rowShape: Array(shape[1...]), x.floats), like: x)]
        },
        "GlobalAveragePool": { call in
            let x = try call.input(0), shape = try imageShape(x)
            let y = try ONNXNet.run([.globalAveragePool2d], rowShape: Array(shape[1...]), x.floats)
            return [ONNXTensor(shape: Array(x.shape[..<2]) + [1, 1], y.values)]
        },
        "BatchNormalization": batchNormalization,
    ]

    @Sendable private static func convolution(_ call: ONNXCall) throws -> [ONNXTensor?] {
        let x = try call.input(0), shape = try imageShape(x)
        let weight = try call.input(1), bias = call.optional(2), window = try window(call, shape)
        let options = ConvolutionOptions(
            filters: weight.shape[0], kernel: window.kernel, stride: window.stride, padding: window.padding, dilation: window.dilation,
            groups: Int(call.node.number("group", default: 1)), bias: bias != nil)
        var parameters = ["layers.0.weight": weight.floats]
        if let bias { parameters["layers.0.bias"] = bias.floats }
        return [image(try ONNXNet.run([.conv2d(options)], rowShape: Array(shape[1...]), x.floats, parameters: parameters), like: x)]
    }

    /// ONNX's momentum is the share of the old value, and its new variance has no correction.
    @Sendable private static func batchNormalization(_ call: ONNXCall) throws -> [ONNXTensor?] {
        let x = try call.input(0), channels = x.shape[1], area = x.shape[2...].reduce(1, *)
        let isTraining = call.node.number("training_mode", default: 0) == 1
        guard isTraining || call.version >= 7 || call.node.number("is_test", default: 0) == 1 else {
            throw ONNXCase.DoesNotApply("BatchNormalization of an old operator set, in training")
        }
        let specification = net(
            [channels, area, 1],
            [.batchNorm(epsilon: call.node.number("epsilon", default: 1e-5)), .flatten, .dense(units: 1)], .meanSquaredError)
        let network = try Network(specification), weights = zeros(network.layout.blockLength)
        for (name, input) in [("scale", 1), ("shift", 2), ("running_mean", 3), ("running_variance", 4)] {
            guard let entry = network.layout.storedEntries.first(where: { $0.name == "layers.0.\(name)" }) else { continue }
            weights.mutableView[entry.range].copy(from: block(try call.input(input).floats).view)
        }
        let rows = x.shape[0]
        let leaf = try SingleLeaf(
            specification, Rows(features: x.floats, targets: [Float](repeating: 0, count: rows), count: rows), weights: weights)
        var tail = weights.view
        if isTraining {
            let gradient = try leaf.gradient().0.view
            tail = gradient[network.layout.count..<gradient.count]
        } else {
            _ = leaf.evaluate()
        }
        let y = values(leaf.engine.memory[0].stageInput(network.stages.count - 1)[0..<x.values.count])
        guard isTraining else { return [ONNXTensor(shape: x.shape, y)] }
        let old = call.node.number("momentum", default: 0.9), count = Double(rows * area)
        func running(_ input: Int, from first: Int, times factor: Double) throws -> ONNXTensor {
            let before = try call.input(input).values
            let new = (0..<channels).map { tail.double(at: first + $0) / tail.double(at: 0) * factor }
            return ONNXTensor(shape: [channels], zip(before, new).map { old * $0 + (1 - old) * $1 })
        }
        return [
            ONNXTensor(shape: x.shape, y), try running(3, from: 1, times: 1),
            try running(4, from: 1 + channels, times: (count - 1) / count),
        ]
    }

    // MARK: Shapes and options

    private static func imageShape(_ x: ONNXTensor) throws -> [Int] {
        guard x.shape.count <= 4 else { throw ONNXCase.DoesNotApply("images of three dimensions") }
        return x.shape.count == 3 ? [x.shape[0], x.shape[1], 1, x.shape[2]] : x.shape
    }

    private static func image(_ y: (values: [Float], rowShape: [Int]), like x: ONNXTensor) -> ONNXTensor {
        ONNXTensor(shape: [x.shape[0]] + (x.shape.count == 3 ? [y.rowShape[0], y.rowShape[2]] : y.rowShape), y.values)
    }

    private static func pooling(_ call: ONNXCall, _ shape: [Int]) throws -> PoolingOptions {
        let window = try window(call, shape)
        guard window.dilation == Extent(1) else { throw ONNXCase.DoesNotApply("pooling with dilation") }
        return PoolingOptions(kernel: window.kernel, stride: window.stride, padding: window.padding)
    }

    private static func window(
        _ call: ONNXCall, _ shape: [Int]
    ) throws -> (kernel: Extent, stride: Extent, padding: Extent, dilation: Extent) {
        let dimensions = try call.input(0).shape.count - 2
        func extent(_ values: [Int]?, _ standard: Int) -> Extent {
            let values = values ?? Array(repeating: standard, count: dimensions)
            return dimensions == 1 ? Extent(standard, values[0]) : Extent(values[0], values[1])
        }
        let kernel = try extent(call.node.list("kernel_shape") ?? Array(call.input(1).shape[2...]), 1)
        let stride = extent(call.node.list("strides"), 1), dilation = extent(call.node.list("dilations"), 1)
        var pads = call.node.list("pads") ?? Array(repeating: 0, count: 2 * dimensions)
        if call.node.text("auto_pad", default: "NOTSET").hasPrefix("SAME") {
            let sides = [(shape[2], kernel.height, stride.height), (shape[3], kernel.width, stride.width)].map { side, kernel, stride in
                max(((side + stride - 1) / stride - 1) * stride + kernel - side, 0)
            }
            guard sides.allSatisfy({ $0 % 2 == 0 }) else { throw ONNXCase.DoesNotApply("more padding on one side than on the other") }
            pads = (sides + sides).map { $0 / 2 }
        }
        guard pads[..<dimensions] == pads[dimensions...] else {
            throw ONNXCase.DoesNotApply("more padding on one side than on the other")
        }
        let padding = extent(Array(pads[..<dimensions]), 0)
        if call.node.number("ceil_mode", default: 0) == 1 {
            let sides = [
                (shape[2] + 2 * padding.height - dilation.height * (kernel.height - 1) - 1, stride.height),
                (shape[3] + 2 * padding.width - dilation.width * (kernel.width - 1) - 1, stride.width),
            ]
            guard sides.allSatisfy({ $0.0 % $0.1 == 0 }) else {
                throw ONNXCase.DoesNotApply("windows that reach beyond the padding (ceil_mode)")
            }
        }
        return (kernel, stride, padding, dilation)
    }
}
