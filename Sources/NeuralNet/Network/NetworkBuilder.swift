internal import Kernels

/// Walks the layers of a specification, checks that each fits the one before, and joins them into stages.
struct NetworkBuilder {
    let specification: ModelSpecification
    private(set) var layout = ParameterLayout()
    var stages: [Stage] = []
    private(set) var layers: [LayerSummary] = []
    private(set) var initializers: [Initializer] = []
    var shape: [Int]

    init(_ specification: ModelSpecification) throws(ModelError) {
        self.specification = specification
        shape = specification.inputShape
        try checkInput()
        for index in specification.layers.indices {
            try append(index)
        }
        try checkLoss()
    }

    // MARK: One layer

    private mutating func append(_ index: Int) throws(ModelError) {
        let layer = specification.layers[index]
        try checkName(index)
        let before = layout.count
        switch layer.kind {
        case .flatten:
            shape = [shape.reduce(1, *)]
        case .dense(let units, let bias, let initializer, let biasInitializer):
            try appendDense(index, units: units, bias: bias, initializer: initializer, biasInitializer: biasInitializer)
        case .sigmoid:
            activate(.sigmoid)
        case .tanh:
            activate(.tanh)
        case .relu:
            activate(.relu)
        case .leakyReLU(let slope):
            try appendLeakyReLU(index, slope: slope)
        case .elu(let alpha):
            try appendELU(index, alpha: alpha)
        case .selu:
            activate(.selu)
        case .gelu(let approximation):
            activate(approximation == .tanh ? .geluTanh : .gelu)
        case .silu:
            activate(.silu)
        case .softplus:
            activate(.softplus)
        case .hardSigmoid:
            activate(.hardSigmoid)
        case .softmax:
            try appendSoftmax(index)
        case .prelu(let perChannel):
            try appendPReLU(index, perChannel: perChannel)
        case .maxout(let units, let pieces):
            try appendMaxout(index, units: units, pieces: pieces)
        case .layerNorm(let epsilon):
            try appendLayerNorm(index, epsilon: epsilon)
        case .dropout(let rate, let scaling):
            guard rate >= 0, rate < 1 else {
                throw error(index, "rate must be at least 0 and less than 1, got \(rate)")
            }
            if rate > 0 { drop(Dropout(layer: index, rate: rate, scaling: scaling)) }
        }
        layers.append(
            LayerSummary(
                label: label(index), name: parameterPrefix(index), keyword: layer.kind.keyword, outputShape: shape,
                parameterCount: layout.count - before))
    }

    private mutating func appendDense(
        _ index: Int, units: Int, bias: Bool, initializer: InitializerSpecification?, biasInitializer: InitializerSpecification
    ) throws(ModelError) {
        guard units >= 1 else { throw error(index, "units must be at least 1, got \(units)") }
        try requireOneDimension(index)
        let inputs = shape[0]
        let chosen = initializer ?? specification.initializer ?? automaticInitializer(after: index)
        let weight = try appendParameter(index, "weight", [units, inputs], isRegularized: true, chosen)
        let bias = bias ? try appendParameter(index, "bias", [units], isRegularized: false, biasInitializer) : nil
        stage(.dense(Stage.Dense(inputs: inputs, units: units, weight: weight, bias: bias)))
        shape = [units]
    }

    mutating func appendParameter(
        _ index: Int, _ name: String, _ shape: [Int], isRegularized: Bool, _ initializer: InitializerSpecification
    ) throws(ModelError) -> Range<Int> {
        let name = "\(parameterPrefix(index)).\(name)"
        if let other = layout.entry(named: name) {
            throw error(index, "its parameter \(name) is already one of \(label(other.layer)); give one of the two another name")
        }
        guard let entry = layout.append(name: name, shape: shape, isRegularized: isRegularized, layer: index) else {
            throw error(index, "\(Self.text(shape)) parameters are more than a net may have (2^33 in all)")
        }
        let outputs = shape[0]
        let inputs = shape.count > 1 ? shape.dropFirst().reduce(1, *) : 1
        if shape.count == 1, initializer.dependsOnFans {
            throw error(index, "\(name): a bias has no fan-in; initialize it with a constant or a normal distribution")
        }
        guard let ready = Initializer(initializer, inputs: inputs, outputs: outputs) else {
            throw error(index, "\(name): an initializer's number must be finite, and a standard deviation not below 0")
        }
        initializers.append(ready)
        return entry.range
    }

