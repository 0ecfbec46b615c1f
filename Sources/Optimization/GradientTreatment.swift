/// What is done to a step's mean gradient before the rule, clip, then decay; and to the weights after it.
public struct GradientTreatment: Codable, Equatable, Sendable {
    /// Every element is brought into ±clipValue; nil: no clipping. Excludes `clipNorm`.
    public var clipValue: Double?
    /// The gradient of all groups together is scaled by min(1, clipNorm ÷ (‖g‖ + 1e-6)); nil: no clipping.
    public var clipNorm: Double?
    /// λ of ½λ‖w‖², coupled: g += λ·w. Weights only.
    public var l2: Double
    /// λ₁ of λ₁‖w‖₁: g += λ₁·sgn(w), sgn(0) = 0. Weights only.
    public var l1: Double
    /// Rows of weights (a unit, a filter, a maxout piece each) longer than this are scaled down to it after the rule; nil: none are.
    ///
    /// - Source: Srivastava et al. 2014, §5.1; Goodfellow et al. 2013.
    public var maxNorm: Double?

    public init(clipValue: Double? = nil, clipNorm: Double? = nil, l2: Double = 0, l1: Double = 0, maxNorm: Double? = nil) {
        self.clipValue = clipValue
        self.clipNorm = clipNorm
        self.l2 = l2
        self.l1 = l1
        self.maxNorm = maxNorm
    }
}

/// What a step does whose mean gradient is NaN or infinite somewhere.
public enum NonFinitePolicy: String, Codable, Equatable, Sendable, CaseIterable {
    /// It ends the run.
    case stop
    /// It leaves weights and slots as they were, and counts.
    case skip
}
