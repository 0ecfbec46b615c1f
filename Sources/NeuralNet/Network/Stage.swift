internal import Exactness
internal import Kernels

/// One pass over memory: what the layers of a file become once those that belong together are joined.
///
/// A dense layer takes the activation and the dropout that follow it; `flatten` costs nothing, rows being contiguous.
enum Stage: Sendable {
    case dense(Dense)
    case pointwise(Pointwise)

    /// y = epilogue(x · Wᵀ + b).
    /// - Shapes: x `[rows, inputs]`, W `[units, inputs]`, b `[units]`, y `[rows, units]`.
    struct Dense: Sendable {
        var inputs: Int
        var units: Int
        /// Ranges of the parameter layout; the bias lies right behind the weight.
        var weight: Range<Int>
        var bias: Range<Int>?
        var after = Pointwise.Steps()

        var parameters: Range<Int> { weight.lowerBound..<(bias ?? weight).upperBound }
    }

    /// y = epilogue(x), element by element.
    struct Pointwise: Sendable {
        var width: Int
        var after: Steps

        /// An activation, then dropout; either may be missing.
        struct Steps: Sendable {
            var activation = Activation.identity
            var dropout: Dropout?
        }
    }

    var inputWidth: Int {
        switch self {
        case .dense(let dense): dense.inputs
        case .pointwise(let pointwise): pointwise.width
        }
    }

    var outputWidth: Int {
        switch self {
        case .dense(let dense): dense.units
        case .pointwise(let pointwise): pointwise.width
        }
    }

    var after: Pointwise.Steps {
        get {
            switch self {
            case .dense(let dense): dense.after
            case .pointwise(let pointwise): pointwise.after
            }
        }
        set {
            switch self {
            case .dense(var dense):
                dense.after = newValue
                self = .dense(dense)
            case .pointwise(var pointwise):
                pointwise.after = newValue
                self = .pointwise(pointwise)
            }
        }
    }
}

/// Every unit is dropped with probability `rate`, independently for every sample and step.
struct Dropout: Sendable {
    /// Index into `model.layers`, part of the random stream's key.
    var layer: Int
    var rate: Double
    var scaling: DropoutScaling

    /// Survivors in training.
    var trainingScale: Float { scaling == .inverted ? Float(1 / (1 - rate)) : 1 }
    /// All units in inference.
    var inferenceScale: Float { scaling == .classic ? Float(1 - rate) : 1 }
    /// A unit is dropped if its random word is less.
    var threshold: UInt32 { UInt32(rate * 0x1p32) }
}

extension Stage.Pointwise.Steps {
    /// Whether training must remember which units were dropped.
    var needsMask: Bool { dropout != nil && !activation.showsDroppedUnits }

    func epilogue(seed: UInt64, step: UInt64, training: Bool) -> Epilogue {
        guard let dropout else { return Epilogue(activation) }
        guard training else { return Epilogue(activation, scale: dropout.inferenceScale) }
        return Epilogue(
            activation, scale: dropout.trainingScale, threshold: dropout.threshold, seed: seed, step: step,
            tag: RandomStream.tag(.dropout, layer: dropout.layer))
    }
}
