import Foundation
import Testing

@testable import Optimization

@Suite struct RuleSpecificationTests {
    @Test(
        arguments: [
            (.sgd(learningRate: -1), "learning_rate"), (.adam(learningRate: .nan), "learning_rate"),
            (.momentum(learningRate: 1, momentum: 1), "momentum"), (.momentum(learningRate: 1, dampening: 1.5), "dampening"),
            (.momentum(learningRate: 1, dampening: 0.1, nesterov: true), "nesterov"),
            (.momentum(learningRate: 1, momentum: 0, nesterov: true), "nesterov"),
            (.adam(beta1: 1), "betas"), (.adam(beta2: -0.1), "betas"), (.adam(epsilon: 0), "epsilon"), (.adam(epsilon: 1e-50), "epsilon"),
            (.adamw(weightDecay: -1), "weight_decay"), (.nadam(momentumDecay: -1), "momentum_decay"), (.radam(beta2: 0.5), "betas"),
            (.adagrad(learningRate: 1, rateDecay: -1), "rate_decay"),
            (.adagrad(learningRate: 1, initialAccumulator: -1), "initial_accumulator"), (.rmsprop(learningRate: 1, alpha: 1), "alpha"),
            (.adadelta(rho: 2), "rho"),
        ] as [(RuleSpecification, String)])
    func anOptionOutsideItsRangeIsNamed(rule: RuleSpecification, name: String) throws {
        let error = #expect(throws: OptimizationError.self) { try rule.validate() }
        guard case .option(name, let problem)? = error else {
            Issue.record("named \(String(describing: error)), not \(name)")
            return
        }
        #expect(problem.contains("must be") || problem.contains("needs"))
        #expect(problem.contains("got"))
    }

    @Test(arguments: RuleSpecification.samples)
    func defaultsAreAllowed(rule: RuleSpecification) throws {
        try rule.validate()
    }

    @Test func aTreatmentIsCheckedWithItsRule() {
        let refused: [(RuleSpecification, GradientTreatment, String)] = [
            (.adam(), GradientTreatment(clipValue: 0), "clip.value"), (.adam(), GradientTreatment(l2: -1), "regularization.l2"),
            (.adam(), GradientTreatment(l1: .infinity), "regularization.l1"), (.adamw(), GradientTreatment(l2: 0.1), "regularization.l2"),
        ]
        for (rule, treatment, name) in refused {
            let error = #expect(throws: OptimizationError.self) { try rule.validate(with: treatment) }
            #expect(error?.description.hasPrefix(name + ": ") == true)
        }
        #expect(throws: Never.self) { try RuleSpecification.adamw().validate(with: GradientTreatment(l1: 0.1)) }
    }

    @Test(arguments: RuleSpecification.samples)
    func codingKeepsEveryOption(rule: RuleSpecification) throws {
        #expect(try JSONDecoder().decode(RuleSpecification.self, from: JSONEncoder().encode(rule)) == rule)
    }
}
