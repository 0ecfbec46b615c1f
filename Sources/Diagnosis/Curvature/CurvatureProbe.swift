/// Finds the curvature around weights: it asks for one loss and gradient after the other, `trial` by `trial`, and never calls anybody.
///
/// The first is at the weights themselves, then two for every product of the Hessian.
public struct CurvatureProbe: Sendable {
    private enum Phase {
        case here
        case above(reach: Double)
        case below(reach: Double, above: [Double])
        case done
    }

    /// Where the loss of the whole objective and its gradient are wanted next; nil: the curvature is known.
    public private(set) var trial: [Float]?
    /// Once nothing more is wanted.
    public private(set) var curvature: Curvature?

    private let weights: [Float]
    private let lossShare: Double?
    private let size: Double
    private var phase = Phase.here
    private var lanczos: Lanczos
    private var loss = 0.0
    private var gradientNorm = 0.0
    private var passes = 0

    /// - Parameters:
    ///   - lossShare: the loss over a constant prediction's, where it is known.
    ///   - steps: products at most; the extremes of a net's spectrum stand out, so a few dozen show them.
    ///   - start: a direction with a share of all; where it is 0, as for frozen parameters, and the gradient too, nothing is looked at.
    public init(weights: [Float], lossShare: Double? = nil, steps: Int, start: [Double]) {
        precondition(weights.count == start.count, "a direction among other weights")
        self.weights = weights
        self.lossShare = lossShare
        size = max(Lanczos.norm(weights.map(Double.init)), 1)
        lanczos = Lanczos(start: start, steps: steps)
        trial = weights
    }

    /// Takes what was asked for.
    public mutating func take(loss: Double, gradient: [Double]) {
        passes += 1
        switch phase {
        case .here:
            self.loss = loss
            gradientNorm = Lanczos.norm(gradient)
            lookAround()
        case .above(let reach):
            phase = .below(reach: reach, above: gradient)
            trial = step(of: -reach)
        case .below(let reach, let above):
            lanczos.take(product: zip(above, gradient).map { ($0 - $1) / (2 * reach) })
            lookAround()
        case .done: preconditionFailure("nothing was asked for")
        }
    }

    private mutating func lookAround() {
        let reach = size * Curvature.relativeStep
        guard lanczos.direction == nil else {
            phase = .above(reach: reach)
            trial = step(of: reach)
            return
        }
        let spectrum = lanczos.extremes
        curvature = Curvature(
            shape: Curvature.shape(
                smallest: spectrum.smallest, largest: spectrum.largest, gradientNorm: gradientNorm, loss: loss, weightNorm: size,
                lossShare: lossShare),
            smallestEigenvalue: spectrum.smallest, largestEigenvalue: spectrum.largest, gradientNorm: gradientNorm, loss: loss,
            steps: spectrum.steps, passes: passes)
        phase = .done
        trial = nil
    }

    private func step(of length: Double) -> [Float]? {
        lanczos.direction.map { direction in zip(weights, direction).map { $0 + Float($1 * length) } }
    }
}
