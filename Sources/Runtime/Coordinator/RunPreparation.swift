internal import Datasets
internal import Exactness
internal import Foundation
internal import Hashing
internal import NeuralNet
internal import Optimization
internal import ParameterServer
internal import RunConfiguration
internal import Training
internal import Wire

/// A run that has been checked to the end: nothing in it can be wrong any more but the world.
struct PreparedRun {
    /// The fixed sample of training rows that every validation looks at.
    static let sampleRows = 1_024

    let configuration: RunConfiguration
    let data: PreparedData
    let network: Network
    let updater: Updater
    let schedule: LearningRateSchedule
    let parts: [PartID: ShardedPart]
    let description: RunDescription
    let plan: RunPlan
    /// By part; empty for classification.
    let targetSpreads: [PartID: TargetSpread]
    let runSHA256: Digest

    /// Reads the data and compiles the net; every problem found is reported with its place in the run file.
    init(_ configuration: RunConfiguration) throws(ProblemList) {
        self.configuration = configuration
        let data: PreparedData
        do {
            data = try PreparedData(configuration.data, seed: configuration.seed, folder: "/")
        } catch {
            throw ProblemList(error.problems.map { configuration.sourceMap.problem(at: "data", "\($0)") })
        }
        let network: Network
        do {
            network = try Network(configuration.model.specification(inputShape: data.inputShape))
        } catch {
            throw ProblemList([Self.problem(error, in: configuration)])
        }
        let mismatches = Self.mismatches(configuration: configuration, data: data, network: network)
        guard mismatches.isEmpty else { throw ProblemList(mismatches) }

        do {
            updater = try Updater(
                rule: configuration.optimizer.rule, treatment: configuration.optimizer.treatment, segments: network.layout.updateSegments,
                groups: configuration.optimizer.groups)
        } catch {
            throw ProblemList([Self.problem(error, in: configuration)])
        }
        let training = configuration.training
        var parts: [PartID: ShardedPart] = [:]
        for (part, rows) in [(PartID.train, data.train as DataPart?), (.validation, data.validation), (.test, data.test)] {
            parts[part] = rows.map { ShardedPart($0, shardCount: training.virtualShards, seed: configuration.seed) }
        }
        let description = RunDescription(
            seed: configuration.seed, model: network.specification, rowFormat: data.train.format, preprocessing: data.preprocessing,
            targetScaling: data.targetScaling, shardCount: training.virtualShards, batchSize: training.batchSize,
            trainRows: data.train.rowCount, validationRows: data.validation?.rowCount ?? 0, testRows: data.test?.rowCount ?? 0,
            sampleRows: min(Self.sampleRows, data.train.rowCount), chunkByteCount: configuration.cluster.chunkBytes,
            countsRounds: updater.rule.isClosureRule,
            instructionSet: configuration.cluster.instructionSet == .auto ? nil : configuration.cluster.instructionSet.rawValue,
            precision: training.precision)
        var plans: [PartID: StepPlan] = [:]
        for part in description.parts { plans[part] = description.plan(of: part) }
        targetSpreads = Self.targetSpreads(of: parts, sample: plans[.sample])
        self.data = data
        self.network = network
        self.parts = parts
        self.description = description
        plan = RunPlan(
            tree: description.tree, parts: plans, epochs: training.epochs, validateEvery: training.validateEvery,
            earlyStopping: training.earlyStopping,
            passes: updater.rule.closureLimits.map { StepPasses(plan: description.plan(of: .train), isFull: $0.isFullPass) })
        schedule = configuration.optimizer.schedule(horizon: plan.totalSteps)
        runSHA256 = SHA256.hash(of: Array(configuration.bitRelevantCanonical.utf8))
    }

    private static func targetSpreads(of parts: [PartID: ShardedPart], sample: StepPlan?) -> [PartID: TargetSpread] {
        var spreads: [PartID: TargetSpread] = [:]
        for (part, sharded) in parts { spreads[part] = TargetSpread(sharded.part.table, rows: sharded.part.rows) }
        if let sample, let train = parts[.train] {
            let rows = (0..<sample.shardCount).flatMap { shard in
                (0..<sample.rows(ofShard: shard)).map { train.sourceRow(shard: shard, position: $0) }
            }
            spreads[.sample] = TargetSpread(train.part.table, rows: rows)
        }
        return spreads
    }

    private static func problem(_ error: ModelError, in configuration: RunConfiguration) -> Problem {
        guard let layer = error.layer else { return configuration.sourceMap.problem(at: "model.loss", error.description) }
        return configuration.problem(atLayer: layer, error.description)
    }

    private static func problem(_ error: OptimizationError, in configuration: RunConfiguration) -> Problem {
        let groups = SettingPath("optimizer.groups")
        switch error {
        case .unmatchedPattern(let group, _, _):
            return configuration.sourceMap.problem(at: groups.index(group).key("match"), error.description)
        case .groupOption(let group, let name, let text):
            return configuration.sourceMap.problem(at: groups.index(group).key(name), text)
        case .everythingFrozen: return configuration.sourceMap.problem(at: groups, error.description)
        case .option, .gradientNotFinite, .lossNotFinite: return configuration.sourceMap.problem(at: "optimizer.rule", error.description)
        }
    }

    /// What the net and the data must agree on.
    private static func mismatches(configuration: RunConfiguration, data: PreparedData, network: Network) -> [Problem] {
        var problems: [Problem] = []
        func complain(_ text: String) { problems.append(configuration.sourceMap.problem(at: "model.loss", text)) }
        switch (network.loss, data.train.format.targetType) {
        case (.softmaxCrossEntropy, .classes(let count)) where count > network.outputCount:
            complain(
                "the data has \(count) classes, but the net has \(network.outputCount) outputs; "
                    + "give the last dense layer \(count) units")
        case (.softmaxCrossEntropy, .classes):
            break
        case (.binaryCrossEntropy, .classes(let count)) where count != 2:
            complain("binary_cross_entropy needs 2 classes, the data has \(count); use softmax_cross_entropy")
        case (.binaryCrossEntropy, .classes):
            break
        case (.meanSquaredError, .values), (.meanAbsoluteError, .values), (.huber, .values):
            if network.outputCount != 1 {
                complain("the data has one target value per row, but the net has \(network.outputCount) outputs")
            }
        case (.meanSquaredError, .classes), (.meanAbsoluteError, .classes), (.huber, .classes):
            complain("\(network.loss.keyword) needs data.task: regression")
        case (.softmaxCrossEntropy, .values), (.binaryCrossEntropy, .values):
            complain("\(network.loss.keyword) needs data.task: classification")
        }
        return problems
    }
}
