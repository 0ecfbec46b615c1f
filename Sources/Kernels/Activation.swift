internal import CKernels

/// A function of every element by itself.
package enum Activation: Sendable, Equatable {
    case identity
    case relu
    case leakyReLU(slope: Float)
    case sigmoid
    case tanh
    /// x > 0: x, else α(eˣ − 1); Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units", ICLR 2016.
    case elu(alpha: Float)
    /// ELU with the α and the scale of Klambauer et al., "Self-Normalizing Neural Networks", NIPS 2017.
    case selu
    /// log(1 + eˣ).
    case softplus
    /// x/6 + ½ within 0…1.
    case hardSigmoid
    /// x · Φ(x); Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
    case gelu
    /// Its approximation by a tanh, in the same paper.
    case geluTanh
    /// x · σ(x).
    case silu

    /// Whether y alone tells the derivative even where dropout has put zeros.
    package var showsDroppedUnits: Bool {
        self == .relu
    }

    /// Whether the derivative can be computed after dropout has scaled y: only the sign of y counts, or y does not count at all.
    package var survivesScaling: Bool {
        switch self {
        case .identity, .relu, .leakyReLU, .gelu, .geluTanh, .silu: true
        case .sigmoid, .tanh, .elu, .selu, .softplus, .hardSigmoid: false
        }
    }

    /// Whether the derivative is computed from x, because two x have the same y: x must be kept.
    package var readsInput: Bool {
        switch self {
        case .gelu, .geluTanh, .silu: true
        case .identity, .relu, .leakyReLU, .sigmoid, .tanh, .elu, .selu, .softplus, .hardSigmoid: false
        }
    }

    /// The kernels' number and constant.
    var raw: (code: Int, constant: Float) {
        switch self {
        case .identity: (CK_IDENTITY, 0)
        case .relu: (CK_RELU, 0)
        case .leakyReLU(let slope): (CK_LEAKY_RELU, slope)
        case .sigmoid: (CK_SIGMOID, 0)
        case .tanh: (CK_TANH, 0)
        case .elu(let alpha): (CK_ELU, alpha)
        case .selu: (CK_SELU, 0)
        case .softplus: (CK_SOFTPLUS, 0)
        case .hardSigmoid: (CK_HARD_SIGMOID, 0)
        case .gelu: (CK_GELU, 0)
        case .geluTanh: (CK_GELU_TANH, 0)
        case .silu: (CK_SILU, 0)
        }
    }
}
