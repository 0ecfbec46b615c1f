internal import Exactness
internal import Foundation
internal import Hashing
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import RunConfiguration
internal import Training

/// `dnn-coord replay`: computes the weights of an inexact run again, from its run file, its data and the order that it has logged.
public struct ReplayCommand: Sendable {
    public var folder: String
    /// nil: one per core.
    public var threads: Int?
    public var printsJSON: Bool

    public init(folder: String, threads: Int?, printsJSON: Bool) {
        self.folder = folder
        self.threads = threads
        self.printsJSON = printsJSON
    }

    /// 0: the weights are the run's; 1: they are not; 2: there is nothing that could be replayed here.
    public func run() -> Int32 {
        do {
            let verdict = try verdict()
            if printsJSON {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                try FileHandle.standardOutput.write(contentsOf: encoder.encode(verdict) + Data("\n".utf8))
            } else {
                print(verdict.text)
            }
            return verdict.isSame ? TrainCommand.ExitCode.completed : TrainCommand.ExitCode.failed
        } catch let error as ProblemList {
            printError("\(error)")
        } catch {
            printError("dnn-coord: \(error)")
        }
        return TrainCommand.ExitCode.badInput
    }

    private func verdict() throws -> ReplayVerdict {
        let recorded = try RecordedRun(folder: folder)
        let configuration = try RunConfiguration.load(
            path: folder + "/run.yaml", environment: ProcessInfo.processInfo.environment)
        let mode = configuration.training.mode
        guard mode != .exact else {
            throw UnreadableRun(
                description: "\(folder): was trained in mode exact, where the run file and the data say everything: to compute its weights "
                    + "again, train it again, with any number of workers")
        }
        let threads = threads ?? Machine.coreCount
        let run = try PreparedRun(configuration)
        try recorded.check(run, folder: folder, threads: threads)
        let leaves = ReplayedLeaves(run, threads: threads)
        let log = try OrderLogReader(path: "\(folder)/\(OrderLog.name)")
        let target = recorded.finalStep(run)
        var verdict = ReplayVerdict(mode: mode.keyword, run: recorded.weightsSHA256)
        func observe(steps: UInt64, weights: FloatBlock) -> Bool {
            verdict.steps = steps
            let expected = recorded.hashes[steps]
            guard expected != nil || steps == target else { return true }
            let hash = hash(of: weights, run)
            if steps == target { verdict.weightsSHA256 = hash }
            guard let expected else { return true }
            verdict.validationsCompared += 1
            guard hash == expected else {
                verdict.divergedBy = steps
                return false
            }
            return true
        }
        let (reached, length, unit): (UInt64, UInt64, String)
        let last: FloatBlock?
        if mode.isStale {
            let replay = try StaleReplay(run, leaves: leaves, log: log)
            (reached, length, unit) = (try replay.follow { observe(steps: $0, weights: $1) }, recorded.updates, "updates")
            last = replay.finalWeights
        } else {
            let replay = FastReplay(run, leaves: leaves, log: log)
            (reached, length, unit) = (try replay.follow { observe(steps: $0, weights: $1) }, recorded.steps, "steps")
            last = replay.finalWeights
        }
        guard verdict.divergedBy == nil else { return verdict }
        guard reached == length, let last else {
            throw OrderLogError(path: log.path, problem: "ends at \(reached) \(unit), and the run has \(length): the rest of it is lost")
        }
        // Behind the last complete step there may be updates of some shards.
        if target == recorded.steps { verdict.weightsSHA256 = hash(of: last, run) }
        return verdict
    }

    private func hash(of weights: FloatBlock, _ run: PreparedRun) -> String {
        SHA256.hash(of: weights.view[0..<run.network.layout.count].bytes).description
    }
}

/// What a replay has come to.
struct ReplayVerdict: Encodable {
    var mode: String
    var steps: UInt64 = 0
    /// Of the final weights; nil where the replay ended before.
    var weightsSHA256: String?
    var runWeightsSHA256: String
    /// Lines of the history whose weights were compared.
    var validationsCompared = 0
    /// The first validation whose weights are others.
    var divergedBy: UInt64?

    init(mode: String, run: String) {
        self.mode = mode
        runWeightsSHA256 = run
    }

    var isSame: Bool { divergedBy == nil && weightsSHA256 == runWeightsSHA256 }

    var text: String {
        if let divergedBy {
            return "other weights than the run's after step \(divergedBy); the same at \(validationsCompared - 1) validations before it"
        }
        let compared = "\(steps) steps of mode \(mode), \(validationsCompared) validations compared"
        let weights = "weights    \(weightsSHA256 ?? "none")"
        return isSame
            ? "the same weights: \(compared)\n\(weights)" : "other weights: \(compared)\n\(weights)\nthe run's  \(runWeightsSHA256)"
    }

    private enum CodingKeys: String, CodingKey {
        case mode, steps
        case weightsSHA256 = "weights_sha256"
        case runWeightsSHA256 = "run_weights_sha256"
        case validationsCompared = "validations_compared"
        case divergedBy = "diverged_by"
        case isSame = "same"
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(mode, forKey: .mode)
        try values.encode(steps, forKey: .steps)
        try values.encode(weightsSHA256, forKey: .weightsSHA256)
        try values.encode(runWeightsSHA256, forKey: .runWeightsSHA256)
        try values.encode(validationsCompared, forKey: .validationsCompared)
        try values.encode(divergedBy, forKey: .divergedBy)
        try values.encode(isSame, forKey: .isSame)
    }
}
