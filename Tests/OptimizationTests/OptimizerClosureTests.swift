import Kernels
import Testing

@testable import Optimization

@Suite struct OptimizerClosureTests {
    private static let problem = ClosureProblem.rosenbrock([-1.2, 1])
    static let rules: [RuleSpecification] = [.lbfgs(), .conjugateGradient()]

    @Test(arguments: rules)
    func theFirstLossIsHandedBack(rule: RuleSpecification) throws {
        let run = try ClosureRun(Self.problem, rule: rule)
        let before = run.loss
        #expect(try run.step() == before)
        #expect(run.evaluations > 1)
        #expect(run.optimizer.stepCount == 1)
        #expect(run.loss < before)
    }

    @Test(arguments: rules)
    func aClosuresErrorPutsTheWeightsBack(rule: RuleSpecification) throws {
        struct NoData: Error {}
        let run = try ClosureRun(Self.problem, rule: rule)
        try run.step()
        let before = run.optimizer.weights.values
        var calls = 0
        #expect(throws: NoData.self) {
            try run.optimizer.step {
                calls += 1
                run.optimizer.gradient.mutableView.fill(1)
                if calls == 3 { throw NoData() }
                return Double(calls)
            }
        }
        #expect(run.optimizer.weights.values == before)
        #expect(run.optimizer.stepCount == 1)
    }

    @Test(arguments: rules)
    func aStepWithoutAClosureIsRefused(rule: RuleSpecification) throws {
        let optimizer = try Optimizer(rule: rule, weights: FloatBlock([1, 2]))
        #expect(throws: OptimizationError.self) { try optimizer.step() }
        #expect(throws: OptimizationError.self) { try optimizer.step { "no number" } }
        #expect(optimizer.weights.values == [1, 2])
    }

    @Test func wildNumbersAreNamed() throws {
        let optimizer = try Optimizer(rule: .lbfgs(), weights: FloatBlock([1, 2]))
        #expect(throws: OptimizationError.gradientNotFinite(element: 1, step: 1)) {
            try optimizer.step {
                optimizer.gradient.mutableView[1] = .nan
                return 1.0
            }
        }
        optimizer.zeroGradient()
        #expect(throws: OptimizationError.lossNotFinite(step: 1)) { try optimizer.step { Double.nan } }
        #expect(optimizer.weights.values == [1, 2])
    }

    @Test func weightsThatWereSetFromOutsideAreTheNextStart() throws {
        let run = try ClosureRun(Self.problem, rule: .lbfgs())
        try run.step()
        let fresh = try ClosureRun(Self.problem, rule: .lbfgs())
        for index in 0..<2 {
            run.optimizer.weights.mutableView[index] = 3
            fresh.optimizer.weights.mutableView[index] = 3
        }
        try run.step()
        try fresh.step()
        #expect(run.optimizer.weights.values == fresh.optimizer.weights.values)
    }

    @Test(arguments: [
        RuleSpecification.lbfgs(LBFGSOptions(history: 0)), .lbfgs(LBFGSOptions(limits: ClosureLimits(maxEvaluations: 1))),
        .lbfgs(LBFGSOptions(limits: ClosureLimits(toleranceGradient: -1))),
        .conjugateGradient(ConjugateGradientOptions(limits: ClosureLimits(toleranceChange: .nan))),
        .conjugateGradient(ConjugateGradientOptions(restart: .every(0))),
    ])
    func badOptionsAreRefused(rule: RuleSpecification) {
        #expect(throws: OptimizationError.self) { try Optimizer(rule: rule, weights: FloatBlock([1])) }
    }

    @Test(arguments: rules)
    func clippingIsRefused(rule: RuleSpecification) {
        #expect(throws: OptimizationError.self) {
            try Optimizer(rule: rule, treatment: GradientTreatment(clipValue: 1), weights: FloatBlock([1]))
        }
    }
}
