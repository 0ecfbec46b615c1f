internal import Exactness
internal import Kernels

/// One pass over memory: what the layers of a file become once those that belong together are joined.
///
/// Stages stand in the order in which they run; each reads outputs of earlier ones. A dense layer takes the activation and the dropout
/// that follow it; `flatten` costs nothing, rows being contiguous.
struct Stage: Sendable {
    /// The stage whose output it reads; nil: the net's input.
    var source: Int?
    var kind: Kind
    /// What happens to every element on the way out.
    var after = Steps()

    enum Kind: Sendable {
        case dense(Dense)
        /// Nothing but `after`, over rows of so many values.
        case pointwise(width: Int)
        /// The sum of its source and of another stage's output.
        case sum(width: Int, shortcut: Int?)
        case leafwise(any LeafOperation)
    }

    /// y = epilogue(x · Wᵀ + b).
    /// - Shapes: x `[rows, inputs]`, W `[units, inputs]`, b `[units]`, y `[rows, units]`.
    struct Dense: Sendable {
        var inputs: Int
        var units: Int
        /// Ranges of the parameter layout; the bias lies right behind the weight.
        var weight: Range<Int>
        var bias: Range<Int>?

        var parameters: Range<Int> { weight.lowerBound..<(bias ?? weight).upperBound }
    }

    /// An activation, then dropout; either may be missing.
    struct Steps: Sendable {
        var activation = Activation.identity
        var dropout: Dropout?

        var isEmpty: Bool { activation == .identity && dropout == nil }
    }

    /// Values in one row of its output.
    var outputWidth: Int {
        switch kind {
        case .dense(let dense): dense.units
        case .pointwise(let width), .sum(let width, _): width
        case .leafwise(let operation): operation.outputWidth
        }
    }

    /// The stage's part of the parameter layout.
    var parameters: Range<Int>? {
        switch kind {
        case .dense(let dense): dense.parameters
        case .pointwise, .sum: nil
        case .leafwise(let operation): operation.parameters
        }
    }

    /// Whether an activation may follow in place: nobody needs the output as it was before.
    var takesActivation: Bool {
        guard after.isEmpty else { return false }
        return switch kind {
        case .dense, .pointwise, .sum: true
        case .leafwise(let operation): !operation.keepsOutput
        }
    }

    /// Whether dropout may follow in place: the activation's derivative can still be read, and elements lie row by row.
    var takesDropout: Bool {
        guard after.activation.survivesScaling, after.dropout == nil else { return false }
        return switch kind {
        case .dense, .pointwise, .sum: true
        case .leafwise(let operation): !operation.keepsOutput && operation.hasPlainOutput
        }
    }
}

/// Every unit is dropped with probability `rate`, independently for every sample and step.
struct Dropout: Sendable {
    /// The layer's number in the whole net, part of the random stream's key.
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

extension Stage.Steps {
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
