internal import Exactness
internal import Wire

/// The coordinator's decisions as a pure state machine: an event and the time in, effects out. No socket, no clock, no thread.
///
/// A steady step costs one event (`stepCompleted`) and no effect; membership, leases, barriers and verdicts are the rest.
/// The phases are `gathering → (training → evaluating)* → evaluating the final weights → finished`.
public struct Coordinator: Sendable {
    enum Phase: Equatable, Sendable {
        case gathering
        case training
        case evaluating(EvaluationRound)
        case finished
    }

    public let plan: RunPlan
    public let limits: CoordinatorLimits
    var rules: AdmissionRules

    var phase = Phase.gathering
    var members: [WorkerID: Member] = [:]
    var leases: LeaseTable
    var clock = StepClock()

    /// The complete weights version.
    public internal(set) var version: UInt64
    public internal(set) var stopping: EarlyStoppingState
    public internal(set) var events = RunEvents()
    /// The class of kernels that this run's bits belong to, once a worker has been admitted.
    public var leafClass: String? { rules.leafClass }

    /// Steps below it are released.
    var horizon: UInt64
    var wantsRebalance = false
    var evaluationNumber: UInt64 = 0
    var evaluationDurations: [EvaluationRound.Purpose: Duration] = [:]
    var lastCheckpoint = Duration.zero
    var gatheringSince = Duration.zero
    /// Since when no admitted worker is there.
    var aloneSince: Duration?
    var restartsWithoutStep = 0
    var deadLocalSlots: Set<Int> = []
    var hasWarnedOfSpareWorkers = false

    public init(plan: RunPlan, limits: CoordinatorLimits, rules: AdmissionRules) {
        self.plan = plan
        self.limits = limits
        self.rules = rules
        self.version = 0
        self.stopping = EarlyStoppingState()
        self.leases = LeaseTable(tree: plan.tree)
        self.horizon = plan.nextBarrier(after: 0)
    }

    /// When the next tick is due at the latest.
    public var tickInterval: Duration { CoordinatorLimits.tick }

    public var isFinished: Bool { phase == .finished }
    public var isTraining: Bool { phase == .training }
    /// Whether the run waits for its first workers.
    public var isGathering: Bool { phase == .gathering }
    public var admittedWorkers: Int { members.values.count { $0.state == .admitted } }

    /// Whether the update that makes `version` is the last one before a barrier, so that its norms are wanted.
    public func isBarrier(_ version: UInt64) -> Bool {
        version == horizon
    }

    /// The name that messages use for a worker.
    public func name(of worker: WorkerID) -> String {
        members[worker]?.label ?? "worker #\(worker)"
    }

    /// Takes one event at `now` (since start) and says what is to be done, in order.
    public mutating func handle(_ event: Event, now: Duration) -> [Effect] {
        guard phase != .finished else { return [] }
        switch event {
        case .start: return started(now: now)
        case .hello(let worker, let hello, let isLocal): return greeted(worker, hello, isLocal: isLocal, now: now)
        case .ready(let worker, let leafClass): return becameReady(worker, leafClass: leafClass, now: now)
        case .heartbeat(let worker): return heard(from: worker, now: now)
        case .leaseTaken(let worker, let sequence): return leaseTaken(by: worker, sequence: sequence, now: now)
        case .leaving(let worker, let reason): return departed(worker, reason: reason, kind: .polite, now: now)
        case .failed(let worker, let error): return departed(worker, reason: "it failed: \(error)", kind: .lost, now: now)
        case .lost(let worker, let reason): return departed(worker, reason: reason, kind: .lost, now: now)
        case .localWorkerExited(let slot, let description): return localWorkerExited(slot: slot, description: description, now: now)
        case .stepCompleted(let version): return stepCompleted(version, now: now)
        case .notFinite(let step, let place): return notFinite(step: step, place: place)
        case .figures(let worker, let evaluation, let part, let shard, let blocks):
            return figuresArrived(from: worker, evaluation: evaluation, part: part, shard: shard, blocks: blocks, now: now)
        case .interrupted(let signal): return end(.interrupted(signal: signal), checkpoint: true)
        case .tick(let uncovered): return ticked(uncovered: uncovered, now: now)
        }
    }

    // MARK: Steps

    private mutating func started(now: Duration) -> [Effect] {
        gatheringSince = now
        aloneSince = now
        lastCheckpoint = now
        return (0..<limits.localWorkers).map { .startLocalWorker(slot: $0) }
    }

    private mutating func stepCompleted(_ completed: UInt64, now: Duration) -> [Effect] {
        guard phase == .training else { return [] }
        precondition(completed == version + 1, "versions come one after the other")
        version = completed
        clock.stepCompleted(at: now)
        restartsWithoutStep = 0
        if version == horizon { return beginEvaluation(.validation, now: now) }
        var effects: [Effect] = []
        if now - lastCheckpoint >= limits.checkpointEvery {
            lastCheckpoint = now
            effects.append(.checkpoint)
        }
        if wantsRebalance { effects += rebalance(now: now) }
        return effects
    }

    private mutating func notFinite(step: UInt64, place: String) -> [Effect] {
        end(
            .failed(
                error: "step \(step): the gradient of \(place) is not finite (NaN or infinity); "
                    + "a smaller optimizer.rule learning_rate, training.non_finite or preprocessing of the data may help"),
            checkpoint: true)
    }

    /// Ends the run; with `checkpoint` the last complete version is written first.
    mutating func end(_ outcome: Ending.Outcome, checkpoint: Bool, figures: [PartID: PartFigures] = [:], restoresBest: Bool = false)
        -> [Effect]
    {
        phase = .finished
        return (checkpoint ? [.checkpoint] : [])
            + [.finish(Ending(outcome: outcome, version: version, figures: figures, restoresBest: restoresBest))]
    }

    // MARK: Time

    private mutating func ticked(uncovered: ShardSet, now: Duration) -> [Effect] {
        var effects = dropSilentMembers(now: now)
        guard phase != .finished else { return effects }
        switch phase {
        case .gathering:
            if now - gatheringSince >= limits.joinTimeout {
                effects += end(.failed(error: joinTimeoutText), checkpoint: false)
            }
        case .training:
            effects += admittedWorkers == 0 ? waitedAlone(now: now) : overdue(shards: uncovered, now: now)
        case .evaluating(let round):
            effects += admittedWorkers == 0 ? waitedAlone(now: now) : overdue(shards: round.pendingShards, now: now)
        case .finished:
            break
        }
        return effects
    }

    private mutating func waitedAlone(now: Duration) -> [Effect] {
        guard let since = aloneSince, now - since >= limits.idleTimeout else { return [] }
        return end(
            .failed(
                error: "no worker for \(limits.idleTimeout.components.seconds) s (cluster.idle_timeout_seconds); "
                    + "the last complete step is saved"),
            checkpoint: true)
    }

    private var joinTimeoutText: String {
        "\(admittedWorkers) of \(limits.minimumWorkers) workers came within \(limits.joinTimeout.components.seconds) s "
            + "(cluster.minimum_workers, cluster.join_timeout_seconds); start one with: \(limits.invitation)"
    }
}
