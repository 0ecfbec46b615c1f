import Exactness
import Kernels
import NeuralNet
import Testing

@Suite struct DropoutTests {
    /// A net that gives its input back, through dropout.
    static func passing(_ width: Int, rate: Double, scaling: DropoutScaling, rows: Rows) throws -> SingleLeaf {
        let identity = (0..<width).flatMap { row in (0..<width).map { $0 == row ? Float(1) : 0 } }
        let model = net([width], [.dense(units: width, bias: false), .dropout(rate: rate, scaling: scaling)], .meanSquaredError)
        return try SingleLeaf(model, rows, weights: block(identity), seed: 12)
    }

    static func rows(_ width: Int, _ value: (Int) -> Float, count: Int) -> Rows {
        Rows(features: (0..<width * count).map { value($0 % width) }, targets: [Float](repeating: 0, count: width * count), count: count)
    }

    /// Residual blocks lie inside one another.
    @Test func dropoutInsideBlocksIsFoundAndSwitchedOff() {
        func block(_ layers: LayerKind...) -> LayerKind { .residual(layers.map { LayerSpecification($0) }) }
        let classic = LayerKind.dropout(rate: 0.3, scaling: .classic)
        let model = net([4], [block(.dense(units: 4), block(.relu, classic)), .dropout(rate: 0.5), .dense(units: 2)])
        #expect(model.dropoutScalings == [.classic, .inverted])
        let none = LayerKind.dropout(rate: 0, scaling: .classic)
        #expect(model.withoutDropout == net([4], [block(.dense(units: 4), block(.relu, none)), .dropout(rate: 0), .dense(units: 2)]))
        #expect(net([4], [block(.dense(units: 4), .relu), .dense(units: 2)]).dropoutScalings.isEmpty)
    }

    /// For x = 1…10 and p = 0.4 every output is 0 or x / 0.6; inference does nothing.
    @Test func invertedDropoutScalesSurvivors() throws {
        let leaf = try Self.passing(10, rate: 0.4, scaling: .inverted, rows: Self.rows(10, { Float($0 + 1) }, count: 50))
        _ = try leaf.gradient(step: 4)
        let outputs = values(leaf.engine.outputs(slot: 0, rows: 50))
        for (index, y) in outputs.enumerated() {
            let x = Float(index % 10 + 1)
            #expect(y == 0 || y == x * Float(1 / 0.6))
        }
        #expect(outputs.contains(0) && outputs.contains { $0 > 0 })
        #expect(leaf.evaluate().0 == (0..<500).map { Float($0 % 10 + 1) })
    }

    @Test func classicDropoutScalesInference() throws {
        let leaf = try Self.passing(10, rate: 0.4, scaling: .classic, rows: Self.rows(10, { Float($0 + 1) }, count: 50))
        _ = try leaf.gradient(step: 4)
        for (index, y) in values(leaf.engine.outputs(slot: 0, rows: 50)).enumerated() {
            #expect(y == 0 || y == Float(index % 10 + 1))
        }
        #expect(leaf.evaluate().0 == (0..<500).map { Float($0 % 10 + 1) * Float(1 - 0.4) })
    }

    /// Six standard errors of a share of dropped units: one false alarm in 10⁹ seeds, and the seed is fixed.
    @Test(arguments: [0.1, 0.5, 0.9])
    func theRateIsMet(rate: Double) throws {
        let width = 256, count = 200
        let leaf = try Self.passing(width, rate: rate, scaling: .inverted, rows: Self.rows(width, { _ in 1 }, count: count))
        var dropped = 0, total = 0
        for step in 0..<4 {
            _ = try leaf.gradient(step: UInt64(step))
            let outputs = values(leaf.engine.outputs(slot: 0, rows: count))
            dropped += outputs.count { $0 == 0 }
            total += outputs.count
        }
        let error = (rate * (1 - rate) / Double(total)).squareRoot()
        #expect(abs(Double(dropped) / Double(total) - rate) <= 6 * error)
    }

    /// Each variant's inference output is its own training expectation.
    @Test(arguments: [DropoutScaling.inverted, .classic])
    func theMeanOverMasksIsTheInferenceOutput(scaling: DropoutScaling) throws {
        let width = 8, count = 100, steps = 100, rate = 0.3
        let leaf = try Self.passing(width, rate: rate, scaling: scaling, rows: Self.rows(width, { Float($0 + 1) }, count: count))
        var sums = [Double](repeating: 0, count: width)
        for step in 0..<steps {
            _ = try leaf.gradient(step: UInt64(step))
            for (index, y) in values(leaf.engine.outputs(slot: 0, rows: count)).enumerated() { sums[index % width] += Double(y) }
        }
        let inference = leaf.evaluate().0
        for unit in 0..<width {
            let mean = sums[unit] / Double(count * steps), expected = Double(inference[unit])
            let spread = expected * (rate / (1 - rate) / Double(count * steps)).squareRoot()
            #expect(abs(mean - expected) <= 6 * spread)
        }
    }

    @Test func rateZeroChangesNothing() throws {
        let rows = Self.rows(6, { Float($0) - 2 }, count: 3)
        let leaf = try Self.passing(6, rate: 0, scaling: .inverted, rows: rows)
        _ = try leaf.gradient()
        #expect(values(leaf.engine.outputs(slot: 0, rows: 3)) == rows.features)
    }
}
