internal import Exactness
internal import Wire

/// The coordinator's decisions as a pure state machine: an event and the time in, effects out. No socket, no clock, no thread.
///
/// A steady step costs one event (`stepCompleted`) and no effect, a round of a closure rule one more; membership, leases, barriers and verdicts are the rest.
/// The phases are `gathering → (training → evaluating)* → evaluating the final weights → finished`.
public struct Coordinator: Sendable {
    enum Phase: Sendable {
        case gathering
        case training
        /// `round` says what.
        case evaluating
        case finished
    }

    public let plan: RunPlan
    public let limits: CoordinatorLimits
    var rules: AdmissionRules

    var phase = Phase.gathering
    var members: [WorkerID: Member] = [:]
    var leases: LeaseTable
    var clock = StepClock()
    var joins = JoinWatch()

    /// The complete weights version.
    public internal(set) var version: UInt64
    /// What leases and deadlines count: the version or, with a closure rule, the round.
    var wireStep: UInt64
    public internal(set) var stopping: EarlyStoppingState
    public internal(set) var events = RunEvents()
    /// The class of kernels that this run's bits belong to, once a worker has been admitted.
    public var leafClass: String? { rules.leafClass }

    /// Steps below it are released.
    var horizon: UInt64
    /// Somebody has come or answers again, or speeds are others: a better deal of the shards is to be planned.
    var wantsRebalance = false
    /// What is to change hands at a step boundary, by who gets it.
    var moves: [WorkerID: PlannedMove] = [:]
    var lastMove = Duration.zero
    var lastWeighing = Duration.zero
    /// The nodes that everybody computes again in audited steps.
    var audits: [WorkerID: [UInt32]] = [:]
    var auditBook = AuditBook()
    /// Since when there is nobody to audit with.
    var unauditedSince: Duration?
    var hasWarnedOfAudit = false
    /// How often deadlines have passed since a step or an evaluation was completed.
    var doublings = 0
    var evaluationNumber: UInt64 = 0
    var round: EvaluationRound?
    var lastCheckpoint = Duration.zero
    var gatheringSince = Duration.zero
    /// Since when no admitted worker is there.
    var aloneSince: Duration?
    var lastTick: Duration?
    var localSlots: [LocalSlot]
    var hasWarnedOfSpareWorkers = false

    /// - Parameters:
    ///   - version: the complete version that a resumed run starts from.
    ///   - stopping: what that run had seen by then.
    public init(
        plan: RunPlan, limits: CoordinatorLimits, rules: AdmissionRules, version: UInt64 = 0,
        stopping: EarlyStoppingState = EarlyStoppingState()
    ) {
        precondition(version <= plan.totalSteps, "a run is resumed at one of its own steps")
        self.plan = plan
        self.limits = limits
        self.rules = rules
        self.version = version
        wireStep = plan.countsRounds ? 0 : version
        self.stopping = stopping
        leases = LeaseTable(tree: plan.tree)
        horizon = plan.nextBarrier(after: version)
        localSlots = Array(repeating: LocalSlot(), count: limits.localWorkers)
    }

    /// When the next tick is due at the latest.
    public var tickInterval: Duration { CoordinatorLimits.tick }

