internal import Checkpoints
internal import Datasets
internal import Exactness
internal import Hashing
internal import Optimization
internal import RunConfiguration
internal import Training

/// Whether a run may go on from a checkpoint: what is different about it is told with both values.
struct ResumeCheck {
    var dataSHA256: Digest
    var numericsVersion: Int
    var bitRelevantKeys: [BitRelevantKey]
    var plan: RunPlan
    /// What of the run depends on `training.epochs` beside its length, such as a schedule that ends with it; nil: nothing.
    var horizonUse: String?

    /// Why the run can't go on from `checkpoint`; empty if it can. The leaf class is compared when a worker is admitted.
    func obstacles(_ identity: RunIdentity, _ progress: ProgressState) -> [String] {
        var obstacles = Self.obstacles(from: progress.bitRelevantKeys, to: bitRelevantKeys)
        if identity.dataSHA256 != dataSHA256 {
            obstacles.append("data: the SHA-256 of its bytes was \(identity.dataSHA256), is \(dataSHA256)")
        }
        if identity.numericsVersion != numericsVersion {
            obstacles.append(
                "numerics version: was \(identity.numericsVersion), is \(numericsVersion); resume with the release that began the run")
        }
        return obstacles + epochObstacles(progress)
    }

    static func obstacles(from before: [BitRelevantKey], to after: [BitRelevantKey]) -> [String] {
        BitRelevantDifference.between(before, after).map { "\($0)" }
    }

    private func epochObstacles(_ progress: ProgressState) -> [String] {
        if let horizonUse, progress.horizonEpochs != plan.epochs {
            return ["training.epochs: was \(progress.horizonEpochs), is \(plan.epochs), and \(horizonUse)"]
        }
        guard progress.step <= plan.totalSteps else {
            let least = (Int(progress.step) + plan.stepsPerEpoch - 1) / plan.stepsPerEpoch
            return ["training.epochs: must be at least \(least), as the run is at step \(progress.step), got \(plan.epochs)"]
        }
        if let judged = progress.stopping.judgedStep, !plan.isBarrier(judged) {
            return [
                "training.epochs: was \(plan.epochs(at: judged)), is \(plan.epochs), but the validation after epoch "
                    + "\(plan.epochs(at: judged)) is none that a run of \(plan.epochs) epochs makes (training.validate_every is "
                    + "\(plan.validateEvery))"
            ]
        }
        return []
    }
}

extension PreparedRun {
    var resumeCheck: ResumeCheck {
        ResumeCheck(
            dataSHA256: data.dataSHA256, numericsVersion: Runtime.numericsVersion, bitRelevantKeys: configuration.bitRelevantKeys,
            plan: plan, horizonUse: horizonUse)
    }

    /// What depends on the number of epochs that the run began with.
    private var horizonUse: String? {
        configuration.optimizer.schedule.dependsOnHorizon ? "optimizer.schedule goes by the number of steps that the run began with" : nil
    }
}
