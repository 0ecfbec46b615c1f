/// How the learning rate goes over the steps of a run; options as in the run file, formulas PyTorch's.
public enum ScheduleSpecification: Codable, Equatable, Sendable {
    case constant
    /// Times gamma every `stepSize` steps.
    case step(stepSize: Int, gamma: Double = 0.1)
    /// Times gamma every step.
    case exponential(gamma: Double)
    /// Half a cosine from the base rate to `minRate` in `steps` (nil: the horizon); after that it goes up again.
    ///
    /// - Source: Loshchilov & Hutter 2017, equation 5, without restarts.
    case cosine(steps: Int? = nil, minRate: Double = 0)
    /// base·(1 − t/steps)^power, 0 from `steps` (nil: the horizon) on.
    case polynomial(steps: Int? = nil, power: Double = 1)
    /// Up to `maxRate` along half a cosine in 3/10 of `totalSteps` (nil: the horizon), then down; from maxRate/25 to a 10⁴th of that.
    ///
    /// - Source: Smith & Topin 2018, with the two phases of fast.ai; the rate alone, momentum is left as it is.
    case oneCycle(maxRate: Double, totalSteps: Int? = nil)
    /// Times factor each time the validation loss has not gained for more than `patience` validations, down to `minRate`.
    case reduceOnPlateau(factor: Double = 0.1, patience: Int = 5, minDelta: Double = 0, minRate: Double = 0)

    /// Whether the rates depend on how many steps a run has in all.
    public var dependsOnHorizon: Bool {
        switch self {
        case .cosine(let steps, _), .polynomial(let steps, _), .oneCycle(_, let steps): steps == nil
        case .constant, .step, .exponential, .reduceOnPlateau: false
        }
    }

    public var countsValidations: Bool {
        if case .reduceOnPlateau = self { true } else { false }
    }
}

/// What `reduce_on_plateau` has seen; travels in checkpoints, so that a resumed run goes on with the same rate.
public struct PlateauState: Codable, Equatable, Sendable {
    public private(set) var best: Double?
    public private(set) var validationsWithoutGain = 0
    /// How often the rate has been multiplied by the factor.
    public private(set) var reductions: UInt64 = 0

    public init() {}

    /// Looks at one validation; whether the rate has been reduced. A loss that is not finite is no gain.
    mutating func observe(loss: Double, patience: Int, minDelta: Double) -> Bool {
        if loss.isFinite, best.map({ loss < $0 - minDelta }) ?? true {
            best = loss
            validationsWithoutGain = 0
            return false
        }
        validationsWithoutGain += 1
        guard validationsWithoutGain > patience else { return false }
        validationsWithoutGain = 0
        reductions += 1
        return true
    }
}
