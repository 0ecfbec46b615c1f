internal import NeuralNet

extension LayerSpecification {
    var outline: Outline {
        let options: [Outline.Entry] =
            switch kind {
            case .flatten, .sigmoid, .tanh, .relu, .selu, .silu, .softplus, .hardSigmoid, .softmax: []
            case .dense(let units, let bias, let initializer, let biasInitializer):
                [
                    .init("units", .whole(units), .bits),
                    .init("bias", .flag(bias), .bits),
                    .init("initializer", initializer?.outline ?? .none, .bits),
                    .init("bias_initializer", biasInitializer.outline, .bits),
                ]
            case .leakyReLU(let slope): [.init("slope", .number(slope), .bits)]
            case .elu(let alpha): [.init("alpha", .number(alpha), .bits)]
            case .gelu(let approximation): [.init("approximate", .word(approximation.rawValue), .bits)]
            case .prelu(let perChannel): [.init("per_channel", .flag(perChannel), .bits)]
            case .maxout(let units, let pieces): [.init("units", .whole(units), .bits), .init("pieces", .whole(pieces), .bits)]
            case .layerNorm(let epsilon): [.init("epsilon", .number(epsilon), .bits)]
            case .dropout(let rate, let scaling): [.init("rate", .number(rate), .bits), .init("scaling", .word(scaling.rawValue), .bits)]
            }
        if options.isEmpty && name == nil { return .word(kind.keyword) }
        let name = Outline.Entry("name", name.map(Outline.text) ?? .none, .bits)
        return .single(kind.keyword, .map(options + [name]))
    }
}

extension InitializerSpecification {
    var outline: Outline {
        switch self {
        case .heNormal: .word("he_normal")
        case .heUniform: .word("he_uniform")
        case .xavierNormal: .word("xavier_normal")
        case .xavierUniform: .word("xavier_uniform")
        case .normal(let deviation): .variant("normal", ["std": .number(deviation)])
        case .constant(let value): .single("constant", .number(value))
        }
    }
}

extension LossSpecification {
    var outline: Outline {
        switch self {
        case .softmaxCrossEntropy(let smoothing): .variant(keyword, ["label_smoothing": .number(smoothing)])
        case .huber(let delta): .variant(keyword, ["delta": .number(delta)])
        case .binaryCrossEntropy, .meanSquaredError, .meanAbsoluteError: .word(keyword)
        }
    }
}
