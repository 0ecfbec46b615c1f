internal import Checkpoints
internal import Foundation
internal import Kernels
internal import ParameterServer
internal import RunConfiguration
internal import Training

/// What a start of a run begins with: a fresh run's first step, or the last good checkpoint.
struct RunBeginning {
    let start: RunStart
    /// Holds what was found in the folder of checkpoints.
    let store: CheckpointStore<ProgressState>

    var former: Manifest<ProgressState>? { store.found.set?.manifest }
    /// The complete version.
    var version: UInt64 { former?.coordinator.step ?? 0 }
}

extension CoordinatorProcess {
    /// Puts back what a checkpoint holds: the complete version as it was, never the best weights that a run might end with.
    func restore(_ set: CheckpointSet<ProgressState>, tensors: StateTensors) throws(CheckpointError) {
        try tensors.read(set, weights: server.state.currentWeights, slots: server.state.currentSlots)
        if let kept = set.manifest.best, let weights = try tensors.best(of: set) {
            best = (UInt64(kept.step), kept.value, weights)
        }
        let progress = set.manifest.coordinator
        server.restore(learningRate: progress.learningRate, norms: progress.norms)
    }

    /// The values of the run's state at the complete version.
    var progress: ProgressState {
        ProgressState(
            step: machine.version, stopping: machine.stopping, plateau: rates.plateau,
            bitRelevantKeys: run.configuration.bitRelevantKeys, horizonEpochs: horizonEpochs, learningRate: server.lastLearningRate,
            norms: server.normsVersion == machine.version ? server.norms.pieceSums : nil, totals: totals)
    }

    /// Counted over all starts, steps that were lost with a coordinator not included.
    var totals: RunTotals {
        var totals = formerTotals
        totals.wallSeconds += now.seconds
        if let trainingBegan { totals.trainingSeconds += ((trainingEnded ?? now) - trainingBegan).seconds }
        totals.framesDropped += framesDropped
        totals.stepsSkipped += server.skippedSteps
        totals.events = totals.events + machine.events
        return totals
    }
}