    // MARK: Stages

    /// Adds a stage that reads the output of the one before.
    mutating func stage(_ kind: Stage.Kind, after: Stage.Steps = .init()) {
        stages.append(Stage(source: stages.indices.last, kind: kind, after: after))
    }

    /// Dropout joins the stage before it if the activation's derivative can still be read from what is left.
    private mutating func drop(_ dropout: Dropout) {
        if let last = stages.indices.last, stages[last].takesDropout {
            stages[last].after.dropout = dropout
        } else {
            stage(.pointwise(width: shape.reduce(1, *)), after: .init(dropout: dropout))
        }
    }

    /// He before ReLU-likes, Xavier elsewhere; layers in between that are neither products nor activations change nothing.
    private func automaticInitializer(after index: Int) -> InitializerSpecification {
        for layer in specification.layers[(index + 1)...] {
            switch layer.kind {
            case .relu, .leakyReLU, .prelu, .elu, .selu, .gelu, .silu, .softplus: return .heNormal
            case .flatten, .dropout, .layerNorm: continue
            case .dense, .maxout, .sigmoid, .tanh, .hardSigmoid, .softmax: return .xavierUniform
            }
        }
        return .xavierUniform
    }

    // MARK: Checks of the whole

    private func checkInput() throws(ModelError) {
        let input = specification.inputShape
        guard [1, 3].contains(input.count), input.allSatisfy({ $0 >= 1 }) else {
            throw ModelError("the input must be [features] or [channels, height, width] with positive sizes, got \(input)")
        }
        var size = 1
        for extent in input {
            let (product, overflow) = size.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= Self.largestRow else {
                throw ModelError("an input of \(Self.text(input)) values is more than a row may have (2^28)")
            }
            size = product
        }
        guard specification.layers.count < 1 << 16 else {
            throw ModelError("\(specification.layers.count) layers are more than a net may have (65535)")
        }
    }

    private func checkName(_ index: Int) throws(ModelError) {
        guard let name = specification.layers[index].name else { return }
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard allowed, !name.isEmpty else {
            throw error(index, "a name may have letters, digits, _ and -, got \"\(name)\"")
        }
    }

    private func checkLoss() throws(ModelError) {
        guard layout.count > 0 else {
            throw ModelError("the net has no parameters to train; put at least one dense layer into model.layers")
        }
        let outputs = shape.reduce(1, *)
        let last = label(specification.layers.count - 1)
        switch specification.loss {
        case .softmaxCrossEntropy where shape.count != 1 || outputs < 2:
            throw lossError("needs one output per class, at least 2, but \(last) gives \(Self.text(shape))")
        case .binaryCrossEntropy where outputs != 1:
            throw lossError("needs exactly 1 output, but \(last) gives \(Self.text(shape))")
        case .softmaxCrossEntropy(let smoothing) where !(smoothing >= 0 && smoothing < 1):
            throw lossError("label_smoothing must be at least 0 and less than 1, got \(smoothing)")
        case .huber(let delta) where !(delta > 0 && Float(delta).isFinite && Float(delta) > 0):
            throw lossError("delta must be greater than 0, got \(delta)")
        case .softmaxCrossEntropy, .binaryCrossEntropy, .meanSquaredError, .meanAbsoluteError, .huber:
            break
        }
    }

    private func lossError(_ text: String) -> ModelError {
        ModelError(layer: specification.layers.count - 1, "loss \(specification.loss.keyword): \(text)")
    }

    // MARK: Words

    func error(_ index: Int, _ text: String) -> ModelError {
        ModelError(layer: index, "\(label(index)): \(text)")
    }

    func label(_ index: Int) -> String {
        let layer = specification.layers[index]
        let name = layer.name.map { " \"\($0)\"" } ?? ""
        return "layers[\(index)]\(name) (\(layer.kind.keyword))"
    }

    private func parameterPrefix(_ index: Int) -> String {
        "layers.\(specification.layers[index].name ?? String(index))"
    }

    static func text(_ shape: [Int]) -> String {
        shape.map(String.init).joined(separator: "×")
    }

    /// 2²⁸ values: rows of more have no place in memory beside their activations.
    static let largestRow = 1 << 28
}
