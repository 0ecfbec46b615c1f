/// A layer whose units are looked at in every validation: do they still do something?
public struct ObservedUnits: Sendable, Equatable {
    public enum Question: Sendable, Equatable {
        /// Rectifiers: which units are 0 on every row.
        case alive
        /// Squashing activations: how many activations lie outside a range, where the curve is flat.
        case outside(ClosedRange<Float>)
        /// Maxout: how often each piece wins.
        case wins(pieces: Int)
    }

    /// Index into `Network.layers`.
    public private(set) var layer: Int
    /// Values in one row.
    public let width: Int
    public let question: Question
    private(set) var stage: Int
    /// Whether the stage gives what the rectifier takes, which a later stage does.
    private(set) var isBeforeRectifier = false

    init(layer: Int, width: Int, question: Question, stage: Int) {
        self.layer = layer
        self.width = width
        self.question = question
        self.stage = stage
    }

    /// The same layer, once another one stands before it.
    var behindOneMore: ObservedUnits {
        var units = self
        units.layer += 1
        return units
    }

    /// The same once the activation of its stage is done by the next one.
    /// - Parameter values: whether that stage gives the same values, if in another layout; otherwise they are seen before the rectifier.
    func activated(by next: Int, givingTheSame values: Bool) -> ObservedUnits {
        var units = self
        if values { units.stage = next } else { units.isBeforeRectifier = true }
        return units
    }

    /// What is asked of a layer, by its name in a run file; nil: nothing.
    static func question(of keyword: String) -> Question? {
        switch keyword {
        case "relu", "leaky_relu", "prelu": .alive
        case "sigmoid", "hard_sigmoid": .outside(0.05...0.95)
        case "tanh": .outside(-0.9...0.9)
        default: nil
        }
    }
}

/// What the units of an observed layer did on some rows; parts are joined exactly in any order.
public enum UnitCounts: Sendable, Equatable {
    /// A mark per element of a row as it lies in memory, padding included.
    case alive([UInt8])
    case outside(Int)
    case wins([Int])
}
