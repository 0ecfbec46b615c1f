public import Kernels

/// The weights of a net, their gradient, and the rule that brings them together: the loop in one process, without a cluster.
///
///     optimizer.clearGradient()
///     let loss = try evaluate(optimizer.weights.view, optimizer.gradient.mutableView)
///     try optimizer.step()
///
/// A step changes the weights in place; one whose gradient is not finite throws and changes nothing.
public final class Optimizer {
    /// The one parameter block.
    public let weights: FloatBlock
    /// The mean gradient, of the same layout; whoever evaluates the loss adds to it.
    public let gradient: FloatBlock
    /// The rule's state, in the order of `slotNames`.
    public let slots: [FloatBlock]
    /// Steps taken.
    public internal(set) var stepCount: UInt64 = 0
    /// The rule's at first; set it to follow a schedule.
    public var learningRate: Double

    private let updater: Updater
    /// Of a rule that evaluates several times per step.
    let machine: ClosureMachine?
    private let scratch = UpdateScratch(shardCount: 1)
    private let views: (slots: [FloatView], nextSlots: [MutableFloatView])

    /// - Parameter segments: which parts are regularized, ascending and covering the block; nil: all of it is.
    public init(
        rule: RuleSpecification, treatment: GradientTreatment = GradientTreatment(), weights: FloatBlock, segments: [UpdateSegment]? = nil
    ) throws(OptimizationError) {
        let whole = [UpdateSegment(range: 0..<weights.count, isRegularized: true)]
        let updater = try Updater(rule: rule, treatment: treatment, segments: segments ?? whole)
        precondition(updater.elementCount == weights.count, "the segments cover the weights")
        let slots = (0..<updater.slotCount).map { slot in
            let block = FloatBlock(count: weights.count)
            block.mutableView.fill(updater.initialSlotValue(slot))
            return block
        }
        self.weights = weights
        gradient = FloatBlock(count: weights.count)
        self.slots = slots
        learningRate = rule.learningRate
        self.updater = updater
        machine =
            rule.isClosureRule
            ? try ClosureMachine(
                rule: rule, objective: PenalizedObjective(updater.segments, treatment: treatment), weights: weights) : nil
        views = (slots.map(\.view), slots.map(\.mutableView))
    }

    public var slotNames: [String] { updater.slotNames }

    public func clearGradient() {
        gradient.mutableView.fill(0)
    }

    /// One update from the gradient as it stands.
    public func step() throws(OptimizationError) {
        guard machine == nil else { throw noClosure }
        guard learningRate >= 0 && Float(learningRate).isFinite else {
            throw .option("learning_rate", problem: "must be a number not below 0, got \(learningRate)")
        }
        if let element = scratch.firstNotFinite(in: gradient.view) {
            throw .gradientNotFinite(element: element, step: stepCount + 1)
        }
        let outcome = updater.update(
            0..<weights.count, reduction: .single, operands: [gradient.view], sampleCount: 1,
            scalars: updater.scalars(step: stepCount + 1, learningRate: learningRate), weights: weights.view, slots: views.slots,
            into: weights.mutableView, nextSlots: views.nextSlots, scratch: scratch, norms: nil)
        precondition(outcome == .finite, "the gradient was changed during the step")
        stepCount += 1
    }

    /// Evaluates and updates: `closure` clears the gradient, fills it with the mean gradient and returns the mean loss.
    ///
    /// Rules that need several evaluations per step call it as often as they need, each time at other weights; the others call it once.
    /// Penalties are added here, to loss and gradient alike. An error of the closure takes no step and puts the weights back.
    /// - Returns: what the first call returned.
    @discardableResult
    public func step<Loss>(_ closure: () throws -> Loss) throws -> Loss {
        if let machine { return try search(machine, closure) }
        let loss = try closure()
        try step()
        return loss
    }
}
