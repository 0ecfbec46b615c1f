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

    /// A rectifier of images may be done after the pooling behind it, and an activation while images are copied to rows: what is seen of
    /// the units is the same as of the same layers with nothing behind them.
    @Test(arguments: [0, 1, 2, 3])
    func unitsOfImagesAreSeenBehindTheirActivation(variant: Int) throws {
        let convolution = LayerKind.conv2d(ConvolutionOptions(filters: 2, kernel: Extent(1)))
        let tail: [LayerKind] = [.flatten, .dense(units: 2)]
        let layers: [LayerKind] = [
            [convolution, .relu, .maxPool2d(PoolingOptions(kernel: Extent(2)))] + tail,
            [convolution, .relu] + tail,
            [convolution, .batchNorm(), .relu] + tail,
            [convolution, .batchNorm(), .relu, .maxPool2d(PoolingOptions(kernel: Extent(2)))] + tail,
        ][variant]
        let network = try Network(net([1, 2, 2], layers))
        let weights = zeros(network.layout.blockLength)
        network.initialize(into: weights.mutableView, seed: 1)
        // Filter 0 is the pixel, filter 1 is below 0 wherever the pixel is below 5.
        for (index, value) in [1, 1, 0, -5].enumerated() { weights.mutableView[index] = Float(value) }
        let engine = LeafEngine(network: network, tree: ShardTree(shardCount: 1), leafRows: 2, seed: 1)
        engine.reserve(leaves: 1)
        engine.load(Rows(features: [1, 2, -3, -4, 1, -2, 3, -4], labels: [0, 0], count: 2), slot: 0)
        _ = engine.evaluate([LeafSlot(shard: 0, slot: 0, rows: 2)], weights: weights.view)
        var counts: [UnitCounts] = []
        engine.addUnits(of: [LeafSlot(shard: 0, slot: 0, rows: 2)], to: &counts)
        guard case .alive(let marks)? = counts.first else {
            Issue.record("nothing seen")
            return
        }
        // Pixels 0, 1 and 2 are above 0 in some row, whatever the layout; the rest are 0 throughout.
        #expect(marks.count { $0 == 1 } == 3)
        #expect(network.observedUnits.map(\.width) == [8])
    }

    @Test func layersWithoutAQuestionAreNotObserved() throws {
        let network = try Network(net([4], [.dense(units: 3), .relu, .dropout(rate: 0.5), .dense(units: 5), .tanh, .dense(units: 2)]))
        #expect(network.observedUnits.map(\.layer) == [1, 4])
        #expect(network.observedUnits.map(\.width) == [3, 5])
        #expect(try Network(net([4], [.dense(units: 2)])).observedUnits.isEmpty)
    }
}
