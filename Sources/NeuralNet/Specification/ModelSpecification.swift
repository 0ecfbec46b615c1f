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
    case dropout(rate: Double, scaling: DropoutScaling = .inverted)

    /// The layer's name in a run file.
    public var keyword: String {
        switch self {
        case .flatten: "flatten"
        case .dense: "dense"
        case .sigmoid: "sigmoid"
        case .tanh: "tanh"
        case .relu: "relu"
        case .leakyReLU: "leaky_relu"
        case .dropout: "dropout"
        }
    }
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

public enum LossSpecification: Codable, Equatable, Sendable {
    /// Takes logits; targets are class numbers.
    case softmaxCrossEntropy
    /// Takes one logit per row; targets are 0 or 1.
    case binaryCrossEntropy
    /// Averages over all elements of a row's output, then over rows.
    case meanSquaredError

    public var keyword: String {
        switch self {
        case .softmaxCrossEntropy: "softmax_cross_entropy"
        case .binaryCrossEntropy: "binary_cross_entropy"
        case .meanSquaredError: "mean_squared_error"
        }
    }

    /// Whether targets are class numbers; else they are values, as many as outputs.
    public var takesLabels: Bool {
        switch self {
        case .softmaxCrossEntropy: true
        case .binaryCrossEntropy, .meanSquaredError: false
        }
    }
}
