/// What is done to a step's mean gradient before the rule: clip, then decay.
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
