/// Which batches a closure rule's step evaluates, each time it asks: a pure function of the plan.
///
/// With full passes a step is an epoch: one evaluation takes all its batches in order. Otherwise a step is a batch.
public struct StepPasses: Hashable, Sendable {
    public let plan: StepPlan
    public let isFull: Bool

    public init(plan: StepPlan, isFull: Bool) {
        self.plan = plan
        self.isFull = isFull
    }

    public var stepsPerEpoch: Int { isFull ? 1 : plan.stepsPerEpoch }

    /// The steps of the plan whose rows an evaluation in `step` takes.
    public func batches(of step: UInt64) -> Range<UInt64> {
        let count = isFull ? UInt64(plan.stepsPerEpoch) : 1
        return step * count..<(step + 1) * count
    }
}

/// One batch gradient at one version of the weights: the unit of work of closure rules, as the step is of the others.
public struct GradientRound: Hashable, Sendable {
    /// Rises with every round and every new version of the weights.
    public var number: UInt64
    /// Whose rows it takes.
    public var planStep: UInt64
    /// Whose dropout masks it takes: the same for all rounds of a closure rule's step.
    public var maskStep: UInt64

    public init(number: UInt64, planStep: UInt64, maskStep: UInt64) {
        self.number = number
        self.planStep = planStep
        self.maskStep = maskStep
    }
}
