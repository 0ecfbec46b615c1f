internal import Diagnosis
internal import Kernels
internal import Optimization

/// A look at the curvature in the place of a rule's search: one step, as many passes over all rows as the look takes.
final class CurvatureSearch: LossSearch {
    let objective: PenalizedObjective
    let weights: FloatBlock
    private(set) var evaluations: UInt64 = 0
    private var probe: CurvatureProbe
    private let mean: FloatBlock

    /// Once the step is done.
    var curvature: Curvature? { probe.curvature }

    init(_ probe: CurvatureProbe, weights: [Float], objective: PenalizedObjective) {
        precondition(weights.count == objective.elementCount, "the objective's segments cover the weights")
        self.probe = probe
        self.objective = objective
        self.weights = FloatBlock(count: weights.count)
        mean = FloatBlock(count: weights.count)
        Self.copy(weights, into: self.weights.mutableView)
    }

    func beginStep(isSameObjective: Bool) -> ClosureMachine.Turn {
        probe.trial == nil ? .stepDone : .evaluate
    }

    func writeTrial(into weights: MutableFloatView) {
        guard let trial = probe.trial else { return weights.copy(from: self.weights.view) }
        Self.copy(trial, into: weights)
    }

    func take(loss: Double, gradientSum: FloatView, sampleCount: Int, weights: FloatView) -> ClosureMachine.Turn {
        evaluations += 1
        objective.gradient(sum: gradientSum, sampleCount: sampleCount, weights: weights, into: mean.mutableView)
        let value = loss + objective.penalty(of: weights), gradient = mean.view
        guard value.isFinite else { return .notFinite(element: nil) }
        if let wild = (0..<gradient.count).first(where: { !gradient[$0].isFinite }) { return .notFinite(element: wild) }
        probe.take(loss: value, gradient: (0..<gradient.count).map { Double(gradient[$0]) })
        return probe.trial == nil ? .stepDone : .evaluate
    }

    private static func copy(_ values: [Float], into view: MutableFloatView) {
        for (index, value) in values.enumerated() { view[index] = value }
    }
}
