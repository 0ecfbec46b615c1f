internal import Kernels

/// Walks the layers of a specification, checks that each fits the one before, and joins them into stages.
struct NetworkBuilder {
    let specification: ModelSpecification
    private(set) var layout = ParameterLayout()
    var stages: [Stage] = []
    private(set) var layers: [LayerSummary] = []
    private(set) var observedUnits: [ObservedUnits] = []
    private(set) var initializers: [Initializer] = []
    /// Of one row, after the layers so far.
    var shape: [Int]
    /// The stage that gives it; nil: the net's input.
    var current: Int?
    /// Stages up to this one may have other readers, so that nothing may happen to their outputs in place.
    var sealed = -1
    /// The list of layers that is being walked.
    var block: Block
    /// Of the layer at work: its place among all layers, those inside residual blocks counted behind the block itself.
    var number = 0
    /// By number.
    private(set) var labels: [String] = []
    /// Who gives what the layer at work reads.
    private(set) var giver = "the input"

    /// `model.layers`, or the layers of a residual block.
    struct Block {
        var layers: [LayerSpecification]
        var path: [Int] = []
        var namePrefix = ""
        var labelPrefix = ""
        /// What comes behind the block's last layer.
        var following: [LayerSpecification] = []
    }

    init(_ specification: ModelSpecification) throws(ModelError) {
        self.specification = specification
        shape = specification.inputShape
        block = Block(layers: specification.layers)
        try checkInput()
        for index in specification.layers.indices {
            try append(index)
        }
        becomePlain()
        try checkLoss()
    }

    // MARK: One layer

    mutating func append(_ index: Int) throws(ModelError) {
        let layer = block.layers[index]
        guard labels.count < Self.mostLayers else { throw error(index, "a net may have \(Self.mostLayers) layers at most") }
        number = labels.count
        labels.append(label(index))
        try checkName(index)
        let before = layout.count
        switch layer.kind {
        case .flatten:
            becomePlain()
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
            if rate > 0 { drop(Dropout(layer: number, rate: rate, scaling: scaling)) }
        case .conv2d(let options): try appendConvolution(index, options)
        case .maxPool2d(let options): try appendPooling(index, .max, options)
        case .averagePool2d(let options): try appendPooling(index, .average, options)
        case .globalAveragePool2d: try appendGlobalPooling(index)
        case .batchNorm(let momentum, let epsilon): try appendBatchNormalization(index, momentum: momentum, epsilon: epsilon)
        case .residual(let inner):
            try appendResidual(index, inner)
            giver = label(index)
            return
        }
        observe(layer.kind.keyword)
        layers.append(summary(index, parameterCount: layout.count - before))
        giver = label(index)
    }

    func summary(_ index: Int, parameterCount: Int) -> LayerSummary {
        LayerSummary(
            label: label(index), name: parameterPrefix(index), keyword: block.layers[index].kind.keyword, outputShape: shape,
            parameterCount: parameterCount)
    }

    /// Puts a block's summary before those of the layers inside it.
    mutating func insert(_ summary: LayerSummary, at number: Int) {
        layers.insert(summary, at: number)
        observedUnits = observedUnits.map { $0.layer < number ? $0 : $0.behindOneMore }
    }

    mutating func appendDense(
        _ index: Int, units: Int, bias: Bool, initializer: InitializerSpecification?, biasInitializer: InitializerSpecification
    ) throws(ModelError) {
        guard units >= 1 else { throw error(index, "units must be at least 1, got \(units)") }
        try requireOneDimension(index)
        let inputs = shape[0]
        let chosen = initializer ?? automaticInitializer(after: index)
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
            throw error(index, "its parameter \(name) is already one of \(labels[other.layer]); give one of the two another name")
        }
        guard let entry = layout.append(name: name, shape: shape, isRegularized: isRegularized, layer: number) else {
            throw error(index, "\(Self.text(shape)) parameters are more than a net may have (2^33 in all)")
        }
        let outputs = shape[0] * shape.dropFirst(2).reduce(1, *)
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

    mutating func appendStatistics(_ index: Int, channels: Int, momentum: Double) -> Int {
        layout.appendStatistics(prefix: parameterPrefix(index), channels: channels, momentum: momentum, layer: number)
    }

    /// Notes that the units of the layer which was just added are looked at in validations.
    private mutating func observe(_ keyword: String) {
        guard let current else { return }
        var question = ObservedUnits.question(of: keyword)
        if case .leafwise(let operation) = stages[current].kind, operation.pieces > 0, keyword == "maxout" {
            question = .wins(pieces: operation.pieces)
        }
        guard let question else { return }
        observedUnits.append(ObservedUnits(layer: layers.count, width: stages[current].outputWidth, question: question, stage: current))
    }

