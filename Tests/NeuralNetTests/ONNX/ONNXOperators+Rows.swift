import NeuralNet

extension ONNXOperators {
    /// Layers that look at a row, and products.
    static let rows: [String: ONNXOperator] = [
        "Softmax": softmax,
        "LayerNormalization": layerNormalization,
        "Gemm": gemm,
        "MatMul": matMul,
        "Flatten": { call in
            let x = try call.input(0)
            guard call.node.number("axis", default: 1) == 1, x.shape.count > 1 else {
                throw ONNXCase.DoesNotApply("Flatten at another axis than the first: there rows would be torn")
            }
            let width = x.shape[1...].reduce(1, *)
            let rowShape = x.shape.count == 4 ? Array(x.shape[1...]) : [width]
            return [ONNXTensor(shape: [x.shape[0], width], try ONNXNet.run([.flatten], rowShape: rowShape, x.floats).values)]
        },
    ]

    /// Rows are the slices along the axis; before version 13 everything from the axis on.
    @Sendable private static func softmax(_ call: ONNXCall) throws -> [ONNXTensor?] {
        let x = try call.input(0)
        let given = Int(call.node.number("axis", default: call.version < 13 ? 1 : -1)), axis = given < 0 ? given + x.shape.count : given
        if call.version < 13 {
            let width = x.shape[axis...].reduce(1, *)
            return [ONNXTensor(shape: x.shape, try ONNXNet.run([.softmax], rowShape: [width], x.floats).values)]
        }
        let moved = x.movingLast(axis)
        let y = try ONNXNet.run([.softmax], rowShape: [x.shape[axis]], moved.floats).values
        return [ONNXTensor(shape: moved.shape, y).movingBack(axis)]
    }

    /// Mean and deviation, the other outputs, are not given by ours.
    @Sendable private static func layerNormalization(_ call: ONNXCall) throws -> [ONNXTensor?] {
        let x = try call.input(0), scale = try call.input(1)
        let given = Int(call.node.number("axis", default: -1)), axis = given < 0 ? given + x.shape.count : given
        let width = x.shape[axis...].reduce(1, *)
        let shift = call.optional(2)?.floats ?? [Float](repeating: 0, count: width)
        let y = try ONNXNet.run(
            [.layerNorm(epsilon: call.node.number("epsilon", default: 1e-5))], rowShape: [width], x.floats,
            parameters: ["layers.0.scale": scale.floats, "layers.0.shift": shift])
        return [ONNXTensor(shape: x.shape, y.values)]
    }

    /// α · A · B + β · C: a dense layer with the weight α · Bᵀ and the bias β · C, if C is the same for all rows.
    @Sendable private static func gemm(_ call: ONNXCall) throws -> [ONNXTensor?] {
        var a = try call.input(0), b = try call.input(1)
        if call.node.number("transA", default: 0) == 1 { a = a.movingLast(0) }
        if call.node.number("transB", default: 0) == 0 { b = b.movingLast(0) }
        let units = b.shape[0], alpha = call.node.number("alpha", default: 1), beta = call.node.number("beta", default: 1)
        var bias = [Float](repeating: 0, count: units)
        if let c = call.optional(2) {
            guard c.values.count == 1 || c.values.count == units else {
                throw ONNXCase.DoesNotApply("Gemm with a summand for every row; a bias is the same for all")
            }
            bias = (0..<units).map { Float(beta * c.values[c.values.count == 1 ? 0 : $0]) }
        }
        return [try product(a, weight: b.values.map { Float(alpha * $0) }, bias: bias)]
    }

    @Sendable private static func matMul(_ call: ONNXCall) throws -> [ONNXTensor?] {
        let a = try call.input(0), b = try call.input(1)
        guard a.shape.count == 2, b.shape.count == 2 else { throw ONNXCase.DoesNotApply("MatMul of other shapes than two matrices") }
        return [try product(a, weight: b.movingLast(0).floats, bias: nil)]
    }

    /// By both product paths, which must agree.
    private static func product(_ a: ONNXTensor, weight: [Float], bias: [Float]?) throws -> ONNXTensor {
        let inputs = a.shape[1], units = weight.count / inputs
        var parameters = ["layers.0.weight": weight]
        parameters["layers.0.bias"] = bias
        let results = try ProductPath.allCases.map { path in
            try ONNXNet.run(
                [.dense(units: units, bias: bias != nil)], rowShape: [inputs], a.floats, parameters: parameters, path: path
            ).values
        }
        guard worst(results[1], results[0].map(Double.init)) <= ONNXTests.tolerance else {
            throw ONNXTensor.Unreadable(text: "the product paths differ")
        }
        return ONNXTensor(shape: [a.shape[0], units], results[0])
    }
}
