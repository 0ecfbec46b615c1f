import Kernels
import NeuralNet
import Testing

@testable import Optimization

@Suite struct OptimizerTests {
    @Test(arguments: RuleSpecification.samples)
    func everyRuleDescendsABowl(rule: RuleSpecification) throws {
        let weights = FloatBlock([3, -2, 0.5])
        let optimizer = try Optimizer(rule: rule, weights: weights)
        optimizer.learningRate = 0.05
        var losses: [Float] = []
        for _ in 0..<200 {
            try losses.append(
                optimizer.step {
                    optimizer.zeroGradient()
                    for index in 0..<weights.count { optimizer.gradient.mutableView[index] += 2 * weights.view[index] }
                    return (0..<weights.count).reduce(0) { $0 + weights.view[$1] * weights.view[$1] }
                })
        }
        #expect(losses[199] < losses[0])
        #expect(optimizer.stepCount == 200)
    }

    @Test func itsBitsAreThoseOfTheServer() throws {
        let start = TestNumbers.array(1_000, seed: 1)
        let gradient = TestNumbers.array(1_000, seed: 2)
        let block = TestBlock(rule: .nadam(), treatment: GradientTreatment(l2: 0.1), weights: start)
        let optimizer = try Optimizer(rule: .nadam(), treatment: GradientTreatment(l2: 0.1), weights: FloatBlock(start))
        for _ in 0..<3 {
            #expect(try block.step(operands: [gradient], sampleCount: 1) == .finite)
            for (index, value) in gradient.enumerated() { optimizer.gradient.mutableView[index] = value }
            try optimizer.step()
        }
        #expect(optimizer.weights.values == block.weights)
        #expect(optimizer.slots.map(\.values) == block.slots)
        #expect(optimizer.slotNames == ["first_moment", "second_moment"])
    }

    @Test func aStepThatIsNotFiniteChangesNothing() throws {
        let optimizer = try Optimizer(rule: .momentum(learningRate: 0.1), weights: FloatBlock([1, 2, 3]))
        optimizer.gradient.mutableView.fill(1)
        try optimizer.step()
        let before = (optimizer.weights.values, optimizer.slots.map(\.values))
        optimizer.gradient.mutableView[2] = .nan
        #expect(throws: OptimizationError.gradientNotFinite(element: 2, step: 2)) { try optimizer.step() }
        #expect(optimizer.weights.values == before.0)
        #expect(optimizer.slots.map(\.values) == before.1)
        #expect(optimizer.stepCount == 1)
    }

    @Test func aClosuresErrorTakesNoStep() throws {
        struct NoData: Error {}
        let optimizer = try Optimizer(rule: .sgd(learningRate: 0.1), weights: FloatBlock([1]))
        optimizer.gradient.mutableView.fill(1)
        #expect(throws: NoData.self) { try optimizer.step { throw NoData() } }
        #expect(optimizer.weights.values == [1])
        #expect(optimizer.stepCount == 0)
    }

    @Test func aModelsOwnGradientMovesItsWeights() throws {
        let model = try Model(inputShape: [2], layers: [.dense(units: 3), .relu, .dense(units: 2)], loss: .softmaxCrossEntropy)
        let optimizer = try Optimizer(
            .sgd(learningRate: 0.5), for: model, groups: [ParameterGroup(match: "layers.0.*", isFrozen: true)])
        let before = model.weights.values
        try optimizer.step {
            optimizer.zeroGradient()
            try model.forward([1, 2, 3, -1], .training(step: optimizer.stepCount))
            let loss = try model.loss(classes: [0, 1])
            try model.backward()
            return loss
        }
        let last = model.network.layout.entries[2...].flatMap { Array($0.range) }
        let gradient = model.gradient.values
        #expect(model.weights.values == before.indices.map { last.contains($0) ? before[$0] - 0.5 * gradient[$0] : before[$0] })
        #expect(model.weights.values != before)
    }

    @Test func rulesThatSearchRefuseRunningStatistics() throws {
        let model = try Model(inputShape: [2], layers: [.dense(units: 3), .batchNorm(), .dense(units: 2)], loss: .softmaxCrossEntropy)
        #expect(throws: OptimizationError.self) { try Optimizer(.lbfgs(), for: model) }
        #expect(throws: OptimizationError.self) {
            try Optimizer(.sgd(learningRate: 1), for: model, groups: [ParameterGroup(match: "layers.7.*", isFrozen: true)])
        }
    }

    @Test func badOptionsAndRatesAreRefused() throws {
        #expect(throws: OptimizationError.self) { try Optimizer(rule: .adam(beta1: 2), weights: FloatBlock([1])) }
        let optimizer = try Optimizer(rule: .adam(), weights: FloatBlock([1]))
        optimizer.learningRate = .infinity
        #expect(throws: OptimizationError.self) { try optimizer.step() }
    }
}
