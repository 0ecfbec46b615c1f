internal import Checkpoints
internal import Exactness
internal import Foundation
internal import Kernels
internal import NeuralNet
internal import Optimization
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
        let progress = set.manifest.coordinator
        stepLosses = progress.stepLosses
        if let stepServer {
            try tensors.read(set, weights: stepServer.completeWeights, slots: stepServer.completeSlots)
            stepServer.restore(learningRate: progress.learningRate, norms: progress.norms)
        } else if let closureServer {
            func block() -> FloatBlock { FloatBlock(count: tensors.layout.count) }
            let (weights, slots) = (block(), (0..<(try tensors.slotCount(of: set))).map { _ in block() })
            try tensors.read(set, weights: weights, slots: slots)
            closureServer.restore(version: progress.step, weights: weights, slots: slots, scalars: progress.search ?? ClosureScalars())
        }
        if let staleServer {
            try tensors.read(set, weights: staleServer.completeWeights, slots: staleServer.completeSlots)
            guard let stale = progress.stale, stale.clocks.count == run.plan.tree.shardCount else {
                preconditionFailure("a run keeps its mode and its shards")
            }
            staleServer.restore(
                version: progress.step, updates: stale.updates, clocks: stale.clocks, learningRate: progress.learningRate,
                norms: progress.norms)
        }
        if let kept = set.manifest.best, let weights = try tensors.best(of: set) {
            best = (UInt64(kept.step), kept.value, weights)
        }
    }

    /// The values of the run's state at the complete version.
    var progress: ProgressState {
        ProgressState(
            step: machine.version, stopping: machine.stopping, plateau: rates.plateau, search: closureServer?.scalars,
            bitRelevantKeys: run.configuration.bitRelevantKeys, horizonEpochs: horizonEpochs, learningRate: server.lastLearningRate,
            norms: server.normsVersion == machine.version ? stepServer?.norms.pieceSums ?? staleServer?.normSums : nil,
            stepLosses: stepLosses, totals: totals, stale: staleServer.map { StaleProgress(updates: $0.updates, clocks: $0.clocks) })
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
