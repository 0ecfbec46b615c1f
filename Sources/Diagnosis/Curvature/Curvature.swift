/// What the loss looks like around the final weights: a minimum, a saddle, or a plateau.
///
/// The Hessian's products come from differences of gradients, H·v ≈ (g(w + εv) − g(w − εv)) / 2ε (Pearlmutter 1994 gives the exact form;
/// the difference needs nothing but gradients, which a cluster can compute).
/// - Source: Dauphin et al. 2014; Sagun et al., Empirical analysis of the Hessian of over-parametrized neural networks (2018).
public struct Curvature: Equatable, Sendable {
    public enum Shape: String, Codable, Sendable {
        /// It curves upward in every direction that was found.
        case minimum
        /// Upward in some directions, downward in others: there is a way down.
        case saddle
        /// Nothing leads down, and it is high up: neither gradient nor curvature say where to go.
        case plateau
    }

    public var shape: Shape
    public var smallestEigenvalue: Double
    public var largestEigenvalue: Double
    /// Of the whole training set, penalty included.
    public var gradientNorm: Double
    public var loss: Double
    /// Products of the Hessian: two gradients each.
    public var steps: Int
    /// Full passes over the training data.
    public var passes: Int

    /// - Parameter weightNorm: what a step is measured by.
    static func shape(
        smallest: Double, largest: Double, gradientNorm: Double, loss: Double, weightNorm: Double, lossShare: Double?
    ) -> Shape {
        let steepest = max(abs(smallest), abs(largest))
        let change = gradientNorm * weightNorm + steepest / 2 * weightNorm * weightNorm
        if change < max(abs(loss), .leastNormalMagnitude) * flatChange { return .plateau }
        if smallest < -steepest * negligible { return .saddle }
        // What a step against the gradient gains where the loss curves most.
        let gain = gradientNorm * gradientNorm / (2 * max(steepest, .leastNormalMagnitude))
        return (lossShare ?? 0) >= stillLost && gain < abs(loss) * flatChange ? .plateau : .minimum
    }

    /// Of ‖w‖: large against the rounding of floats, small against what bends the loss.
    static let relativeStep = 1e-3
    /// A way of the whole of ‖w‖ along the steepest and the most curved direction that changes the loss by less is flat.
    static let flatChange = 1e-2
    /// Differences of float gradients don't resolve an eigenvalue beside one that is hundreds of times larger.
    static let negligible = 3e-3
    /// A place with no way down that is no better than half of a constant prediction is no minimum worth the name: what curves there is
    /// the last layer alone, and all others lie flat.
    static let stillLost = 0.5
}

extension Curvature: Encodable {
    private enum CodingKeys: String, CodingKey {
        case shape, loss, steps, passes
        case smallestEigenvalue = "smallest_eigenvalue"
        case largestEigenvalue = "largest_eigenvalue"
        case gradientNorm = "gradient_norm"
    }
}

extension Curvature {
    /// For a person.
    public var lines: [String] {
        let meaning =
            switch shape {
            case .minimum: "a minimum: the loss curves upward in every direction"
            case .saddle: "a saddle: there are directions in which the loss curves downward"
            case .plateau: "a plateau: no direction leads down, and the loss is still high"
            }
        return [
            Diagnosis.row("curvature", meaning),
            Diagnosis.row(
                "",
                "eigenvalues of the Hessian from \(Words.figure(smallestEigenvalue)) to \(Words.figure(largestEigenvalue)) "
                    + "(\(steps) products, \(passes) passes over the training data), "
                    + "gradient \(Words.figure(gradientNorm)), loss \(Words.figure(loss))"),
        ]
    }
}
