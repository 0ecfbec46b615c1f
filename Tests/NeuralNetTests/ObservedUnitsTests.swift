import Exactness
import Kernels
import Testing

@testable import NeuralNet

@Suite struct ObservedUnitsTests {
    /// Weights and biases that make the units of a dense layer x, −x, 0 and x + 3 of one input.
    private func fourUnits(_ activation: LayerKind) throws -> (engine: LeafEngine, weights: FloatBlock) {
        let network = try Network(net([1], [.dense(units: 4), activation, .dense(units: 2)]))
        let weights = zeros(network.layout.count)
        weights.mutableView.fill(0)
        for (unit, weight) in [1, -1, 0, 1].enumerated() { weights.mutableView[unit] = Float(weight) }
        weights.mutableView[7] = 3
        let engine = LeafEngine(network: network, tree: ShardTree(shardCount: 1), leafRows: 4, seed: 1)
        engine.reserve(leaves: 2)
        return (engine, weights)
    }

    private func counts(_ engine: LeafEngine, _ weights: FloatBlock, _ blocks: [[Float]]) -> [UnitCounts] {
        var slots: [LeafSlot] = []
        for (slot, values) in blocks.enumerated() {
            engine.load(Rows(features: values, labels: values.map { _ in 0 }, count: values.count), slot: slot)
            slots.append(LeafSlot(shard: 0, slot: slot, rows: values.count))
        }
        _ = engine.evaluate(slots, weights: weights.view)
        var counts: [UnitCounts] = []
        engine.addUnits(of: slots, to: &counts)
        return counts
    }

    @Test func rectifiersAreAliveIfSomeRowOfSomeBlockIsNotZero() throws {
        let (engine, weights) = try fourUnits(.relu)
        #expect(counts(engine, weights, [[1, 2, 3]]) == [.alive([1, 0, 0, 1])])
        #expect(counts(engine, weights, [[-4, -5], [-3.5]]) == [.alive([0, 1, 0, 0])])
        #expect(counts(engine, weights, [[1, 2, 3], [-1]]) == [.alive([1, 1, 0, 1])])
    }

    @Test func countsAddUpOverPasses() throws {
        let (engine, weights) = try fourUnits(.tanh)
        var counts: [UnitCounts] = []
        for values: [Float] in [[2, 2, 2, 2], [0.1, 0.1]] {
            engine.load(Rows(features: values, labels: values.map { _ in 0 }, count: values.count), slot: 0)
            let slots = [LeafSlot(shard: 0, slot: 0, rows: values.count)]
            _ = engine.evaluate(slots, weights: weights.view)
            engine.addUnits(of: slots, to: &counts)
        }
        // At 2: x, −x and x + 3 are flat; at 0.1: x + 3 alone.
        #expect(counts == [.outside(3 * 4 + 2)])
    }

    /// σ(3) = 0.953, σ(2.9) = 0.948.
    @Test(arguments: [(Float(3), 3), (Float(2.9), 1)])
    func sigmoidsAreFlatBeyondTheTwentieths(x: Float, flat: Int) throws {
        let (engine, weights) = try fourUnits(.sigmoid)
        #expect(counts(engine, weights, [[x]]) == [.outside(flat)])
    }

    /// Unit 0 has the pieces x and −x, unit 1 the pieces 0 and x + 3.
    @Test func piecesWinWhereTheyAreLargestAndTheLowestOnTies() throws {
        let network = try Network(net([1], [.maxout(units: 2, pieces: 2), .dense(units: 2)]))
        #expect(network.observedUnits.map(\.question) == [.wins(pieces: 2)])
        let weights = zeros(network.layout.count)
        weights.mutableView.fill(0)
        for (index, value) in [1, -1, 0, 1, 0, 0, 0, 3].enumerated() { weights.mutableView[index] = Float(value) }
        let engine = LeafEngine(network: network, tree: ShardTree(shardCount: 1), leafRows: 4, seed: 1)
        engine.reserve(leaves: 1)
        // x = 2: 0 and 1; x = −2: 1 and 1; x = −4: 1 and 0; x = 0: a tie, 0, and 1.
        #expect(counts(engine, weights, [[2, -2, -4, 0]]) == [.wins([3, 5])])
    }

    @Test func layersWithoutAQuestionAreNotObserved() throws {
        let network = try Network(net([4], [.dense(units: 3), .relu, .dropout(rate: 0.5), .dense(units: 5), .tanh, .dense(units: 2)]))
        #expect(network.observedUnits.map(\.layer) == [1, 4])
        #expect(network.observedUnits.map(\.width) == [3, 5])
        #expect(try Network(net([4], [.dense(units: 2)])).observedUnits.isEmpty)
    }
}
