internal import Kernels

/// The numbers that a closure rule keeps from step to step, beside its vectors.
public struct ClosureScalars: Codable, Equatable, Sendable {
    /// The objective at the weights, where it is known.
    public var loss: Double?
    /// Moves along a direction.
    public var iterations: UInt64 = 0
    /// Evaluations of loss and gradient.
    public var evaluations: UInt64 = 0
    /// L-BFGS: what the inverse Hessian starts from, s·y ÷ y·y of the newest pair.
    public var scale = 1.0
    /// Conjugate gradient: β of the next direction, the last length and slope, and iterations since a restart.
    public var beta = 0.0
    public var lastLength = 0.0
    public var lastSlope = 0.0
    public var sinceRestart = 0
    /// No length along steepest descent was better than 0: with the same objective there is nothing left to gain.
    public var isExhausted = false

    public init() {}
}

/// A change of the weights, the change of the gradient that came with it, and 1 ÷ (s·y).
struct CurvaturePair {
    let weightChange: FloatBlock
    let gradientChange: FloatBlock
    let inverse: Double

    init(weightChange: FloatBlock, gradientChange: FloatBlock) {
        self.weightChange = weightChange
        self.gradientChange = gradientChange
        inverse = 1 / VectorKernels.dot(gradientChange.view, weightChange.view)
    }
}

/// All that a closure rule knows between two evaluations. Blocks in it are never written again, so a copy is a few references.
struct ClosureState {
    var scalars = ClosureScalars()
    var weights: FloatBlock
    /// Of the objective at the weights; nil before the first evaluation.
    var gradient: FloatBlock?
    /// Conjugate gradient: the last direction.
    var direction: FloatBlock?
    /// L-BFGS: oldest first.
    var pairs: [CurvaturePair] = []

    /// Whether the next direction is steepest descent.
    var isForgetful: Bool { pairs.isEmpty && (direction == nil || scalars.beta == 0) }

    /// The next direction is steepest descent.
    mutating func forget() {
        pairs.removeAll()
        direction = nil
        scalars.scale = 1
        scalars.beta = 0
        scalars.sinceRestart = 0
    }
}
