/// An update rule with its options, as in the run file's `optimizer.rule`; formulas and defaults are PyTorch's.
///
/// ε is added to the root, outside it and after bias correction, except in Adadelta (inside both roots).
public enum RuleSpecification: Codable, Equatable, Sendable {
    /// w ← w − ηg.
    case sgd(learningRate: Double)
    /// v₁ = g, then v ← μv + (1−τ)g; w ← w − ηv, Nesterov w ← w − η(g + μv).
    case momentum(learningRate: Double, momentum: Double = 0.9, dampening: Double = 0, nesterov: Bool = false)
    /// Kingma & Ba 2014, algorithm 1; amsgrad: Reddi et al. 2018.
    case adam(
        learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, amsgrad: Bool = false)
    /// Duchi et al. 2011: s ← s + g²; w ← w − η/(1 + (t−1)·decay) · g/(√s + ε).
    case adagrad(learningRate: Double, rateDecay: Double = 0, initialAccumulator: Double = 0, epsilon: Double = 1e-10)
    /// Hinton: s ← αs + (1−α)g²; w ← w − ηg/(√s + ε); centered (Graves 2013): the root of s minus the squared mean of g.
    case rmsprop(
        learningRate: Double, alpha: Double = 0.99, epsilon: Double = 1e-8, centered: Bool = false, momentum: Double = 0)
    /// Loshchilov & Hutter 2019: w ← (1−ηλ)w, then Adam.
    case adamw(
        learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, amsgrad: Bool = false,
        weightDecay: Double = 0.01)
    /// Kingma & Ba 2014, algorithm 2.
    case adamax(learningRate: Double = 2e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
    /// Dozat 2016; μ_t = β₁(1 − ½·0.96^(t·momentumDecay)).
    case nadam(
        learningRate: Double = 2e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, momentumDecay: Double = 4e-3)
    /// Liu et al. 2020, algorithm 2; rectified where ρ_t > 5.
    case radam(learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
    /// Zeiler 2012, algorithm 1, scaled by the rate.
    case adadelta(learningRate: Double = 1, rho: Double = 0.9, epsilon: Double = 1e-6)
    /// Liu & Nocedal 1989; evaluates several times per step.
    case lbfgs(LBFGSOptions = LBFGSOptions())
    /// Polak–Ribière⁺; evaluates several times per step.
    case conjugateGradient(ConjugateGradientOptions = ConjugateGradientOptions())

    /// The rule's name in a run file.
    public var keyword: String {
        switch self {
        case .sgd: "sgd"
        case .momentum: "momentum"
        case .adam: "adam"
        case .adagrad: "adagrad"
        case .rmsprop: "rmsprop"
        case .adamw: "adamw"
        case .adamax: "adamax"
        case .nadam: "nadam"
        case .radam: "radam"
        case .adadelta: "adadelta"
        case .lbfgs: "lbfgs"
        case .conjugateGradient: "conjugate_gradient"
        }
    }

    public var learningRate: Double {
        switch self {
        case .sgd(let rate), .momentum(let rate, _, _, _), .adam(let rate, _, _, _, _), .adagrad(let rate, _, _, _),
            .rmsprop(let rate, _, _, _, _), .adamw(let rate, _, _, _, _, _), .adamax(let rate, _, _, _), .nadam(let rate, _, _, _, _),
            .radam(let rate, _, _, _), .adadelta(let rate, _, _):
            rate
        case .lbfgs(let options): options.learningRate
        case .conjugateGradient: 1
        }
    }

    /// The names of the per-parameter slots, in checkpoint order.
    public var slotNames: [String] {
        switch self {
        case .sgd: []
        case .momentum: ["velocity"]
        case .adam(_, _, _, _, let amsgrad), .adamw(_, _, _, _, let amsgrad, _):
            ["first_moment", "second_moment"] + (amsgrad ? ["largest_second_moment"] : [])
        case .adagrad: ["square_sum"]
        case .rmsprop(_, _, _, let centered, let momentum):
            ["square_average"] + (centered ? ["gradient_average"] : []) + (momentum > 0 ? ["velocity"] : [])
        case .adamax: ["first_moment", "infinity_norm"]
        case .nadam, .radam: ["first_moment", "second_moment"]
        case .adadelta: ["square_average", "square_update_average"]
        case .lbfgs, .conjugateGradient: []  // what they keep belongs to their machine
        }
    }

    /// The names of every slot that some options of this rule have, in checkpoint order.
    var possibleSlotNames: [String] {
        switch self {
        case .adam, .adamw: ["first_moment", "second_moment", "largest_second_moment"]
        case .rmsprop: ["square_average", "gradient_average", "velocity"]
        default: slotNames
        }
    }

    /// The same without decay of its own.
    var withoutDecay: RuleSpecification {
        guard case .adamw(let rate, let beta1, let beta2, let epsilon, let amsgrad, _) = self else { return self }
        return .adamw(learningRate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon, amsgrad: amsgrad, weightDecay: 0)
    }

    /// The value that every element of a slot has before the first step.
    public func initialSlotValue(_ slot: Int) -> Float {
        if case .adagrad(_, _, let initial, _) = self { Float(initial) } else { 0 }
    }
}
