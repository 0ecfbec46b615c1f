import NeuralNet
import Testing

/// Dropout by itself, without a net.
@Suite struct DropoutFunctionTests {
    static let x = (1...10).map { Float($0) }

    @Test func aGivenMaskDropsAndScales() throws {
        let mask = [1, 1, 1, 1, 0, 1, 1, 1, 0, 0].map { $0 == 1 }
        let y = try dropout(Self.x, level: 0.4, mask: mask)
        let expected: [Float] = [1.667, 3.333, 5, 6.667, 0, 10, 11.667, 13.333, 0, 0]
        #expect(y.map { ($0 * 1_000).rounded() / 1_000 } == expected)
        #expect(try dropout(Self.x, level: 0.4, mask: mask, scaling: .classic) == [1, 2, 3, 4, 0, 6, 7, 8, 0, 0])
    }

    @Test(arguments: [-0.1, 1, 1.5, .nan, .infinity])
    func aLevelOutsideItsRangeIsNamed(level: Double) {
        let error = #expect(throws: DropoutError.self) { try dropout(Self.x, level: level, seed: 1) }
        #expect(error?.description == "a dropout level must be at least 0 and less than 1, got \(level)")
        #expect(throws: DropoutError.self) { try dropout(Self.x, level: level, mask: [Bool](repeating: true, count: 10)) }
    }

    @Test func aMaskOfAnotherLengthIsRefused() {
        let error = #expect(throws: DropoutError.self) { try dropout(Self.x, level: 0.5, mask: [true]) }
        #expect(error?.description == "a dropout mask of 1 elements for 10 values")
        #expect(throws: DropoutError.self) { try dropout(Self.x, level: 0.5, seed: 1, layer: 1 << 24) }
        #expect(throws: DropoutError.self) { try dropout(Self.x, level: 0.5, seed: 1, layer: -1) }
    }

    @Test func aMadeMaskIsTheSeedsAndGivesItsValues() throws {
        let first = try dropout(Self.x, level: 0.4, seed: 3), again = try dropout(Self.x, level: 0.4, seed: 3)
        #expect(first.values == again.values && first.mask == again.mask)
        #expect(try dropout(Self.x, level: 0.4, mask: first.mask) == first.values)
        let many = [Float](repeating: 1, count: 1_000)
        #expect(try dropout(many, level: 0.4, seed: 3).mask != dropout(many, level: 0.4, seed: 4).mask)
        #expect(try dropout(many, level: 0.4, seed: 3).mask != dropout(many, level: 0.4, seed: 3, step: 1).mask)
        #expect(try dropout(many, level: 0, seed: 3).values == many)
    }

    /// E = (1 − p)·x/(1 − p) + p·0 = x, within six standard errors; every value is 0 or x/(1 − p).
    @Test(arguments: [0.1, 0.4, 0.9])
    func theExpectationIsTheInput(level: Double) throws {
        let count = 100_000
        let y = try dropout([Float](repeating: 1, count: count), level: level, seed: 17).values
        #expect(Set(y) == [0, Float(1 / (1 - level))])
        let mean = y.reduce(0) { $0 + Double($1) } / Double(count)
        #expect(abs(mean - 1) <= 6 * (level / (1 - level) / Double(count)).squareRoot())
    }

    @Test func theMaskIsThatOfANetsLayer() throws {
        let rows = DropoutTests.rows(10, { Float($0 + 1) }, count: 4)
        let leaf = try DropoutTests.passing(10, rate: 0.4, scaling: .inverted, rows: rows)
        _ = try leaf.gradient(step: 7)
        let expected = try (0..<4).flatMap { try dropout(Self.x, level: 0.4, seed: 12, layer: 1, step: 7, sample: UInt32($0)).values }
        #expect(values(leaf.engine.outputs(slot: 0, rows: 4)) == expected)
    }
}
