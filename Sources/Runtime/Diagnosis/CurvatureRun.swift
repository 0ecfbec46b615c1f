internal import Checkpoints
internal import Diagnosis
internal import Exactness
internal import Foundation
internal import NeuralNet
internal import OperatingSystem
internal import Optimization
internal import RunConfiguration
internal import Training

/// Looks at the loss around a run's final weights: workers compute gradients over all training rows, in rounds as for a rule that searches.
///
/// The loss is what training sees, but with every unit kept and without the L1 penalty, whose curvature is 0 or infinite. The bits of the
/// eigenvalues do not depend on the workers.
struct CurvatureRun {
    /// Products of the Hessian: the extremes of a net's spectrum stand out after a few.
    private static let standardSteps = 24

    private let run: PreparedRun
    private let search: CurvatureSearch

    /// Reads the run's data again.
    init(folder: String) throws {
        var configuration = try RunConfiguration.load(
            path: folder + "/run.yaml", environment: ProcessInfo.processInfo.environment)
        configuration.cluster.minimumWorkers = 1
        // Differences of gradients are smaller than what rounding does to them.
        configuration.cluster.wire = .f32
        var run = try PreparedRun(configuration)
        guard run.network.layout.runningStatistics.isEmpty else {
            throw UnreadableRun(
                description: "\(folder): with batch_norm the loss of a row depends on the rows beside it, so there is no curvature of the "
                    + "training loss to look at")
        }
        guard !run.network.specification.dropoutScalings.contains(.classic) else {
            throw UnreadableRun(
                description: "\(folder): the curvature of a net with classic dropout is not what training sees; scaling: inverted has one")
        }
        run.description.model = run.network.specification.withoutDropout
        run.description.countsRounds = true
        run.plan.passes = StepPasses(plan: run.plan.train, isFull: true)
        run.plan.epochs = 1
        run.plan.validateEvery = 1
        run.plan.isJudged = false
        self.run = run

        let path = folder + "/model.safetensors"
        guard FileManager.default.fileExists(atPath: path) else {
            throw UnreadableRun(description: "\(path): is not there: the curvature is that at a run's final weights")
        }
        let file = try SafetensorsFile(path: path)
        var weights: [Float] = []
        for entry in run.network.layout.entries { weights += try file.read(entry.name) }
        guard weights.count == run.network.layout.count, weights.allSatisfy(\.isFinite) else {
            throw UnreadableRun(
                description: "\(path): holds weights that are not finite or of another net: there is no curvature to look at")
        }
        let objective = PenalizedObjective(
            segments: run.updater.objective.segments.map { PenaltySegment(range: $0.range, l2: $0.l2, isFrozen: $0.isFrozen) })
        let stream = RandomStream(seed: configuration.seed, purpose: .probe)
        var start = weights.indices.map { Double(stream.words($0).x) * 0x1p-31 - 1 }
        for segment in objective.segments where segment.isFrozen {
            for index in segment.range { start[index] = 0 }
        }
        let share = Diagnosis(try RunEvidence(folder: folder)).basis.lossShare
        search = CurvatureSearch(
            CurvatureProbe(weights: weights, lossShare: share, steps: Self.standardSteps, start: start), weights: weights,
            objective: objective)
    }

    /// - Parameter signals: made first thing in `main`.
    func curvature(options: CoordinatorOptions, signals: SignalDescriptor) throws -> Curvature {
        // Nothing is written to the run's own folder: another coordinator may hold it.
        let scratch = try TemporaryFolder(prefix: "dnn-curvature-")
        let folder = try RunFolder(creating: scratch.appending("run"))
        let start = try folder.begin(runFile: run.configuration.effectiveYAML, keeping: HistoryCut(), after: nil)
        let store = try CheckpointStore<ProgressState>(folder: folder.checkpoints, keep: 1)
        let process = try CoordinatorProcess(
            run, folder: folder, beginning: RunBeginning(start: start, store: store), options: options, signals: signals, search: search)
        let outcome = try process.executeUnrecorded().outcome
        if case .failed = outcome { Self.showLogs(folder.logs) }
        guard let curvature = search.curvature else { throw UnfinishedLook(outcome: outcome) }
        return curvature
    }

    /// What workers said, before it is removed with the folder.
    private static func showLogs(_ folder: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? [] {
            guard let log = FileManager.default.contents(atPath: "\(folder)/\(name)"), !log.isEmpty else { continue }
            printError("\(name):\n" + String(decoding: log.suffix(2_000), as: UTF8.self))
        }
    }
}

/// The passes were cut short.
struct UnfinishedLook: Error, CustomStringConvertible {
    var outcome: Ending.Outcome

    var exitCode: Int32 {
        if case .interrupted(let signal) = outcome { return 128 + signal }
        return TrainCommand.ExitCode.failed
    }

    var description: String {
        switch outcome {
        case .failed(let error): "the curvature is not known: \(error)"
        case .interrupted: "interrupted before the curvature was known"
        case .completed, .stoppedEarly: "the curvature is not known"
        }
    }
}
