public import Exactness
public import Wire

/// What a run does and when, as far as the coordinator's decisions need it: a pure function of run file and data.
public struct RunPlan: Sendable {
    public var tree: ShardTree
    /// The parts that exist; `.train` and `.sample` always do.
    public var parts: [PartID: StepPlan]
    public var epochs: Int
    /// In epochs.
    public var validateEvery: Int
    public var earlyStopping: EarlyStoppingPolicy?
    /// Of a closure rule: what its steps look at; nil: a step is a batch gradient.
    public var passes: StepPasses?
    /// Whether anybody looks at its figures; otherwise the run ends with its last step.
    public var isJudged = true

    /// Whether contributions are updates of their own, so that weights have more versions than there are steps.
    public var isStale = false

    /// Whether weights are numbered by rounds and not by steps.
    var countsRounds: Bool { passes != nil || isStale }

    public init(
        tree: ShardTree, parts: [PartID: StepPlan], epochs: Int, validateEvery: Int, earlyStopping: EarlyStoppingPolicy?,
        passes: StepPasses? = nil
    ) {
        precondition(parts[.train] != nil && parts[.sample] != nil, "a run trains on something")
        self.tree = tree
        self.parts = parts
        self.epochs = epochs
        self.validateEvery = validateEvery
        self.earlyStopping = earlyStopping
        self.passes = passes
    }

    public func plan(of part: PartID) -> StepPlan {
        guard let plan = parts[part] else { preconditionFailure("the run has no part \(part)") }
        return plan
    }

    public var train: StepPlan { plan(of: .train) }
    public var stepsPerEpoch: Int { passes?.stepsPerEpoch ?? train.stepsPerEpoch }
    public var totalSteps: UInt64 { UInt64(stepsPerEpoch) * UInt64(epochs) }

    /// The first version after `step` at which a validation is due: every `validateEvery` epochs, and at the end.
    public func nextBarrier(after step: UInt64) -> UInt64 {
        let span = UInt64(stepsPerEpoch) * UInt64(validateEvery)
        return min((step / span + 1) * span, totalSteps)
    }

    /// Whether a validation is due at `version`.
    public func isBarrier(_ version: UInt64) -> Bool {
        version > 0 && nextBarrier(after: version - 1) == version
    }

    /// Epochs that are complete at `version`.
    public func epochs(at version: UInt64) -> Int {
        Int(version / UInt64(stepsPerEpoch))
    }

    /// What a validation looks at.
    public var validationParts: [PartID] {
        parts[.validation] == nil ? [.sample] : [.sample, .validation]
    }

    /// What the final figures are made of.
    public var finalParts: [PartID] {
        [.train, .validation, .test].filter { parts[$0] != nil }
    }
}
