import Kernels
import Testing

@testable import Optimization

@Suite struct ClosureMachineTests {
    static let rules: [RuleSpecification] = [
        .lbfgs(LBFGSOptions(history: 3, limits: ClosureLimits(maxEvaluations: 6))),
        .conjugateGradient(ConjugateGradientOptions(limits: ClosureLimits(maxEvaluations: 6))),
        .conjugateGradient(ConjugateGradientOptions(restart: .every(2), limits: ClosureLimits(maxEvaluations: 6))),
    ]

    private static let problem = ClosureProblem.rosenbrock([-1.2, 1, -0.5, 0.8, 0.3])

    /// Feeds a machine until its step is done; the sum is given as of three samples.
    private func step(_ machine: ClosureMachine, isSameObjective: Bool = false, problem: ClosureProblem = problem) -> Int {
        let weights = FloatBlock(count: machine.weights.count)
        let sum = FloatBlock(count: machine.weights.count)
        var evaluations = 0
        var turn = machine.beginStep(isSameObjective: isSameObjective)
        while turn == .evaluate {
            evaluations += 1
            machine.writeTrial(into: weights.mutableView)
            var gradient = [Double](repeating: 0, count: weights.count)
            let loss = problem.evaluate(weights.values.map(Double.init), &gradient)
            for index in gradient.indices { sum.mutableView[index] = Float(3 * gradient[index]) }
            turn = machine.take(loss: loss, gradientSum: sum.view, sampleCount: 3, weights: weights.view)
        }
        withExtendedLifetime((weights, sum)) {}
        #expect(turn == .stepDone)
        return evaluations
    }

    private func machine(_ rule: RuleSpecification, l2: Double = 0) throws -> ClosureMachine {
        let objective = PenalizedObjective(segments: [PenaltySegment(range: 0..<5, l2: l2, l1: 0)])
        return try ClosureMachine(rule: rule, objective: objective, weights: FloatBlock(Self.problem.start))
    }

    @Test(arguments: rules)
    func aStepKeepsToItsEvaluations(rule: RuleSpecification) throws {
        let machine = try machine(rule)
        var total = 0
        for _ in 0..<5 {
            let evaluations = step(machine)
            #expect(evaluations <= 6)
            total += evaluations
            machine.commit()
        }
        #expect(machine.evaluations == UInt64(total))
        #expect(machine.scalars.iterations > 0)
    }

    @Test(arguments: rules)
    func anotherMachineGoesOnFromItsStateWithTheSameBits(rule: RuleSpecification) throws {
        let first = try machine(rule, l2: 0.01)
        for _ in 0..<3 {
            _ = step(first)
            first.commit()
        }
        let second = try machine(rule, l2: 0.01)
        second.restore(weights: first.weights, slots: first.slots, scalars: first.scalars)
        for isSame in [true, false, true] {
            _ = step(first, isSameObjective: isSame)
            _ = step(second, isSameObjective: isSame)
            first.commit()
            second.commit()
            #expect(first.weights.values == second.weights.values)
            #expect(first.slots.map(\.values) == second.slots.map(\.values))
            #expect(first.scalars == second.scalars)
        }
    }

    @Test(arguments: rules)
    func anUnfinishedStepLeavesNoTrace(rule: RuleSpecification) throws {
        let (disturbed, undisturbed) = (try machine(rule), try machine(rule))
        for each in [disturbed, undisturbed] {
            _ = step(each)
            each.commit()
        }
        let before = (disturbed.weights.values, disturbed.slots.map(\.values))
        #expect(disturbed.beginStep(isSameObjective: false) == .evaluate)
        let weights = FloatBlock(count: 5)
        disturbed.writeTrial(into: weights.mutableView)
        let gradient = FloatBlock([1, 2, 3, 4, 5])
        #expect(disturbed.take(loss: 1, gradientSum: gradient.view, sampleCount: 1, weights: weights.view) == .evaluate)
        withExtendedLifetime((weights, gradient)) {}
        disturbed.rollBack()
        #expect(disturbed.weights.values == before.0)
        #expect(disturbed.slots.map(\.values) == before.1)
        for each in [disturbed, undisturbed] {
            _ = step(each)
            each.commit()
        }
        #expect(disturbed.weights.values == undisturbed.weights.values)
        #expect(disturbed.evaluations == undisturbed.evaluations + 1)
    }

    @Test(arguments: rules)
    func theSameObjectiveIsNotEvaluatedTwiceAtOnePlace(rule: RuleSpecification) throws {
        let (reusing, asking) = (try machine(rule), try machine(rule))
        for _ in 0..<3 {
            // One evaluation more for the one that has to ask again, so both have the same left for the search.
            _ = step(reusing, isSameObjective: true)
            reusing.commit()
        }
        _ = step(asking)
        asking.commit()
        #expect(reusing.scalars.loss ?? .nan < asking.scalars.loss ?? .nan)
    }

