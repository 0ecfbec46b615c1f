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
    public let layer: Int
    /// Values in one row.
    public let width: Int
    public let question: Question
    let stage: Int

    /// The same layer, once another one stands before it.
    var behindOneMore: ObservedUnits { ObservedUnits(layer: layer + 1, width: width, question: question, stage: stage) }

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
