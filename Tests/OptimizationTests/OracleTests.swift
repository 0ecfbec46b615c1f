import Foundation
import Kernels
import Testing

@testable import Optimization

/// The whole fused pass against PyTorch in float64, 40 steps of every rule.
@Suite struct OracleTests {
    /// Float arithmetic over 40 steps against double, relative to the largest weight.
    private static let tolerance: Float = 1e-5

    @Test(arguments: OptimizerCase.all)
    func everyRuleFollowsPyTorch(_ oracle: OptimizerCase) throws {
        let run = try oracle.run()
        for (step, (ours, theirs)) in zip(run, oracle.weights).enumerated() {
            let largest = theirs.map(\.magnitude).max() ?? 0
            let difference = zip(ours, theirs).map { ($0 - $1).magnitude }.max() ?? 0
            #expect(difference <= Self.tolerance * largest, "step \(step + 1)")
        }
    }

    @Test func theOracleHasEveryRule() throws {
        let keywords = try Set(OptimizerCase.all.map { try $0.rule().keyword })
        #expect(
            keywords == ["sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw", "adamax", "nadam", "radam", "adadelta"])
    }
}

/// One setting of `optimizers.json`: PyTorch's names, recorded gradients and the weights after each step.
struct OptimizerCase: Decodable, Sendable, CustomTestStringConvertible {
    let optimizer: String
    let options: [String: Option]
    let w0: [Float]
    let gradients: [[Float]]
    let weights: [[Float]]

    enum Option: Decodable, Equatable, Sendable {
        case flag(Bool)
        case number(Double)
        case numbers([Double])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .numbers(try container.decode([Double].self))
            }
        }
    }

    static let all = OracleFiles.cases("optimizers", OptimizerCase.self)

    var testDescription: String { "\(optimizer) \(options)" }

    private func number(_ name: String, _ standard: Double) -> Double {
        if case .number(let value)? = options[name] { value } else { standard }
    }

    private func flag(_ name: String) -> Bool { options[name] == .flag(true) }

    /// The rule, by definitions.md's translation of PyTorch's names.
    func rule() throws -> RuleSpecification {
        let rate = number("lr", .nan)
        let betas = if case .numbers(let values)? = options["betas"] { (values[0], values[1]) } else { (0.9, 0.999) }
        switch optimizer {
        case "sgd": return .sgd(learningRate: rate)
        case "momentum":
            return .momentum(
                learningRate: rate, momentum: number("momentum", 0.9), dampening: number("dampening", 0), nesterov: flag("nesterov"))
        case "adagrad":
            return .adagrad(
                learningRate: rate, rateDecay: number("lr_decay", 0), initialAccumulator: number("initial_accumulator_value", 0),
                epsilon: number("eps", 1e-10))
        case "rmsprop":
            return .rmsprop(
                learningRate: rate, alpha: number("alpha", 0.99), epsilon: number("eps", 1e-8), centered: flag("centered"),
                momentum: number("momentum", 0))
        case "adam":
            return .adam(
                learningRate: rate, beta1: betas.0, beta2: betas.1, epsilon: number("eps", 1e-8), amsgrad: flag("amsgrad"))
        case "adamw":
            return .adamw(
                learningRate: rate, beta1: betas.0, beta2: betas.1, epsilon: number("eps", 1e-8), amsgrad: flag("amsgrad"),
                weightDecay: number("weight_decay", 0.01))
        case "adamax": return .adamax(learningRate: rate, beta1: betas.0, beta2: betas.1, epsilon: number("eps", 1e-8))
        case "nadam":
            return .nadam(
                learningRate: rate, beta1: betas.0, beta2: betas.1, epsilon: number("eps", 1e-8),
                momentumDecay: number("momentum_decay", 4e-3))
        case "radam": return .radam(learningRate: rate, beta1: betas.0, beta2: betas.1, epsilon: number("eps", 1e-8))
        case "adadelta": return .adadelta(learningRate: rate, rho: number("rho", 0.9), epsilon: number("eps", 1e-6))
        default: throw OptimizationError.option("rule", problem: "unknown, got \(optimizer)")
        }
    }

    /// Weights after each step; the mean gradient comes as a sum of two operands over 100 samples.
    func run() throws -> [[Float]] {
        let rule = try rule()
        let decay = optimizer == "adamw" ? 0 : number("weight_decay", 0)
        let block = TestBlock(rule: rule, treatment: GradientTreatment(l2: decay), weights: w0)
        return try gradients.map { gradient in
            let outcome = try block.step(operands: [gradient.map { $0 * 75 }, gradient.map { $0 * 25 }], sampleCount: 100)
            #expect(outcome == .finite)
            return block.weights
        }
    }
}