    public var isFinished: Bool { phase == .finished }
    /// Whether contributions to the next step are wanted; between a barrier and its verdict they are not.
    public var isTraining: Bool { phase == .training }
    /// Whether the run waits for its first workers.
    public var isGathering: Bool { phase == .gathering }
    /// Whether contributions are taken from a worker.
    public func isAdmitted(_ worker: WorkerID) -> Bool { members[worker]?.state == .admitted }
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
        let effects = handled(event, now: now)
        return withAudits(effects)
    }

    private mutating func handled(_ event: Event, now: Duration) -> [Effect] {
        switch event {
        case .start: return started(now: now)
        case .hello(let worker, let hello, let localSlot): return greeted(worker, hello, localSlot: localSlot, now: now)
        case .ready(let worker, let leafClass): return becameReady(worker, leafClass: leafClass, now: now)
        case .heartbeat(let worker, let leafTime): return heard(from: worker, leafTime: leafTime, now: now)
        case .leaseTaken(let worker, let sequence): return leaseTaken(by: worker, sequence: sequence, now: now)
        case .fetched(let worker, let sequence): return fetched(by: worker, sequence: sequence, now: now)
        case .audited(let worker, let report, let uncovered): return audited(report, by: worker, uncovered: uncovered)
        case .leaving(let worker, let reason):
            return departed([(worker, Wording.quoted(reason))], kind: .polite, now: now)
        case .failed(let worker, let error):
            return departed([(worker, "it failed: \(Wording.quoted(error))")], kind: .lost, now: now)
        case .disconnected(let worker): return disconnected(worker, now: now)
        case .lost(let worker, let reason): return departed([(worker, reason)], kind: .lost, now: now)
        case .localWorkerExited(let slot, let description): return localWorkerExited(slot: slot, description: description, now: now)
        case .stepCompleted(let version): return stepCompleted(version, now: now)
        case .roundReached(let round, let afterGradient): return roundReached(round, afterGradient: afterGradient, now: now)
        case .suspicious(let step, let shards, let place): return recompute(shards, step: step, place: place, now: now)
        case .notFinite(let step, let shards, let place): return notFinite(step: step, place: place, shards: shards)
        case .figures(let worker, let evaluation, let part, let shard, let figures):
            return figuresArrived(from: worker, evaluation: evaluation, part: part, shard: shard, figures: figures, now: now)
        case .interrupted(let signal): return end(.interrupted(signal: signal))
        case .superseded: return finish(.failed(error: Self.supersededText), figures: [:], restoresBest: false)
        case .tick(let uncovered): return ticked(uncovered: uncovered, now: now)
        }
    }

    // MARK: Steps

    private mutating func started(now: Duration) -> [Effect] {
        gatheringSince = now
        aloneSince = now
        lastCheckpoint = now
        return localSlots.indices.map { .startLocalWorker(slot: $0) }
    }

    /// Enough workers are there: deals the shards and goes on where the run stands.
    mutating func begin(now: Duration) -> [Effect] {
        phase = .training
        clock.restart(at: now)
        let isUnjudged = plan.isBarrier(version) && stopping.judgedStep != version
        let isTrained = version == plan.totalSteps || stopping.stopReason != nil
        if isUnjudged || isTrained { horizon = version }
        let effects = deal(now: now)
        if isUnjudged { return effects + beginEvaluation(.validation, now: now) }
        if isTrained { return effects + beginEvaluation(.final, now: now) }
        return effects
    }

    private mutating func stepCompleted(_ completed: UInt64, now: Duration) -> [Effect] {
        guard phase == .training else { return [] }
        precondition(completed == version + 1, "versions come one after the other")
        version = completed
        var effects: [Effect] = []
        if plan.passes == nil, let duration = gradientCompleted(step: plan.isStale ? wireStep : version, now: now),
            let slowdown = joins.stepCompleted(in: duration)
        {
            effects.append(Notice.warning(slowdown.text))
        }
        if version == horizon {
            let isJudged = plan.isJudged
            return effects
                + (isJudged ? beginEvaluation(.validation, now: now) : finish(.completed, figures: [:], restoresBest: false))
        }
        if now - lastCheckpoint >= limits.checkpointEvery {
            lastCheckpoint = now
            effects.append(.checkpoint)
        }
        return effects + moveLeases(now: now)
    }

    private mutating func roundReached(_ round: UInt64, afterGradient: Bool, now: Duration) -> [Effect] {
        guard phase == .training else { return [] }
        if afterGradient, !plan.isStale {
            gradientCompleted(step: round, now: now)
            return moveLeases(now: now)
        }
        // Only the number is another: whoever has just got shards has as much time for its first round as before.
        for (worker, member) in members where member.leasedStep == wireStep { members[worker]?.leasedStep = round }
        wireStep = round
        // An update of one is no reason to give the others more time.
        if !plan.isStale { clock.restart(at: now) }
        return []
    }

    /// How long it took, if nothing disturbed it.
    @discardableResult
    private mutating func gradientCompleted(step: UInt64, now: Duration) -> Duration? {
        wireStep = step
        doublings = 0
        return clock.stepCompleted(at: now)
    }

    /// Cuts the run short; the last complete version is written first, once there is more than what the run began with.
    mutating func end(_ outcome: Ending.Outcome) -> [Effect] {
        let checkpoint: [Effect] = phase == .gathering ? [] : [.checkpoint]
        return checkpoint + finish(outcome, figures: [:], restoresBest: false)
    }

    mutating func finish(_ outcome: Ending.Outcome, figures: [PartID: PartFigures], restoresBest: Bool) -> [Effect] {
        phase = .finished
        round = nil
        return [.finish(Ending(outcome: outcome, version: version, figures: figures, restoresBest: restoresBest))]
    }

    // MARK: Time

    private mutating func ticked(uncovered: ShardSet, now: Duration) -> [Effect] {
        forgiveOwnPause(now: now)
        var effects = dropSilentMembers(now: now)
        endRests(now: now)
        switch phase {
        case .gathering:
            if now - gatheringSince >= limits.joinTimeout { effects += end(.failed(error: joinTimeoutText)) }
        case .training, .evaluating:
            if let aloneSince {
                if now - aloneSince >= limits.idleTimeout { effects += end(.failed(error: idleTimeoutText)) }
            } else {
                effects += dropHopelessSuspects(now: now)
                effects += overdue(round?.pendingShards ?? uncovered, now: now)
                effects += noteLackOfAuditors(now: now)
                weighSpeeds(now: now)
                if wantsRebalance { effects += planMoves(now: now) }
            }
        case .finished:
            break
        }
        return effects
    }

    /// While the coordinator did not get to look (a stopped process, a long write), nobody was late: answers may lie in its sockets.
    private mutating func forgiveOwnPause(now: Duration) {
        defer { lastTick = now }
        guard let lastTick, now - lastTick > limits.longestUnnoticedPause else { return }
        let gap = now - lastTick - CoordinatorLimits.tick
        for worker in members.keys { members[worker]?.shift(by: gap, until: now) }
        clock.shift(by: gap, until: now)
        round?.shift(by: gap, until: now)
    }

    private static let supersededText =
        "another coordinator has taken over this run folder; this one ends and writes nothing more"

    private var joinTimeoutText: String {
        let wanted = limits.minimumWorkers
        let awaited = "\(wanted) worker\(wanted == 1 ? " was" : "s were") awaited (cluster.minimum_workers)"
        let came =
            "\(awaited), \(admittedWorkers) came within "
            + "\(Wording.seconds(limits.joinTimeout)) (cluster.join_timeout_seconds)"
        return limits.invitation.isEmpty ? came : "\(came); start one with: \(limits.invitation)"
    }

    private var idleTimeoutText: String {
        "no worker for \(Wording.seconds(limits.idleTimeout)) (cluster.idle_timeout_seconds); "
            + "the last complete step, \(version), is saved"
    }
}
