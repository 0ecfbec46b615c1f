/// A net as it is described in a run file, before shapes are known to fit: plain data, the same on every machine.
public struct ModelSpecification: Codable, Equatable, Sendable {
    /// The shape of one row, `[features]` or `[channels, height, width]`.
    public var inputShape: [Int]
    public var layers: [LayerSpecification]
    public var loss: LossSpecification
    /// The initializer of weights that name none; nil chooses by the activation that follows (He before ReLU-likes, Xavier elsewhere).
    public var initializer: InitializerSpecification?

    public init(
        inputShape: [Int], layers: [LayerSpecification], loss: LossSpecification, initializer: InitializerSpecification? = nil
    ) {
        self.inputShape = inputShape
        self.layers = layers
        self.loss = loss
        self.initializer = initializer
    }

    /// The same with layers that need no names of their own.
    public init(inputShape: [Int], layers: [LayerKind], loss: LossSpecification, initializer: InitializerSpecification? = nil) {
        self.init(inputShape: inputShape, layers: layers.map { LayerSpecification($0) }, loss: loss, initializer: initializer)
    }
}

extension ModelSpecification {
    /// The scalings of its dropout layers, those inside residual blocks included; empty: there are none.
    public var dropoutScalings: [DropoutScaling] { Self.scalings(layers) }

    private static func scalings(_ layers: [LayerSpecification]) -> [DropoutScaling] {
        layers.flatMap { layer -> [DropoutScaling] in
            switch layer.kind {
            case .dropout(_, let scaling): [scaling]
            case .residual(let inner): scalings(inner)
            default: []
            }
        }
    }

    /// The same net with no unit dropped; its layers keep their numbers.
    public var withoutDropout: ModelSpecification {
        var model = self
        model.layers = Self.keepingAll(layers)
        return model
    }

    private static func keepingAll(_ layers: [LayerSpecification]) -> [LayerSpecification] {
        layers.map { layer in
            var layer = layer
            switch layer.kind {
            case .dropout(_, let scaling): layer.kind = .dropout(rate: 0, scaling: scaling)
            case .residual(let inner): layer.kind = .residual(keepingAll(inner))
            default: break
            }
            return layer
        }
    }
}

/// One entry of `model.layers`.
public struct LayerSpecification: Codable, Equatable, Sendable {
    public var kind: LayerKind
    /// Replaces the index in parameter names: `layers.<name>.weight`.
    public var name: String?

    public init(_ kind: LayerKind, name: String? = nil) {
        self.kind = kind
        self.name = name
    }
}

/// What a layer does, with its options.
public enum LayerKind: Codable, Equatable, Sendable {
    case flatten
    case dense(
        units: Int, bias: Bool = true, initializer: InitializerSpecification? = nil,
        biasInitializer: InitializerSpecification = .constant(0))
    case sigmoid
    case tanh
    case relu
    case leakyReLU(slope: Double = 0.01)
    case elu(alpha: Double = 1)
    case selu
    case gelu(approximate: GELUApproximation = .exact)
    case silu
    case softplus
    case hardSigmoid
    /// Over a row.
    case softmax
    /// One slope for all, or one per channel: per unit for rows of one dimension.
    case prelu(perChannel: Bool = false)
    /// A unit is the largest of `pieces` linear ones.
    case maxout(units: Int, pieces: Int = 2)
    /// Over the whole row.
    case layerNorm(epsilon: Double = 1e-5)
    case dropout(rate: Double, scaling: DropoutScaling = .inverted)
    case conv2d(ConvolutionOptions)
    case maxPool2d(PoolingOptions)
    case averagePool2d(PoolingOptions)
    case globalAveragePool2d
    case batchNorm(momentum: Double = 0.1, epsilon: Double = 1e-5)
    /// The layers' output plus their input, or plus a projection of it where shapes differ; He et al., CVPR 2016.
    case residual([LayerSpecification])

    /// The layer's name in a run file.
    public var keyword: String {
        switch self {
        case .flatten: "flatten"
        case .dense: "dense"
        case .sigmoid: "sigmoid"
        case .tanh: "tanh"
        case .relu: "relu"
        case .leakyReLU: "leaky_relu"
        case .elu: "elu"
        case .selu: "selu"
        case .gelu: "gelu"
        case .silu: "silu"
        case .softplus: "softplus"
        case .hardSigmoid: "hard_sigmoid"
        case .softmax: "softmax"
        case .prelu: "prelu"
        case .maxout: "maxout"
        case .layerNorm: "layer_norm"
        case .dropout: "dropout"
        case .conv2d: "conv2d"
        case .maxPool2d: "max_pool2d"
        case .averagePool2d: "avg_pool2d"
        case .globalAveragePool2d: "global_avg_pool2d"
        case .batchNorm: "batch_norm"
        case .residual: "residual"
        }
    }
}

public enum GELUApproximation: String, Codable, Equatable, Sendable, CaseIterable {
    case exact = "none"
    case tanh
}

public enum DropoutScaling: String, Codable, Equatable, Sendable, CaseIterable {
    /// Survivors are scaled by 1/(1−p) in training; inference does nothing.
    case inverted
    /// Training scales nothing; inference multiplies by 1−p.
    case classic
}

public enum InitializerSpecification: Codable, Equatable, Sendable {
    case heNormal
    case heUniform
    case xavierNormal
    case xavierUniform
    case normal(standardDeviation: Double)
    case constant(Double)
}