    @Test(arguments: rules.prefix(2))
    func atRestNothingIsEvaluated(rule: RuleSpecification) throws {
        let machine = try machine(rule)
        for _ in 0..<200 {
            _ = step(machine, isSameObjective: true)
            machine.commit()
        }
        #expect(machine.scalars.loss ?? .nan < 1e-6)
        #expect(step(machine, isSameObjective: true) == 0)
    }

    @Test func slotsAreNamedInTheirOrder() throws {
        let lbfgs = try machine(Self.rules[0])
        #expect(lbfgs.slots.isEmpty)
        for _ in 0..<3 {
            _ = step(lbfgs)
            lbfgs.commit()
        }
        #expect(
            lbfgs.slotNames == [
                "gradient", "weight_change_0", "gradient_change_0", "weight_change_1", "gradient_change_1", "weight_change_2",
                "gradient_change_2",
            ])
        #expect(lbfgs.slots.count == lbfgs.slotNames.count)
        #expect(try machine(Self.rules[1]).slotNames == ["gradient", "direction"])
    }

    @Test func withoutASearchTheRateIsTaken() throws {
        let rule = RuleSpecification.lbfgs(
            LBFGSOptions(learningRate: 0.001, lineSearch: .none, limits: ClosureLimits(maxEvaluations: 2)))
        let machine = try machine(rule)
        let start = machine.weights.values
        #expect(step(machine) == 2)
        machine.commit()
        var gradient = [Double](repeating: 0, count: 5)
        _ = Self.problem.evaluate(start.map(Double.init), &gradient)
        let rate = 0.001 * min(1, 1 / gradient.reduce(0) { $0 + abs($1) })
        for index in start.indices {
            // The gradient is rounded to float on its way.
            #expect(abs(Double(machine.weights.values[index]) - (Double(start[index]) - rate * gradient[index])) < 1e-7)
        }
    }

    @Test func theFirstEvaluationMustBeFinite() throws {
        let machine = try machine(Self.rules[0])
        let weights = FloatBlock(count: 5)
        #expect(machine.beginStep(isSameObjective: false) == .evaluate)
        machine.writeTrial(into: weights.mutableView)
        let gradient = FloatBlock([1, 2, .infinity, .nan, 5])
        #expect(
            machine.take(loss: 1, gradientSum: gradient.view, sampleCount: 1, weights: weights.view) == .notFinite(element: 2))
        #expect(machine.beginStep(isSameObjective: false) == .evaluate)
        gradient.mutableView.fill(1)
        #expect(
            machine.take(loss: .nan, gradientSum: gradient.view, sampleCount: 1, weights: weights.view)
                == .notFinite(element: nil))
        withExtendedLifetime((weights, gradient)) {}
    }

    @Test func otherRulesNeedNoMachine() {
        #expect(throws: OptimizationError.self) {
            try ClosureMachine(
                rule: .adam(), objective: PenalizedObjective(segments: [PenaltySegment(range: 0..<1, l2: 0, l1: 0)]),
                weights: FloatBlock([1]))
        }
    }
}

@Suite struct PenalizedObjectiveTests {
    @Test func penaltyIsThatOfItsSegments() {
        let count = 40_000
        let weights = FloatBlock(TestNumbers.array(count, seed: 3))
        let objective = PenalizedObjective(segments: [
            PenaltySegment(range: 0..<20_000, l2: 0.5, l1: 0), PenaltySegment(range: 20_000..<20_001, l2: 0, l1: 0),
            PenaltySegment(range: 20_001..<count, l2: 0.1, l1: 0.25),
        ])
        var expected = 0.0
        for index in 0..<count {
            let value = Double(weights.view[index])
            if index < 20_000 { expected += 0.25 * value * value }
            if index > 20_000 { expected += 0.05 * value * value + 0.25 * abs(value) }
        }
        // Another order of summation, in double.
        #expect(abs(objective.penalty(of: weights.view) - expected) < 1e-12 * expected)
        withExtendedLifetime(weights) {}
    }

    @Test func frozenParametersHaveNeitherGradientNorPenalty() {
        let objective = PenalizedObjective(segments: [
            PenaltySegment(range: 0..<2, l2: 1, l1: 1, isFrozen: true), PenaltySegment(range: 2..<3, l2: 1),
        ])
        let (weights, sum, gradient) = (FloatBlock([1, 2, 3]), FloatBlock([4, 4, 4]), FloatBlock(count: 3))
        objective.gradient(sum: sum.view, sampleCount: 2, weights: weights.view, into: gradient.mutableView)
        #expect(gradient.values == [0, 0, 5])
        #expect(objective.penalty(of: weights.view) == 4.5)
        withExtendedLifetime((weights, sum)) {}
    }

    @Test func withoutPenaltyItIsNothing() throws {
        let objective = try Updater(
            rule: .lbfgs(), treatment: GradientTreatment(l2: 1, l1: 1), segments: [UpdateSegment(range: 0..<3, isRegularized: false)]
        ).objective
        let weights = FloatBlock([1, 2, 3])
        #expect(objective.penalty(of: weights.view) == 0)
        withExtendedLifetime(weights) {}
    }
}
