internal import Foundation
internal import OperatingSystem
internal import Scaling

/// What a step costs here whatever its size: a net that is next to nothing, trained for a moment by the real coordinator and a real worker.
struct StepProbe {
    /// Seconds, as in `Costs`.
    var perStepOfWorker: Double
    var perStepOfServer: Double

    private static let runFile = """
        name: probe
        data:
          train: {builtin: digits}
          validation: none
          preprocessing: {scale: [0, 16]}
        model:
          layers: [flatten, {dense: {units: 10}}]
          loss: softmax_cross_entropy
        optimizer:
          rule: {adam: {learning_rate: 1e-4}}
        training:
          batch_size: 16
          virtual_shards: 2
          epochs: 20
          validate_every: 20
          checkpoint: {every_seconds: 3600}
        cluster:
          minimum_workers: 1
        """
    private static let warmUp = 200

    /// What such a step takes beyond its messages, its update and its leaves, which are measured apart.
    init(isNetwork: Bool) throws {
        let folder = try TemporaryFolder(prefix: "dnn-probe-")
        let run = BenchmarkRun(workers: 1, transport: isNetwork ? .tcp : .local)
        guard let completions = try run.completions(of: Self.runFile, in: folder), completions.count > 2 * Self.warmUp,
            let wall = Timing(between: completions.map(\.wall), warmUp: Self.warmUp),
            let processor = Timing(between: completions.map(\.processor), warmUp: Self.warmUp)
        else { throw FailedProbe() }
        let prepared = try TrainCommand.prepare(folder.appending("run.yaml"), overrides: [])
        let leaves = try Calibration.leafTimes(prepared), update = try Calibration.updateTimes(prepared)
        let messages = try MessageProbe(isNetwork: isNetwork, footprint: 0)
        var costs = Costs(
            leavesFixed: leaves.fixed, perLeaf: leaves.each, crowding: 1, updatePerElement: update.fixed,
            updatePerElementAndSum: update.each, perMessage: messages.perMessage, perByte: 0, wakeUp: messages.wakeUp,
            perWakeUp: messages.perWakeUp)
        let model = ClusterModel(prepared, workers: 1, threads: 1, servers: 1, halvesWire: false, placement: .oneHost)
        // A message in and one out, through two threads; one in three of them is not asleep when it is its turn.
        let updating = Double(model.parameters) * (update.fixed + update.each)
        perStepOfServer = max(0, processor.medianMs / 1_000 - updating - 4 * costs.perMessage - 3 * costs.perWakeUp)
        costs.perStepOfServer = perStepOfServer
        perStepOfWorker = max(0, wall.medianMs / 1_000 - Prediction(model, costs: costs).secondsPerStep)
    }
}

/// The little run that measures the costs of a step has failed.
struct FailedProbe: Error, CustomStringConvertible {
    var description: String {
        "the run that measures what a step costs has failed, see above; it needs dnn-worker beside this program"
    }
}
