/// What rules that evaluate the loss several times per step have in common.
public struct ClosureLimits: Codable, Equatable, Sendable {
    /// Evaluations of loss and gradient per step, at most.
    public var maxEvaluations: Int
    /// A step ends where no element of the gradient is larger.
    public var toleranceGradient: Double
    /// A step ends where no weight, and not the loss, has changed by more in an iteration.
    public var toleranceChange: Double
    /// Whether an evaluation looks at all training rows; otherwise at one batch. A closure of one's own looks at what it likes.
    public var isFullPass: Bool

    public init(
        maxEvaluations: Int = 25, toleranceGradient: Double = 1e-7, toleranceChange: Double = 1e-9, isFullPass: Bool = true
    ) {
        self.maxEvaluations = maxEvaluations
        self.toleranceGradient = toleranceGradient
        self.toleranceChange = toleranceChange
        self.isFullPass = isFullPass
    }

    /// One evaluation is at the weights themselves; with fewer no step would move.
    public static let fewestEvaluations = 2
}

/// How far a rule goes along its direction.
public enum LineSearch: String, Codable, Equatable, Sendable, CaseIterable {
    /// To where the loss has decreased enough and is flat enough.
    case strongWolfe = "strong_wolfe"
    /// As far as the learning rate says.
    case none
}

/// The options of `lbfgs`.
public struct LBFGSOptions: Codable, Equatable, Sendable {
    /// The first length that is tried in every iteration.
    public var learningRate: Double
    /// Pairs of changes of weights and gradient that are kept.
    public var history: Int
    public var lineSearch: LineSearch
    public var limits: ClosureLimits

    public init(
        learningRate: Double = 1, history: Int = 10, lineSearch: LineSearch = .strongWolfe, limits: ClosureLimits = ClosureLimits()
    ) {
        self.learningRate = learningRate
        self.history = history
        self.lineSearch = lineSearch
        self.limits = limits
    }
}

/// The options of `conjugate_gradient`.
public struct ConjugateGradientOptions: Codable, Equatable, Sendable {
    /// When the direction becomes steepest descent again.
    public enum Restart: Codable, Equatable, Sendable {
        /// Where successive gradients are far from orthogonal: |g·g′| ≥ ⅕‖g‖² (Powell 1977), and where a direction does not descend.
        case automatic
        /// Besides, after so many iterations.
        case every(Int)
    }

    public var restart: Restart
    public var limits: ClosureLimits

    public init(restart: Restart = .automatic, limits: ClosureLimits = ClosureLimits()) {
        self.restart = restart
        self.limits = limits
    }
}
