internal import Exactness
public import Kernels

/// The weights of a net, their gradient, and the rule that brings them together: the loop in one process, without a cluster.
///
///     let optimizer = try Optimizer(.adam(learningRate: 1e-3), for: model)
///     optimizer.zeroGradient()
///     …                                        // whatever adds the mean gradient to `gradient`
///     try optimizer.step()
///
/// A step changes the weights in place; one whose gradient is not finite throws and changes nothing. The gradient stays as it was
/// filled: clipping happens on the way.
public final class Optimizer {
    /// The one parameter block.
    public let weights: FloatBlock
    /// The mean gradient, of the same layout; whoever evaluates the loss adds to it.
    public let gradient: FloatBlock
    /// The rule's state, in the order of `slotNames`.
    public let slots: [FloatBlock]
    /// Steps taken.
    public internal(set) var stepCount: UInt64 = 0
    /// The rate of the next step. Set it to choose one by hand; a schedule sets it anew after each step and validation.
    public var learningRate: Double
    /// The norm of the last step's gradient over all groups, before clipping; nil without clipping by norm.
    public private(set) var gradientNorm: Double?

    private let updater: Updater
    private let schedule: LearningRateSchedule?
    private var plateau = PlateauState()
    /// Of a rule that evaluates several times per step.
    let machine: ClosureMachine?
    private let scratch = UpdateScratch(shardCount: 1)
    private let squares: BlockSums
    private let spare: FloatBlock?
    private let views: (slots: [FloatView], nextSlots: [MutableFloatView])

    /// - Parameters:
    ///   - weights: what steps change.
    ///   - gradient: where the mean gradient of the weights is put, as long as they; nil: a block of the optimizer's own.
    ///   - segments: which parts are regularized, their names and shapes, ascending and covering the block; nil: all of it is one.
    ///   - groups: parameters with options of their own, chosen by the segments' names.
    ///   - schedule: what the rate follows; nil: it stays the rule's.
    public init(
        rule: RuleSpecification, treatment: GradientTreatment = GradientTreatment(), groups: [ParameterGroup] = [],
        schedule: LearningRateSchedule? = nil, weights: FloatBlock, gradient: FloatBlock? = nil, segments: [UpdateSegment]? = nil
    ) throws(OptimizationError) {
        let whole = [UpdateSegment(range: 0..<weights.count, isRegularized: true)]
        let updater = try Updater(rule: rule, treatment: treatment, segments: segments ?? whole, groups: groups)
        precondition(updater.elementCount == weights.count, "the segments cover the weights")
        precondition(gradient.map { $0.count == weights.count } ?? true, "a gradient is as long as its weights")
        if rule.isClosureRule && schedule != nil {
            throw .option("schedule", problem: "does not go with \(rule.keyword): its search finds the length of every step")
        }
        if let schedule, schedule.base != rule.learningRate {
            throw .option("schedule", problem: "must start from the rule's learning_rate, \(rule.learningRate), got base \(schedule.base)")
        }
        let slots = (0..<updater.slotCount).map { _ in FloatBlock(count: weights.count) }
        updater.initializeSlots(slots.map(\.mutableView))
        self.weights = weights
        self.gradient = gradient ?? FloatBlock(count: weights.count)
        self.slots = slots
        self.schedule = schedule
        learningRate = schedule?.rate(step: 0) ?? rule.learningRate
        self.updater = updater
        machine = rule.isClosureRule ? try ClosureMachine(rule: rule, objective: updater.objective, weights: weights) : nil
        squares = BlockSums(elementCount: weights.count)
        spare = updater.needsGradientNorm ? FloatBlock(count: weights.count) : nil
        views = (slots.map(\.view), slots.map(\.mutableView))
    }

    public var slotNames: [String] { updater.slotNames }

    /// ½λ‖w‖² + λ₁‖w‖₁ of the weights as they stand, which is no part of the loss that a closure returns.
    public var penalty: Double { updater.penalty(of: weights.view) }

    /// Before a batch: whoever evaluates adds to the gradient.
    public func zeroGradient() {
        gradient.mutableView.fill(0)
    }

    /// Tells `reduce_on_plateau` of a validation; whether the rate has been reduced.
    @discardableResult
    public func observe(validationLoss: Double) -> Bool {
        guard let schedule, schedule.observe(validationLoss: validationLoss, after: stepCount, &plateau) else { return false }
        learningRate = schedule.rate(step: stepCount, plateau: plateau)
        return true
    }

    /// One update from the gradient as it stands.
    public func step() throws(OptimizationError) {
        guard machine == nil else { throw noClosure }
        guard learningRate >= 0 && Float(learningRate).isFinite else {
            throw .option("learning_rate", problem: "must be a number not below 0, got \(learningRate)")
        }
        if let element = updater.firstNotFinite(in: gradient.view, scratch: scratch) {
            throw .gradientNotFinite(element: element, step: stepCount + 1)
        }
        let outcome = updater.update(
            0..<weights.count, reduction: .single, operands: [gradient.view], sampleCount: 1,
            scalars: updater.scalars(step: stepCount + 1, learningRate: learningRate), gradientScale: clipFactor(), weights: weights.view,
            slots: views.slots, into: weights.mutableView, nextSlots: views.nextSlots, scratch: scratch, norms: nil)
        precondition(outcome == .finite, "the gradient was changed during the step")
        if updater.limitsRows { updater.limitRows(beginningIn: 0..<weights.count, of: weights.mutableView) }
        stepCount += 1
        if let schedule { learningRate = schedule.rate(step: stepCount, plateau: plateau) }
    }

    private func clipFactor() -> Float {
        guard let spare else { return 1 }
        _ = updater.reduce(
            0..<weights.count, reduction: .single, operands: [gradient.view], sampleCount: 1, into: spare.mutableView, scratch: scratch,
            squares: squares)
        let total = squares.total
        gradientNorm = total.exactRoot
        return updater.clipFactor(squaredNorm: total)
    }

    /// Evaluates and updates: `closure` zeroes the gradient, fills it with the mean gradient and returns the mean loss.
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
