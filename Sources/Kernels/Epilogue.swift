internal import CKernels

package enum Activation: Sendable, Equatable {
    case identity
    case relu
    case leakyReLU(slope: Float)
    case sigmoid
    case tanh

    /// Whether y alone tells the derivative even where dropout has put zeros.
    package var showsDroppedUnits: Bool {
        switch self {
        case .relu: true
        case .identity, .leakyReLU, .sigmoid, .tanh: false
        }
    }

    /// Whether the derivative can be read from y after dropout has scaled it: only the sign of y counts.
    package var survivesScaling: Bool {
        switch self {
        case .identity, .relu, .leakyReLU: true
        case .sigmoid, .tanh: false
        }
    }
}

/// What happens to every element after a product, in one pass: activation, then dropout or scaling.
package struct Epilogue: Sendable, Equatable {
    package var activation: Activation
    /// Multiplies what is kept.
    package var scale: Float
    /// Elements whose random word is less are dropped; 0 drops nothing.
    package var threshold: UInt32
    /// Of the random stream: the run's seed, the step, and `RandomStream.tag`.
    package var seed: UInt64
    package var step: UInt64
    package var tag: UInt32

    package init(
        _ activation: Activation, scale: Float = 1, threshold: UInt32 = 0, seed: UInt64 = 0, step: UInt64 = 0, tag: UInt32 = 0
    ) {
        self.activation = activation
        self.scale = scale
        self.threshold = threshold
        self.seed = seed
        self.step = step
        self.tag = tag
    }

    var raw: ck_epilogue {
        let (code, slope): (Int, Float) =
            switch activation {
            case .identity: (CK_IDENTITY, 0)
            case .relu: (CK_RELU, 0)
            case .leakyReLU(let slope): (CK_LEAKY_RELU, slope)
            case .sigmoid: (CK_SIGMOID, 0)
            case .tanh: (CK_TANH, 0)
            }
        return ck_epilogue(
            activation: Int32(code), slope: slope, scale: scale, threshold: threshold,
            key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)), step: UInt32(truncatingIfNeeded: step),
            tag: tag)
    }
}

/// Columns `first` ..< `first + count` of a row-major matrix with `width` columns and `rows` rows.
package struct Region: Sendable {
    package var rows: Int
    package var width: Int
    package var first: Int
    package var count: Int

    package init(rows: Int, width: Int, first: Int = 0, count: Int? = nil) {
        self.rows = rows
        self.width = width
        self.first = first
        self.count = count ?? width - first
    }

    var isInside: Bool { rows >= 0 && first >= 0 && first % 4 == 0 && count >= 0 && first + count <= width }
    package var end: Int { rows * width }
}
