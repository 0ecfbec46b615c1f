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

    public init(tree: ShardTree, parts: [PartID: StepPlan], epochs: Int, validateEvery: Int, earlyStopping: EarlyStoppingPolicy?) {
        precondition(parts[.train] != nil && parts[.sample] != nil, "a run trains on something")
        self.tree = tree
        self.parts = parts
        self.epochs = epochs
        self.validateEvery = validateEvery
        self.earlyStopping = earlyStopping
    }

    public func plan(of part: PartID) -> StepPlan {
        guard let plan = parts[part] else { preconditionFailure("the run has no part \(part)") }
        return plan
    }

    public var train: StepPlan { plan(of: .train) }
    public var totalSteps: UInt64 { UInt64(train.stepsPerEpoch) * UInt64(epochs) }

    /// The first version after `step` at which a validation is due: every `validateEvery` epochs, and at the end.
    public func nextBarrier(after step: UInt64) -> UInt64 {
        let span = UInt64(train.stepsPerEpoch) * UInt64(validateEvery)
        return min((step / span + 1) * span, totalSteps)
    }

    /// Epochs that are complete at `version`.
    public func epochs(at version: UInt64) -> Int {
        Int(version / UInt64(train.stepsPerEpoch))
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

/// Deadlines and sizes of a run that do not touch its bits.
public struct CoordinatorLimits: Sendable {
    public var minimumWorkers: Int
    public var localWorkers: Int
    /// Whether workers of other hosts can come.
    public var acceptsRemoteWorkers: Bool
    public var joinTimeout: Duration
    public var idleTimeout: Duration
    public var heartbeat: Duration
    public var checkpointEvery: Duration
    /// The command that starts a worker for this run, for messages.
    public var invitation: String

    /// Heartbeats in a row after which a worker counts as dead.
    public static let missedHeartbeats = 5
    /// A lease may take this many median steps, and at least the minimum.
    public static let leaseFactor = 5
    public static let leaseMinimum = Duration.seconds(2)
    /// Rows and weights have to travel before the first step of a new lease.
    public static let newLeaseGrace = Duration.seconds(10)
    /// A part of the data is evaluated within this, or 5 times as long as the last time.
    public static let evaluationMinimum = Duration.seconds(20)
    /// A welcomed worker builds its net and answers within this.
    public static let readyTimeout = Duration.seconds(60)
    /// A worker alone with a late lease is given up after this many deadlines.
    public static let hopelessFactor = 5
    /// Restarts of local workers in a row without a finished step.
    public static let restartsWithoutStep = 3
    /// Deadlines are looked at this often.
    public static let tick = Duration.milliseconds(100)

    public init(
        minimumWorkers: Int, localWorkers: Int, acceptsRemoteWorkers: Bool, joinTimeout: Duration, idleTimeout: Duration,
        heartbeat: Duration, checkpointEvery: Duration, invitation: String
    ) {
        self.minimumWorkers = minimumWorkers
        self.localWorkers = localWorkers
        self.acceptsRemoteWorkers = acceptsRemoteWorkers
        self.joinTimeout = joinTimeout
        self.idleTimeout = idleTimeout
        self.heartbeat = heartbeat
        self.checkpointEvery = checkpointEvery
        self.invitation = invitation
    }
}
