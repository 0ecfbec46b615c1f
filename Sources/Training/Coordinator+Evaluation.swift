internal import Exactness
internal import Wire

/// Barriers: the passes over validation rows and final figures, and the verdict.
extension Coordinator {
    /// Starts a validation of the current version, or the pass over train, validation and test rows at the final weights.
    mutating func beginEvaluation(_ purpose: EvaluationRound.Purpose, now: Duration) -> [Effect] {
        // Whoever gets orphans here gets its order with all others below.
        round = nil
        var effects = reissueOrphans(now: now)
        evaluationNumber += 1
        let isFinal = purpose == .final
        let round = EvaluationRound(
            purpose: purpose, number: evaluationNumber, version: isFinal && restoresBest ? Evaluation.bestVersion : wireStep,
            parts: isFinal ? plan.finalParts : plan.validationParts, plan: plan, began: now)
        self.round = round
        phase = .evaluating
        for worker in leases.workers {
            effects += round.orders(for: leases.shards(of: worker)).map { .evaluate(worker, $0) }
        }
        return effects
    }

    mutating func figuresArrived(
        from worker: WorkerID, evaluation: UInt64, part: PartID, shard: Int, figures: ShardFigures, now: Duration
    ) -> [Effect] {
        guard members[worker]?.state == .admitted, let round, round.number == evaluation else { return [] }
        members[worker]?.lastFigures = now
        guard round.isPending(part, shard: shard) else { return [] }
        precondition(figures.blocks.count == plan.plan(of: part).blockCount(ofShard: shard), "figures are decoded against the plan")
        self.round?.take(part, shard: shard, figures)
        return self.round?.isComplete == true ? evaluationCompleted(now: now) : []
    }

    private mutating func evaluationCompleted(now: Duration) -> [Effect] {
        guard let round else { return [] }
        self.round = nil
        doublings = 0
        var figures: [PartID: PartFigures] = [:]
        for part in round.parts {
            let sum = round.figures(of: part)
            precondition(sum.rows == plan.plan(of: part).rowCount, "every row of a pass counts exactly once")
            figures[part] = sum
        }
        switch round.purpose {
        case .validation:
            return judge(figures, now: now)
        case .final:
            let reason = version == plan.totalSteps ? nil : stopping.stopReason
            return finish(
                reason.map { .stoppedEarly(reason: $0) } ?? .completed, figures: figures,
                restoresBest: round.version == Evaluation.bestVersion)
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
        } else {
            stopping.passed(step: version)
        }
        let improved: Bool
        switch verdict {
        case .improved: improved = true
        case .notImproved: improved = false
        case .stop(_, let gained): improved = gained
        }
        var effects: [Effect] = [
            .record(
                ValidationRecord(step: version, epoch: epoch, sample: sample, validation: figures[.validation], improved: improved))
        ]
        if improved { effects.append(.keepBest) }
        if stopping.stopReason != nil || version == plan.totalSteps {
            effects.append(.checkpoint)
            return effects + beginEvaluation(.final, now: now)
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
