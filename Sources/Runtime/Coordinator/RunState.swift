internal import Checkpoints
internal import Kernels
internal import NeuralNet
internal import Optimization
internal import ParameterServer
internal import RunConfiguration
internal import Training

/// The values of a run's state beside its blocks of floats: the coordinator's own part of a checkpoint.
///
/// Whatever a later step, verdict or figure depends on, and that is no pure function of step and run file, belongs here or into
/// `StateTensors`; what is here is written by `CoordinatorProcess.progress` and put back by `CoordinatorProcess.restore`.
struct ProgressState: Codable, Sendable {
    var step: UInt64
    var stopping: EarlyStoppingState
    var plateau: PlateauState
    /// Of a closure rule: the numbers that go with its slots.
    var search: ClosureScalars?
    var bitRelevantKeys: [BitRelevantKey]
    /// `training.epochs` at the run's first start: the horizon of schedules, which a resumed run keeps.
    var horizonEpochs: Int
    /// Rate and, where they were taken, norms of the step that made this version: a validation that is still to come writes them down.
    var learningRate: Double?
    var norms: [SquareSums]?
    /// The losses since the last line of the history.
    var stepLosses = StepLosses()
    /// What `result.json` counts over all starts.
    var totals: RunTotals
    /// Of modes ssp and async.
    var stale: StaleProgress?
}

/// Sums over all starts of a run.
struct RunTotals: Codable, Equatable, Sendable {
    var wallSeconds = 0.0
    var trainingSeconds = 0.0
    var framesDropped = 0
    var stepsSkipped = 0
    var events = RunEvents()
}

/// The blocks of a run's state and the names under which a checkpoint holds them: the one list that writing and resuming go by.
struct StateTensors: Sendable {
    let layout: ParameterLayout
    let slotNames: [String]

    func weights(_ block: FloatBlock) -> [NamedTensor] { layout.tensors(ofWeights: block) }

    func slots(_ blocks: [FloatBlock]) -> [NamedTensor] {
        zip(slotNames, blocks).flatMap { name, block in layout.tensors(ofSlot: block, name) }
    }

    /// How many slots a checkpoint holds: a closure rule has more and more of them at first.
    func slotCount(of set: CheckpointSet<ProgressState>) throws(CheckpointError) -> Int {
        min(try set.slots().entries.count / max(layout.entries.count, 1), slotNames.count)
    }

    /// Reads a checkpoint's state into the blocks of a complete version.
    /// - Throws: what `SafetensorsFile.read` does; a tensor too many or too few is an error.
    func read(_ set: CheckpointSet<ProgressState>, weights: FloatBlock, slots: [FloatBlock]) throws(CheckpointError) {
        try set.weights().read(into: layout.destinations(ofWeights: weights))
        try set.slots().read(into: zip(slotNames, slots).flatMap { layout.destinations(ofSlot: $1, $0) })
    }

    /// The best weights that a checkpoint names, nil if there were none yet.
    func best(of set: CheckpointSet<ProgressState>) throws(CheckpointError) -> FloatBlock? {
        guard let file = try set.best() else { return nil }
        let block = FloatBlock(count: layout.blockLength)
        try file.read(into: layout.destinations(ofWeights: block))
        return block
    }
}

extension ParameterLayout {
    /// Parameters and running statistics under their names.
    func tensors(ofWeights block: FloatBlock) -> [NamedTensor] {
        storedEntries.map { NamedTensor(name: $0.name, shape: $0.shape, bytes: block.view[$0.range].bytes) }
    }

    /// A slot's values, under the parameters' names with the slot's behind them.
    func tensors(ofSlot block: FloatBlock, _ slot: String) -> [NamedTensor] {
        entries.map { NamedTensor(name: "\($0.name).\(slot)", shape: $0.shape, bytes: block.view[$0.range].bytes) }
    }

    /// The places of the same tensors, to be read into.
    func destinations(ofWeights block: FloatBlock) -> [TensorDestination] {
        storedEntries.map { TensorDestination(name: $0.name, shape: $0.shape, bytes: block.mutableView[$0.range].mutableBytes) }
    }

    func destinations(ofSlot block: FloatBlock, _ slot: String) -> [TensorDestination] {
        entries.map {
            TensorDestination(name: "\($0.name).\(slot)", shape: $0.shape, bytes: block.mutableView[$0.range].mutableBytes)
        }
    }
}
