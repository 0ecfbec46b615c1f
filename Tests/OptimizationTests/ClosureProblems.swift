import Foundation
import Kernels
import Testing

@testable import Optimization

/// A function with its gradient, for closures: values in double, gradient and weights in float.
struct ClosureProblem: Sendable, CustomTestStringConvertible {
    let name: String
    let start: [Float]
    let l2: Double
    /// Adds the gradient to `gradient` and returns the value, without the penalty.
    let evaluate: @Sendable (_ weights: [Double], _ gradient: inout [Double]) -> Double

    var testDescription: String { name }

    /// Σ 100(w[i+1] − w[i]²)² + (1 − w[i])².
    static func rosenbrock(_ start: [Float]) -> ClosureProblem {
        ClosureProblem(name: "rosenbrock", start: start, l2: 0) { w, gradient in
            var sum = 0.0
            for i in 0..<w.count - 1 {
                let (a, b) = (w[i + 1] - w[i] * w[i], 1 - w[i])
                sum += 100 * a * a + b * b
                gradient[i] += -400 * a * w[i] - 2 * b
                gradient[i + 1] += 200 * a
            }
            return sum
        }
    }

    /// The mean of log(1 + exp(−y·(x·w))) over rows.
    static func logistic(features: [[Double]], signs: [Double], l2: Double) -> ClosureProblem {
        ClosureProblem(name: "logistic", start: features[0].map { _ in 0 }, l2: l2) { w, gradient in
            var sum = 0.0
            for (row, sign) in zip(features, signs) {
                let z = sign * zip(row, w).reduce(0) { $0 + $1.0 * $1.1 }
                sum += z > 0 ? log1p(exp(-z)) : log1p(exp(z)) - z
                for index in row.indices { gradient[index] -= sign * row[index] / (1 + exp(z)) / Double(features.count) }
            }
            return sum / Double(features.count)
        }
    }
}

/// An optimizer on a problem, counting evaluations.
final class ClosureRun {
    let problem: ClosureProblem
    let optimizer: Optimizer
    private(set) var evaluations = 0

    init(_ problem: ClosureProblem, rule: RuleSpecification) throws {
        self.problem = problem
        optimizer = try Optimizer(rule: rule, treatment: GradientTreatment(l2: problem.l2), weights: FloatBlock(problem.start))
    }

    @discardableResult
    func step() throws -> Double {
        try optimizer.step {
            evaluations += 1
            optimizer.zeroGradient()
            var gradient = [Double](repeating: 0, count: optimizer.weights.count)
            let value = problem.evaluate(optimizer.weights.values.map(Double.init), &gradient)
            for index in gradient.indices { optimizer.gradient.mutableView[index] = Float(gradient[index]) }
            return value
        }
    }

    /// With the penalty.
    var loss: Double {
        var gradient = [Double](repeating: 0, count: optimizer.weights.count)
        let weights = optimizer.weights.values.map(Double.init)
        return problem.evaluate(weights, &gradient) + problem.l2 / 2 * weights.reduce(0) { $0 + $1 * $1 }
    }
}

/// A case of `closures.json`: where PyTorch and SciPy arrive, and after how many evaluations.
struct ClosureCase: Decodable, Sendable, CustomTestStringConvertible {
    struct Tensor: Decodable, Sendable {
        let shape: [Int]
        let values: [Double]
    }

    struct Peer: Decodable, Sendable {
        let evaluations: Int
        let loss: Double
        let weights: [Double]

        private enum CodingKeys: String, CodingKey { case evaluations, loss, weights }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            evaluations = try values.decode(Int.self, forKey: .evaluations)
            loss = try values.decode(Double.self, forKey: .loss)
            weights = try (try? values.decode([Double].self, forKey: .weights)) ?? values.decode(Tensor.self, forKey: .weights).values
        }
    }

    let problem: String
    let w0: Tensor
    let lbfgs: Peer
    let cg: Peer
    let features: Tensor?
    let labels: Tensor?

    var testDescription: String { problem }

    private struct File: Decodable { let cases: [ClosureCase] }

    /// Those of this package, then those of the folder `DNN_ORACLES` names.
    static let all: [ClosureCase] = {
        var folders = [Bundle.module.resourceURL?.appending(path: "Fixtures")].compactMap { $0 }
        if let more = ProcessInfo.processInfo.environment["DNN_ORACLES"] { folders.append(URL(filePath: more)) }
        return folders.flatMap { folder in
            let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
            return files.filter { $0.lastPathComponent.hasPrefix("closures") && $0.pathExtension == "json" }.sorted { $0.path < $1.path }
                .flatMap { file in
                    do {
                        return try JSONDecoder().decode(File.self, from: Data(contentsOf: file)).cases
                    } catch {
                        Issue.record("\(file.path): \(error)")
                        return []
                    }
                }
        }
    }()

    func made() throws -> ClosureProblem {
        switch problem {
        case "rosenbrock": return .rosenbrock(w0.values.map { Float($0) })
        case "logistic":
            let features = try #require(features)
            let labels = try #require(labels)
            let width = features.shape[1]
            let rows = (0..<features.shape[0]).map { Array(features.values[$0 * width..<($0 + 1) * width]) }
            return .logistic(features: rows, signs: labels.values.map { $0 > 0 ? 1 : -1 }, l2: 0.02)
        default: throw OptimizationError.option("problem", problem: "unknown, got \(problem)")
        }
    }
}
