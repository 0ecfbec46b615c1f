internal import Exactness
internal import Wire

/// One pass in inference mode over some parts of the data: a barrier, nothing of the next step is applied before its verdict.
struct EvaluationRound: Equatable, Sendable {
    enum Purpose: Hashable, Sendable {
        case validation
        /// At the final weights, after which the run ends with this outcome.
        case final(stopReason: String?)
    }

    var purpose: Purpose
    var number: UInt64
    var version: UInt64
    var parts: [PartID]
    var began: Duration
    /// Shards whose figures are still missing, by part.
    var pending: [PartID: ShardSet]
    /// Figures of every block, by part, in block order.
    var blocks: [PartID: [BlockFigures?]]

    init(purpose: Purpose, number: UInt64, version: UInt64, parts: [PartID], plan: RunPlan, began: Duration) {
        self.purpose = purpose
        self.number = number
        self.version = version
        self.parts = parts
        self.began = began
        pending = [:]
        blocks = [:]
        for part in parts {
            let step = plan.plan(of: part)
            pending[part] = ShardSet((0..<step.shardCount).filter { step.rows(ofShard: $0) > 0 })
            blocks[part] = Array(repeating: nil, count: step.blockCount)
        }
    }

    var pendingShards: ShardSet {
        var all = ShardSet()
        for shards in pending.values { all.formUnion(shards) }
        return all
    }

    var isComplete: Bool { pending.values.allSatisfy(\.isEmpty) }

    func order(for shards: [Int]) -> Evaluation {
        Evaluation(number: number, version: version, parts: parts, shards: shards)
    }

    /// The tree sum over all blocks of a part.
    func figures(of part: PartID) -> PartFigures? {
        guard let blocks = blocks[part] else { return nil }
        var sum = PartFigures(rows: 0, correct: 0, loss: 0, squaredError: 0)
        for block in blocks {
            sum.rows += Int(block?.rows ?? 0)
            sum.correct += Int(block?.correct ?? 0)
        }
        sum.loss = treeSum(blocks.map { $0?.loss }, +) ?? 0
        sum.squaredError = treeSum(blocks.map { $0?.squaredError }, +) ?? 0
        return sum
    }
}

extension Coordinator {
    /// Starts a pass over the parts that `purpose` looks at, at the weights of the current version or the best ones.
    mutating func beginEvaluation(_ purpose: EvaluationRound.Purpose, now: Duration) -> [Effect] {
        evaluationNumber += 1
        var evaluated = version
        var parts = plan.validationParts
        if case .final = purpose {
            parts = plan.finalParts
            if restoresBest { evaluated = Evaluation.bestVersion }
        }
        let round = EvaluationRound(purpose: purpose, number: evaluationNumber, version: evaluated, parts: parts, plan: plan, began: now)
        phase = .evaluating(round)
        clock.restart(at: now)
        var effects = reissueOrphans(now: now)
        for worker in members.keys.sorted() {
            let shards = leases.shards(of: worker)
            let alreadyOrdered = effects.contains { if case .evaluate(worker, _) = $0 { true } else { false } }
            if !shards.isEmpty, !alreadyOrdered {
                members[worker]?.graceUntil = now + CoordinatorLimits.newLeaseGrace
                effects.append(.evaluate(worker, round.order(for: shards)))
            }
        }
        return effects
    }

    mutating func figuresArrived(
        from worker: WorkerID, evaluation: UInt64, part: PartID, shard: Int, blocks: [BlockFigures], now: Duration
    ) -> [Effect] {
        guard case .evaluating(var round) = phase, round.number == evaluation, round.pending[part]?.contains(shard) == true else {
            return []
        }
        let step = plan.plan(of: part)
        precondition(blocks.count == step.blockCount(ofShard: shard), "figures are decoded against the plan")
        let first = step.firstBlock(ofShard: shard)
        for (index, block) in blocks.enumerated() { round.blocks[part]?[first + index] = block }
        round.pending[part]?.remove(shard)
        phase = .evaluating(round)
        return round.isComplete ? evaluationCompleted(round, now: now) : []
    }

    private mutating func evaluationCompleted(_ round: EvaluationRound, now: Duration) -> [Effect] {
        evaluationDurations[round.purpose] = now - round.began
        var figures: [PartID: PartFigures] = [:]
        for part in round.parts {
            guard let sum = round.figures(of: part) else { continue }
            precondition(sum.rows == plan.plan(of: part).rowCount, "every row of a pass counts exactly once")
            figures[part] = sum
        }
        switch round.purpose {
        case .validation:
            return judge(figures, now: now)
        case .final(let stopReason):
            let outcome = stopReason.map { Ending.Outcome.stoppedEarly(reason: $0) } ?? .completed
            return end(outcome, checkpoint: false, figures: figures, restoresBest: round.version == Evaluation.bestVersion)
        }
    }

    /// The one verdict: record, keep the best, go on or stop.
    private mutating func judge(_ figures: [PartID: PartFigures], now: Duration) -> [Effect] {
        let epoch = plan.epochs(at: version)
        guard let sample = figures[.sample] else { preconditionFailure("a validation looks at the sample") }
        var verdict = EarlyStoppingState.Verdict.notImproved
        if let validation = figures[.validation] {
            let watchesAccuracy = plan.earlyStopping?.monitor == .validationAccuracy
            verdict = stopping.observe(
                value: watchesAccuracy ? validation.accuracy : validation.meanLoss, step: version, epoch: epoch, policy: plan.earlyStopping)
        }
        var improved = verdict == .improved
        var stopReason: String?
        if case .stop(let reason, let gained) = verdict {
            improved = gained
            stopReason = reason
        }
        var effects: [Effect] = [
            .record(
                ValidationRecord(step: version, epoch: epoch, sample: sample, validation: figures[.validation], improved: improved))
        ]
        if improved { effects.append(.keepBest) }
        if stopReason != nil || version == plan.totalSteps {
            effects.append(.checkpoint)
            return effects + beginEvaluation(.final(stopReason: version == plan.totalSteps ? nil : stopReason), now: now)
        }
        phase = .training
        horizon = plan.nextBarrier(after: version)
        if now - lastCheckpoint >= limits.checkpointEvery {
            lastCheckpoint = now
            effects.append(.checkpoint)
        }
        return effects + releaseSteps(now: now)
    }

    private var restoresBest: Bool {
        guard plan.earlyStopping?.restoreBest == true, let best = stopping.best else { return false }
        return best.step != version
    }
}
