internal import NeuralNet

extension LayerSpecification {
    /// The layers of a run file.
    static let variants: Variants<LayerSpecification> = Names(
        [
            "flatten": { read($0) { _ in .flatten } },
            "dense": { read($0, readDense) },
            "sigmoid": { read($0) { _ in .sigmoid } },
            "tanh": { read($0) { _ in .tanh } },
            "relu": { read($0) { _ in .relu } },
            "leaky_relu": { read($0) { .leakyReLU(slope: $0.value("slope", .number(.any), default: 0.01)) } },
            "prelu": { read($0) { .prelu(perChannel: $0.value("per_channel", .flag, default: false)) } },
            "elu": { read($0) { .elu(alpha: $0.value("alpha", .number(.nonNegative), default: 1)) } },
            "selu": { read($0) { _ in .selu } },
            "gelu": { read($0) { .gelu(approximate: $0.value("approximate", .choice(Names()), default: .exact)) } },
            "silu": { read($0) { _ in .silu } },
            "softplus": { read($0) { _ in .softplus } },
            "hard_sigmoid": { read($0) { _ in .hardSigmoid } },
            "softmax": { read($0) { _ in .softmax } },
            "dropout": { read($0, readDropout) },
            "maxout": { read($0, readMaxout) },
            "layer_norm": { read($0) { .layerNorm(epsilon: $0.value("epsilon", .number(.positive), default: 1e-5)) } },
            "conv2d": { read($0, readConvolution) },
            "max_pool2d": { read($0) { readPooling($0).map { .maxPool2d($0) } } },
            "avg_pool2d": { read($0) { readPooling($0).map { .averagePool2d($0) } } },
            "global_avg_pool2d": { read($0) { _ in .globalAveragePool2d } },
            "batch_norm": { read($0, readBatchNormalization) },
            "residual": { read($0) { ModelReading.readLayers($0).map { .residual($0) } } },
        ])

    /// A layer's own options, and the name that every layer may have.
    private static func read(_ payload: Payload, _ kind: (Section) -> LayerKind?) -> LayerSpecification? {
        payload.options { s in
            let kind = kind(s)
            let name = s.optional("name", .layerName)
            return kind.map { LayerSpecification($0, name: name) }
        }
    }

    private static func readDense(_ s: Section) -> LayerKind? {
        let units = s.required("units", .whole(in: 1...Ranges.units))
        let bias = s.value("bias", .flag, default: true)
        let initializer = s.variant("initializer", InitializerSpecification.variants(standard: "none"), default: nil)
        let biasInitializer = s.variant("bias_initializer", InitializerSpecification.variants, default: .constant(0))
        guard let units, let initializer, let biasInitializer else { return nil }
        return .dense(units: units, bias: bias, initializer: initializer, biasInitializer: biasInitializer)
    }

    private static func readMaxout(_ s: Section) -> LayerKind? {
        let units = s.required("units", .whole(in: 1...Ranges.units))
        let pieces = s.value("pieces", .whole(in: 1...Ranges.pieces), default: 2)
        return units.map { .maxout(units: $0, pieces: pieces) }
    }

    private static func readDropout(_ s: Section) -> LayerKind? {
        let rate = s.required("rate", .number(.belowOne))
        let scaling = s.value("scaling", .choice(Names()), default: DropoutScaling.inverted)
        return rate.map { .dropout(rate: $0, scaling: scaling) }
    }
}

extension InitializerSpecification {
    static let variants: Variants<InitializerSpecification> = Names([
        "he_normal": { $0.plain(.heNormal) },
        "he_uniform": { $0.plain(.heUniform) },
        "xavier_normal": { $0.plain(.xavierNormal) },
        "xavier_uniform": { $0.plain(.xavierUniform) },
        "normal": { $0.options { $0.required("std", .number(.positive)).map { .normal(standardDeviation: $0) } } },
        "constant": { $0.value(.number(.any)).map { .constant($0) } },
    ])

    /// The same, or a name that stands for nil.
    static func variants(standard: String) -> Variants<InitializerSpecification?> {
        let named: (name: String, value: @Sendable (Payload) -> InitializerSpecification??) = (standard, { $0.plain(nil) })
        let wrapped = variants.supported.map { entry in
            (name: entry.name, value: { @Sendable payload in entry.value(payload).map(Optional.some) })
        }
        return Names([named] + wrapped)
    }
}

extension LossSpecification {
    static let variants: Variants<LossSpecification> = Names(
        [
            "softmax_cross_entropy": { payload in
                payload.options { s in
                    let smoothing = s.value("label_smoothing", .number(.belowOne), default: 0)
                    return .softmaxCrossEntropy(labelSmoothing: smoothing)
                }
            },
            "binary_cross_entropy": { $0.plain(.binaryCrossEntropy) },
            "mean_squared_error": { $0.plain(.meanSquaredError) },
            "mean_absolute_error": { $0.plain(.meanAbsoluteError) },
            "huber": { $0.options { .huber(delta: $0.value("delta", .number(.positive), default: 1)) } },
        ])
}

extension ValueKind where Value == String {
    /// Stands in parameter names instead of an index, so it must not look like one, nor like a path.
    fileprivate static var layerName: Self {
        let words = "a name of letters, digits, _ and -, beginning with a letter"
        let text = ValueKind.text(words)
        return ValueKind(words) { tree throws(Mismatch) in
            let name = try text.read(tree)
            let isAllowed = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
            guard isAllowed, name.first?.isLetter == true, name.utf8.count <= Ranges.nameByteCount else { throw .unexpected }
            return name
        }
    }
}
