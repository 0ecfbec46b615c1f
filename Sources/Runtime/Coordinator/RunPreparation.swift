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
    var description: RunDescription
    var plan: RunPlan
    /// By part; empty for classification.
    let targetSpreads: [PartID: TargetSpread]
    let trivialPredictors: [PartID: TrivialPredictor]
    let runSHA256: Digest
    /// nil without `model.initialize_from`.
    let initialization: Initialization?

    /// Reads the data and compiles the net; every problem found is reported with its place in the run file.
    init(_ configuration: RunConfiguration) throws(ProblemList) {
        self.configuration = configuration
        let data: PreparedData
        do {
            data = try PreparedData(
                configuration.data, seed: configuration.seed, folder: "/",
                alsoHashed: configuration.model.initializeFrom.map { [$0] } ?? [], listsFiles: !configuration.shipsData)
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
            initialization = try configuration.model.initializeFrom.map { path throws(InitializationError) in
                try Initialization(path: path, network: network)
            }
        } catch {
            throw ProblemList([configuration.sourceMap.problem(at: "model.initialize_from", "\(error)")])
        }
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
            sampleRows: min(Self.sampleRows, data.train.rowCount), redealEvery: configuration.data.redealEvery,
            chunkByteCount: configuration.cluster.chunkBytes,
            countsRounds: updater.rule.isClosureRule, isStale: training.mode.isStale,
            instructionSet: configuration.cluster.instructionSet == .auto ? nil : configuration.cluster.instructionSet.rawValue,
            precision: training.precision, wire: configuration.cluster.wire,
            dataFiles: configuration.shipsData ? nil : DataFiles(specification: configuration.data, digests: data.files))
        var plans: [PartID: StepPlan] = [:]
        for part in description.parts { plans[part] = description.plan(of: part) }
        let rows = Self.sourceRows(of: parts, sample: plans[.sample])
        targetSpreads = rows.compactMapValues { TargetSpread($0.table, rows: $0.rows) }
        trivialPredictors = rows.compactMapValues {
            TrivialPredictor($0.table, rows: $0.rows, loss: network.loss, scaling: data.targetScaling)
        }
        self.data = data
        self.network = network
        self.parts = parts
        self.description = description
        var plan = RunPlan(
            tree: description.tree, parts: plans, epochs: training.epochs, validateEvery: training.validateEvery,
            earlyStopping: training.earlyStopping,
            passes: updater.rule.closureLimits.map { StepPasses(plan: description.plan(of: .train), isFull: $0.isFullPass) })
        plan.isStale = training.mode.isStale
        self.plan = plan
        schedule = configuration.optimizer.schedule(horizon: plan.totalSteps)
        runSHA256 = SHA256.hash(of: Array(configuration.bitRelevantCanonical.utf8))
    }

    /// The table of every part, and which of its rows the part has.
    private static func sourceRows(
        of parts: [PartID: ShardedPart], sample: StepPlan?
    ) -> [PartID: (table: Table, rows: [UInt32])] {
        var all = parts.mapValues { (table: $0.part.table, rows: $0.part.rows) }
        if let sample, let train = parts[.train] {
            let rows = (0..<sample.shardCount).flatMap { shard in
                (0..<sample.rows(ofShard: shard)).map { train.sourceRow(shard: shard, position: $0) }
            }
            all[.sample] = (train.part.table, rows)
        }
        return all
    }

    private static func problem(_ error: ModelError, in configuration: RunConfiguration) -> Problem {
        guard !error.path.isEmpty else { return configuration.sourceMap.problem(at: "model.loss", error.description) }
        return configuration.problem(atLayer: error.path, error.description)
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
        let rule = configuration.optimizer.rule
        if rule.isClosureRule, let statistics = network.layout.runningStatistics.first {
            problems.append(
                configuration.sourceMap.problem(
                    at: "optimizer.rule",
                    "\(rule.keyword) evaluates the loss several times per step, and the running values of "
                        + "\(network.layers[statistics.mean.layer].label) belong to steps with one evaluation; "
                        + "use another rule, or layer_norm"))
        }
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
