import Exactness
import Kernels
import NeuralNet
import Testing

/// The net in one process: its numbers are the engine's, its mistakes are told.
@Suite struct ModelTests {
    private static let layers: [LayerKind] = [.dense(units: 5), .tanh, .dropout(rate: 0.5), .dense(units: 3)]

    private func made(threads: Int = 1, loss: LossSpecification = .softmaxCrossEntropy) throws -> Model {
        try Model(inputShape: [4], layers: Self.layers, loss: loss, seed: 3, threads: threads)
    }

    private func pass(_ model: Model, _ rows: Rows, step: UInt64) throws -> Double {
        try model.forward(rows.features, .training(step: step), samples: rows.samples)
        let loss = try model.loss(classes: rows.labels.map { Int($0) })
        try model.backward()
        return loss
    }

    @Test func lossAndGradientAreTheEnginesDividedByTheRows() throws {
        let model = try made()
        let rows = Rows(model.network, count: 7, seed: 5)
        let leaf = try SingleLeaf(model.network.specification, rows, seed: 3)
        let (sum, figures) = try leaf.gradient(step: 9)
        #expect(try pass(model, rows, step: 9) == figures.lossSum / 7)
        #expect(values(model.gradient) == values(sum.view[0..<model.gradient.count]).map { $0 / 7 })
    }

    @Test func gradientsAddUpUntilTheyAreZeroed() throws {
        let model = try made()
        let rows = Rows(model.network, count: 4, seed: 6)
        _ = try pass(model, rows, step: 0)
        let once = values(model.gradient)
        _ = try pass(model, rows, step: 0)
        #expect(values(model.gradient) == once.map { $0 + $0 })
        model.gradient.mutableView.fill(0)
        _ = try pass(model, rows, step: 0)
        #expect(values(model.gradient) == once)
    }

    /// A larger batch after a small one, and a small one after it.
    @Test func batchesOfAnySizeGiveTheSameRows() throws {
        let model = try made(threads: 2)
        let rows = Rows(model.network, count: 9, seed: 7)
        let one = try model.forward(Array(rows.features.prefix(4)))
        let all = try model.forward(rows.features)
        #expect(all.count == 27)
        #expect(Array(all.prefix(3)) == one)
        #expect(try model.forward(Array(rows.features.suffix(4))) == Array(all.suffix(3)))
    }

    @Test func classesAreThoseOfTheLargestLogits() throws {
        let model = try made()
        let rows = Rows(model.network, count: 20, seed: 8)
        let logits = try model.forward(rows.features)
        let expected = (0..<20).map { row in (0..<3).max { logits[3 * row + $0] < logits[3 * row + $1] } }
        #expect(try model.predictedClasses(rows.features) == expected.map { $0 ?? -1 })
        model.weights.mutableView.fill(0)
        #expect(try model.predictedClasses(rows.features) == Array(repeating: 0, count: 20))

        let binary = try Model(inputShape: [1], layers: [.dense(units: 1)], loss: .binaryCrossEntropy)
        binary.weights.mutableView[0] = 2
        #expect(try binary.predictedClasses([-1, 0, 1]) == [0, 0, 1])
    }

    @Test func theHashIsOfTheParameters() throws {
        let model = try made()
        #expect(try made().weightsSHA256 == model.weightsSHA256)
        model.weights.mutableView[0] += 1
        #expect(try made().weightsSHA256 != model.weightsSHA256)
    }

    @Test func wrongUseIsToldAndChangesNothing() throws {
        let model = try made()
        let before = values(model.weights)
        #expect(throws: ModelUseError.features(5, width: 4)) { try model.forward([1, 2, 3, 4, 5]) }
        #expect(throws: ModelUseError.features(0, width: 4)) { try model.forward([]) }
        #expect(throws: ModelUseError.order("loss", needs: "a forward before it")) { try model.loss(classes: [0]) }
        #expect(throws: ModelUseError.targets(2, expected: 1, what: "sample numbers")) {
            try model.forward([1, 2, 3, 4], samples: [1, 2])
        }
        try model.forward([1, 2, 3, 4])
        #expect(throws: ModelUseError.classNumber(3, count: 3)) { try model.loss(classes: [3]) }
        #expect(throws: ModelUseError.targets(2, expected: 1, what: "classes")) { try model.loss(classes: [0, 1]) }
        #expect(throws: ModelUseError.needsClasses("softmax_cross_entropy")) { try model.loss(values: [1, 2, 3]) }
        // In inference mode there is a loss and no gradient.
        #expect(try model.loss(classes: [0]) > 0)
        #expect(throws: ModelUseError.order("backward", needs: "a loss of a forward in training mode")) { try model.backward() }
        #expect(values(model.weights) == before)
        #expect(values(model.gradient).allSatisfy { $0 == 0 })

        let regression = try made(loss: .meanSquaredError)
        #expect(throws: ModelUseError.noClasses("mean_squared_error")) { try regression.predictedClasses([1, 2, 3, 4]) }
        try regression.forward([1, 2, 3, 4])
        #expect(throws: ModelUseError.targets(1, expected: 3, what: "values")) { try regression.loss(classes: [0]) }
        #expect(throws: ModelUseError.targets(2, expected: 3, what: "values")) { try regression.loss(values: [1, 2]) }
    }
}
