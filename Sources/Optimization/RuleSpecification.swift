/// An update rule with its options, as in the run file's `optimizer.rule`; formulas and defaults are PyTorch's.
public enum RuleSpecification: Codable, Equatable, Sendable {
    case sgd(learningRate: Double)
    case momentum(learningRate: Double, momentum: Double = 0.9, dampening: Double = 0, nesterov: Bool = false)
    case adam(learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)

    /// The rule's name in a run file.
    public var keyword: String {
        switch self {
        case .sgd: "sgd"
        case .momentum: "momentum"
        case .adam: "adam"
        }
    }

    public var learningRate: Double {
        switch self {
        case .sgd(let rate), .momentum(let rate, _, _, _), .adam(let rate, _, _, _): rate
        }
    }

    /// The names of the per-parameter slots, in checkpoint order.
    public var slotNames: [String] {
        switch self {
        case .sgd: []
        case .momentum: ["velocity"]
        case .adam: ["first_moment", "second_moment"]
        }
    }
}

/// What is done to a step's mean gradient before the rule.
public struct GradientTreatment: Codable, Equatable, Sendable {
    /// Every element is brought into ±clipValue; nil: no clipping.
    public var clipValue: Double?
    /// λ of ½λ‖w‖², coupled: g += λ·w. Weights only.
    public var l2: Double
    /// λ₁ of λ₁‖w‖₁: g += λ₁·sgn(w), sgn(0) = 0. Weights only.
    public var l1: Double

    public init(clipValue: Double? = nil, l2: Double = 0, l1: Double = 0) {
        self.clipValue = clipValue
        self.l2 = l2
        self.l1 = l1
    }
}
