import Exactness
import Foundation
import Kernels
import NeuralNet
import Testing

@testable import Optimization

/// Whole runs of a net with this module's rules, against PyTorch in float64.
@Suite struct TrainingRunTests {
    /// Of a loss, relative to the first; of the final weights, relative to the largest: 15 steps in Float.
    private static let tolerance = 1e-5
    /// RMSprop and Adam divide by roots of sums that begin at 0, so a rounding error of a tiny gradient is a whole step's.
    private static let adaptiveTolerance = 2e-4

    @Test(arguments: OracleFiles.cases("training_runs", TrainingRun.self))
    func lossesAndWeightsFollowPyTorch(_ oracle: TrainingRun) throws {
        let activation: LayerKind = oracle.activation == "relu" ? .relu : oracle.activation == "tanh" ? .tanh : .sigmoid
        let names = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]
        let units = try [0, 2, 4].map { try #require(oracle.initial["\($0).weight"]).shape[0] }
        let kinds = [LayerKind.dense(units: units[0]), activation, .dense(units: units[1]), activation, .dense(units: units[2])]
        let network = try Network(
            ModelSpecification(
                inputShape: [oracle.x.shape[1]], layers: kinds.map { LayerSpecification($0) }, loss: .softmaxCrossEntropy))
        let weights = FloatBlock(try names.flatMap { try #require(oracle.initial[$0]).floats })
        let segments = network.layout.entries.map {
            UpdateSegment(range: $0.range, isRegularized: $0.isRegularized, name: $0.name, shape: $0.shape)
        }
        // The golden adamw decays everything, as a group with a decay of its own does.
        let groups = oracle.optimizer == "adamw" ? [ParameterGroup(match: "*", rule: try oracle.rule(), setsWeightDecay: true)] : []
        let optimizer = try Optimizer(rule: try oracle.rule(), groups: groups, weights: weights, segments: segments)
        let engine = LeafEngine(network: network, tree: ShardTree(shardCount: 1), leafRows: oracle.batch, seed: 1)
        engine.reserve(leaves: 1)
        let (rows, width) = (oracle.x.shape[0], oracle.x.shape[1])
        for step in 0..<oracle.losses.count {
            let first = step * oracle.batch % rows
            let inputs = engine.inputs(slot: 0, rows: oracle.batch)
            for index in 0..<oracle.batch * width { inputs[index] = oracle.x.floats[first * width + index] }
            engine.setLabels(slot: 0, rows: oracle.batch) { oracle.labels[first + $0] }
            engine.setSampleIDs(slot: 0, rows: oracle.batch) { UInt32(first + $0) }
            let work = NodeWork(
                node: ShardTree(shardCount: 1).root, gradient: optimizer.gradient.mutableView,
                slots: [LeafSlot(shard: 0, slot: 0, rows: oracle.batch)])
            let figures = try engine.computeGradients(
                step: UInt64(step), nodes: [work], weights: weights.view, parametersNeeded: { _ in }, gradientFinished: { _, _ in })
            for index in 0..<weights.count { optimizer.gradient.mutableView[index] /= Float(oracle.batch) }
            let loss = figures[0].lossSum / Double(oracle.batch)
            #expect(abs(loss - oracle.losses[step]) <= Self.tolerance * oracle.losses[0], "step \(step)")
            try optimizer.step()
        }
        let tolerance = oracle.optimizer == "momentum" ? Self.tolerance : Self.adaptiveTolerance
        for (name, entry) in zip(names, network.layout.entries) {
            let expected = try #require(oracle.final[name]).values
            let largest = expected.map(\.magnitude).max() ?? 0
            let difference = zip(entry.range, expected).map { abs(Double(weights.view[$0]) - $1) }.max() ?? 0
            #expect(difference <= tolerance * largest, "\(name): \(difference / largest)")
        }
    }
}

/// A case of `training_runs.json`.
struct TrainingRun: Decodable, Sendable, CustomTestStringConvertible {
    struct Tensor: Decodable, Sendable {
        let shape: [Int]
        let values: [Double]
        var floats: [Float] { values.map { Float($0) } }
    }

    struct Options: Decodable, Sendable {
        let lr: Double
        let betas: [Double]?
        let eps, momentum, alpha, weightDecay: Double?

        private enum CodingKeys: String, CodingKey {
            case lr, betas, eps, momentum, alpha
            case weightDecay = "weight_decay"
        }
    }

    let activation, optimizer: String
    let options: Options
    let batch: Int
    let x: Tensor
    let labels: [Int32]
    let initial, final: [String: Tensor]
    let losses: [Double]

    var testDescription: String { "\(optimizer), \(activation)" }

    func rule() throws -> RuleSpecification {
        let (beta1, beta2) = (options.betas?[0] ?? 0.9, options.betas?[1] ?? 0.999)
        switch optimizer {
        case "sgd": return .sgd(learningRate: options.lr)
        case "momentum": return .momentum(learningRate: options.lr, momentum: options.momentum ?? 0)
        case "rmsprop": return .rmsprop(learningRate: options.lr, alpha: options.alpha ?? 0.99, epsilon: options.eps ?? 1e-8)
        case "adam": return .adam(learningRate: options.lr, beta1: beta1, beta2: beta2, epsilon: options.eps ?? 1e-8)
        case "adamw":
            return .adamw(
                learningRate: options.lr, beta1: beta1, beta2: beta2, epsilon: options.eps ?? 1e-8,
                weightDecay: options.weightDecay ?? 0.01)
        default: throw OptimizationError.option("rule", problem: "unknown, got \(optimizer)")
        }
    }
}
