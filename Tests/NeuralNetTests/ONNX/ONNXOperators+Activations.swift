import NeuralNet

extension ONNXOperators {
    /// Functions of every element by itself.
    static let activations: [String: ONNXOperator] = [
        "Relu": { [try elementwise(.relu, $0)] },
        "LeakyRelu": { [try elementwise(.leakyReLU(slope: $0.node.number("alpha", default: 0.01)), $0)] },
        "Elu": { [try elementwise(.elu(alpha: $0.node.number("alpha", default: 1)), $0)] },
        "Selu": { call in
            let alpha = call.node.number("alpha", default: 1.6732632), gamma = call.node.number("gamma", default: 1.0507009)
            guard abs(alpha - 1.6732632) < 1e-6, abs(gamma - 1.0507009) < 1e-6 else {
                throw ONNXCase.DoesNotApply("Selu with constants of its own; ours has those of its paper")
            }
            return [try elementwise(.selu, call)]
        },
        "Gelu": { [try elementwise(.gelu(approximate: $0.node.text("approximate", default: "none") == "tanh" ? .tanh : .exact), $0)] },
        "Swish": { call in
            guard call.node.number("alpha", default: 1) == 1 else { throw ONNXCase.DoesNotApply("Swish with a factor in front of x") }
            return [try elementwise(.silu, call)]
        },
        "Sigmoid": { [try elementwise(.sigmoid, $0)] },
        "Tanh": { [try elementwise(.tanh, $0)] },
        "Softplus": { [try elementwise(.softplus, $0)] },
        // max(0, min(1, αx + β)); ours is x/6 + ½, so x is mapped first.
        "HardSigmoid": { call in
            let alpha = call.node.number("alpha", default: 0.2), beta = call.node.number("beta", default: 0.5)
            let x = try call.input(0)
            let mapped = x.values.map { Float(6 * (alpha * $0 + beta - 0.5)) }
            return [ONNXTensor(shape: x.shape, try ONNXNet.run([.hardSigmoid], rowShape: [x.values.count], mapped).values)]
        },
        "PRelu": prelu,
        "Dropout": dropped,
    ]

    static func elementwise(_ kind: LayerKind, _ call: ONNXCall) throws -> ONNXTensor {
        let x = try call.input(0)
        return ONNXTensor(shape: x.shape, try ONNXNet.run([kind], rowShape: [x.values.count], x.floats).values)
    }

    /// Slopes for all, for axis 1 (PyTorch's, also the broadcast of old operator sets), or for the last axis.
    @Sendable private static func prelu(_ call: ONNXCall) throws -> [ONNXTensor?] {
        let x = try call.input(0), slope = try call.input(1)
        let count = slope.values.count
        var rowShape: [Int]
        if count == 1 {
            rowShape = [x.values.count]
        } else if call.version < 7, x.shape.count > 1, slope.shape == [x.shape[1]] {
            rowShape = [count, x.shape[2...].reduce(1, *), 1]
        } else if slope.shape == [x.shape[x.shape.count - 1]] {
            rowShape = [count]
        } else {
            throw ONNXCase.DoesNotApply("PRelu with a slope for every element")
        }
        if rowShape.count == 3 && rowShape[1] == 1 { rowShape = [count] }
        let y = try ONNXNet.run(
            [.prelu(perChannel: count > 1)], rowShape: rowShape, x.floats, parameters: ["layers.0.slope": slope.floats])
        return [ONNXTensor(shape: x.shape, y.values)]
    }

    /// In training the given mask is used: it comes from another generator.
    @Sendable private static func dropped(_ call: ONNXCall) throws -> [ONNXTensor?] {
        let x = try call.input(0)
        let ones = ONNXTensor(shape: x.shape, [Double](repeating: 1, count: x.values.count))
        guard call.optional(2)?.values == [1] else {
            let rate = call.optional(1)?.values[0] ?? call.node.number("ratio", default: 0.5)
            return [try elementwise(.dropout(rate: rate), call), ones]
        }
        let level = call.optional(1)?.values[0] ?? 0.5
        if level == 0 { return [try elementwise(.dropout(rate: 0), call), ones] }
        guard call.expected.count > 1, let mask = call.expected[1] else {
            throw ONNXCase.DoesNotApply("Dropout in training without its mask: the test depends on NumPy's generator")
        }
        let y = try dropout(x.floats, level: level, mask: mask.values.map { $0 != 0 })
        return [ONNXTensor(shape: x.shape, y), mask]
    }
}