    // MARK: Stages

    /// Adds a stage that reads the output so far, in the layout that it can read.
    mutating func stage(_ kind: Stage.Kind, after: Stage.Steps = .init()) {
        if !kind.readsImages { becomePlain() }
        let carrier = kind.carrier(at: stages.count, ofSource: current.flatMap { stages[$0].carrier })
        stages.append(Stage(source: current, kind: kind, after: after, carrier: carrier))
        current = stages.count - 1
    }

    /// Whether the output so far lies in the layout of images.
    var isImage: Bool { current.map { stages[$0].carrier != nil } ?? false }

    /// The stage that what comes next may join.
    var joinable: Int? {
        current.flatMap { $0 > sealed ? $0 : nil }
    }

    /// Dropout joins the stage before it if the activation's derivative can still be read from what is left.
    mutating func drop(_ dropout: Dropout) {
        becomePlain()
        if let last = joinable, stages[last].takesDropout {
            stages[last].after.dropout = dropout
        } else {
            stage(.pointwise(width: shape.reduce(1, *)), after: .init(dropout: dropout))
        }
    }

    /// Brings the output so far row by row, for what cannot read images. An activation that is one more pass anyway is taken along: the
    /// pass then does dropout too.
    mutating func becomePlain() {
        guard isImage else { return }
        let after = takeActivation { if case .leafwise(let operation) = $0.kind { !(operation is Convolution) } else { true } }
        let image = shape.count == 3 ? shape : shape + [1, 1]
        let last = current
        stage(.leafwise(ImageCopy(shape: image, isToPlain: true)), after: after)
        if after.activation != .identity, let last { activationMoved(from: last, givingTheSame: true) }
    }

    /// The activation of a stage is now the current one's: its units are looked at accordingly.
    mutating func activationMoved(from stage: Int, givingTheSame values: Bool) {
        guard let next = current else { return }
        observedUnits = observedUnits.map { $0.stage == stage ? $0.activated(by: next, givingTheSame: values) : $0 }
    }

    /// Removes the activation of the last stage, to be done by the next; nothing where the stage has other readers or is
    /// not meant.
    mutating func takeActivation(where isMeant: (Stage) -> Bool) -> Stage.Steps {
        guard let last = joinable, stages[last].after.dropout == nil, isMeant(stages[last]) else { return .init() }
        if case .pointwise = stages[last].kind { return .init() }
        defer { stages[last].after = .init() }
        return stages[last].after
    }

    /// The net's own, or He before ReLU-likes, Xavier elsewhere; layers in between that only move or scale change nothing.
    func automaticInitializer(after index: Int) -> InitializerSpecification {
        if let chosen = specification.initializer { return chosen }
        for layer in block.layers[(index + 1)...] + block.following {
            switch layer.kind {
            case .relu, .leakyReLU, .prelu, .elu, .selu, .gelu, .silu, .softplus: return .heNormal
            case .flatten, .dropout, .maxPool2d, .averagePool2d, .globalAveragePool2d, .batchNorm, .layerNorm: continue
            case .dense, .maxout, .sigmoid, .tanh, .hardSigmoid, .softmax, .conv2d, .residual: return .xavierUniform
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
    }

    private func checkName(_ index: Int) throws(ModelError) {
        guard let name = block.layers[index].name else { return }
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
            throw ModelError("the net has no parameters to train; put at least one dense or conv2d layer into model.layers")
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
        ModelError(path: [specification.layers.count - 1], "loss \(specification.loss.keyword): \(text)")
    }

    // MARK: Words

    func error(_ index: Int, _ text: String) -> ModelError {
        ModelError(path: block.path + [index], "\(label(index)): \(text)")
    }

    func label(_ index: Int) -> String {
        let layer = block.layers[index]
        let name = layer.name.map { " \"\($0)\"" } ?? ""
        return "\(block.labelPrefix)layers[\(index)]\(name) (\(layer.kind.keyword))"
    }

    func parameterPrefix(_ index: Int) -> String {
        "\(block.namePrefix)layers.\(block.layers[index].name ?? String(index))"
    }

    static func text(_ shape: [Int]) -> String {
        shape.map(String.init).joined(separator: "×")
    }

    /// 2²⁸ values: rows of more have no place in memory beside their activations.
    static let largestRow = 1 << 28
    /// Two bytes hold a layer's number in the keys of random streams.
    static let mostLayers = (1 << 16) - 1
}
