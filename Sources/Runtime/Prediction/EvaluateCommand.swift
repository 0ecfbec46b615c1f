internal import Datasets
internal import Exactness
internal import Foundation
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import RunConfiguration
internal import Training
internal import Wire

/// `dnn-coord evaluate`: a saved net on the test rows of a run file, or on its validation rows where it has no test.
public struct EvaluateCommand: Sendable {
    public var model: String
    public var runFile: String
    public var overrides: [String]
    /// nil: one per core.
    public var threads: Int?
    public var printsJSON: Bool

    public init(model: String, runFile: String, overrides: [String], threads: Int?, printsJSON: Bool) {
        self.model = model
        self.runFile = runFile
        self.overrides = overrides
        self.threads = threads
        self.printsJSON = printsJSON
    }

    /// Prints the figures on standard output and gives the exit code.
    public func run() -> Int32 {
        do {
            let configuration = try RunConfiguration.load(
                path: runFile, environment: ProcessInfo.processInfo.environment, overrides: overrides)
            let model = try SavedModel(path: model)
            try FileHandle.standardOutput.write(contentsOf: Data(try report(model, configuration).utf8))
            return TrainCommand.ExitCode.completed
        } catch let error as ProblemList {
            printError("\(error)")
            return TrainCommand.ExitCode.badInput
        } catch let error as SavedModelError {
            printError("dnn-coord: \(error)")
            return TrainCommand.ExitCode.badInput
        } catch {
            printError("dnn-coord: \(error)")
            return TrainCommand.ExitCode.failed
        }
    }

    private func report(_ model: SavedModel, _ configuration: RunConfiguration) throws -> String {
        func problem(_ text: String) -> ProblemList { ProblemList([configuration.sourceMap.problem(at: "data", text)]) }
        let task: LearningTask = model.answer == .value ? .regression : .classification
        guard task == configuration.data.task else {
            throw problem("the task is \(configuration.data.task.rawValue), but \(self.model) was trained for \(task.rawValue)")
        }
        let held: HeldOutPart
        do {
            held = try HeldOutPart(configuration.data, seed: configuration.seed, folder: "/", encoding: model.encoding)
        } catch {
            throw ProblemList(error.problems.map { configuration.sourceMap.problem(at: "data", "\($0)") })
        }
        let table = held.part.table
        guard table.featureCount == model.network.inputCount else {
            throw problem("a \(held.name.rawValue) row has \(table.featureCount) features, \(self.model) takes \(model.network.inputCount)")
        }
        if configuration.cluster.instructionSet != .auto,
            let set = Kernels.InstructionSet(rawValue: configuration.cluster.instructionSet.rawValue)
        {
            Kernels.InstructionSet.cap(at: set)
        }
        let training = configuration.training
        let evaluator = Evaluator(
            model: model, rows: ShardedPart(held.part, shardCount: training.virtualShards, seed: configuration.seed),
            plan: StepPlan(rowCount: held.part.rowCount, batchSize: training.batchSize, shardCount: training.virtualShards),
            seed: configuration.seed, threads: threads ?? Machine.coreCount, precision: model.usablePrecision)
        let sums = evaluator.figures()
        var figures = PartReport(sums, spread: TargetSpread(table, rows: held.part.rows), targetScaling: model.targetScaling)
        if model.network.classCount != nil {
            let classCount = model.network.confusionClasses(of: held.name == .test ? .test : .validation)
            figures.add(sums, ClassReport(sums.confusion, classCount: classCount, names: model.encoding.classNames ?? []))
        }
        guard printsJSON else {
            let name = held.name.rawValue.padding(toLength: 11, withPad: " ", startingAt: 0)
            return "\(name)\(figures.summary)  (\(figures.samples) samples)\n"
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let report = EvaluationReport(
            model: self.model, weightsSHA256: model.weightsSHA256, validation: held.name == .validation ? figures : nil,
            test: held.name == .test ? figures : nil)
        return String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
    }
}

/// What `evaluate --json` prints: the part's figures under the name that they have in `result.json`.
private struct EvaluationReport: Encodable {
    var model: String
    var weightsSHA256: String
    var validation: PartReport?
    var test: PartReport?

    private enum CodingKeys: String, CodingKey {
        case model
        case weightsSHA256 = "weights_sha256"
        case validation, test
    }
}
