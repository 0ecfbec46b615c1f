import Foundation
import Kernels
import NeuralNet
import Testing

@Suite struct InitializerTests {
    struct Law: CustomTestStringConvertible {
        var initializer: InitializerSpecification?
        var activation: LayerKind
        var variance: Double
        /// Uniform laws have a bound of √3 deviations.
        var isUniform: Bool
        var testDescription: String { "\(initializer.map { "\($0)" } ?? "automatic") before \(activation.keyword)" }
    }

    static let inputs = 120, units = 80
    static let laws = [
        Law(initializer: .heNormal, activation: .tanh, variance: 2 / 120.0, isUniform: false),
        Law(initializer: .heUniform, activation: .tanh, variance: 2 / 120.0, isUniform: true),
        Law(initializer: .xavierNormal, activation: .relu, variance: 2 / 200.0, isUniform: false),
        Law(initializer: .xavierUniform, activation: .relu, variance: 2 / 200.0, isUniform: true),
        Law(initializer: .normal(standardDeviation: 0.7), activation: .relu, variance: 0.49, isUniform: false),
        Law(initializer: nil, activation: .relu, variance: 2 / 120.0, isUniform: false),
        Law(initializer: nil, activation: .leakyReLU(), variance: 2 / 120.0, isUniform: false),
        Law(initializer: nil, activation: .tanh, variance: 2 / 200.0, isUniform: true),
        Law(initializer: nil, activation: .sigmoid, variance: 2 / 200.0, isUniform: true),
    ]

    static func weights(_ law: Law, seed: UInt64 = 1) throws -> [Float] {
        let network = try Network(
            net([inputs], [.dense(units: units), .dropout(rate: 0.2), law.activation, .dense(units: 2)], initializer: law.initializer))
        let block = zeros(network.layout.count)
        block.mutableView.fill(.nan)
        network.initialize(into: block.mutableView, seed: seed)
        return values(block)
    }

    /// Six standard errors with a fixed seed; the fourth moment tells a normal from a uniform law.
    @Test(arguments: laws)
    func momentsAreThoseOfTheLaw(law: Law) throws {
        let w = try Self.weights(law)[..<(Self.inputs * Self.units)].map(Double.init)
        let n = Double(w.count), deviation = law.variance.squareRoot()
        let mean = w.reduce(0, +) / n
        let second = w.reduce(0) { $0 + $1 * $1 } / n / law.variance
        let fourth = w.reduce(0) { $0 + $1 * $1 * $1 * $1 } / n / (law.variance * law.variance)
        let kurtosis = law.isUniform ? 1.8 : 3.0
        #expect(abs(mean) <= 6 * deviation / n.squareRoot())
        #expect(abs(second - 1) <= 6 * ((kurtosis - 1) / n).squareRoot())
        #expect(abs(fourth - kurtosis) <= 6 * (96 / n).squareRoot())
        let largest = w.map { abs($0) }.max() ?? 0
        #expect(law.isUniform ? largest <= deviation * 3.0.squareRoot() : largest > 3.5 * deviation)
    }

    @Test func biasesStartAtTheirConstant() throws {
        let w = try Self.weights(Self.laws[0])
        #expect(w[(Self.inputs * Self.units)..<(Self.inputs * Self.units + Self.units)].allSatisfy { $0 == 0 })
        let network = try Network(net([2], [.dense(units: 3, biasInitializer: .constant(0.25))]))
        let block = zeros(network.layout.count)
        network.initialize(into: block.mutableView, seed: 1)
        #expect(values(block)[6...] == [0.25, 0.25, 0.25])
    }

    @Test func weightsAreAFunctionOfTheSeed() throws {
        let law = Self.laws[0]
        #expect(try Self.weights(law, seed: 1) == Self.weights(law, seed: 1))
        #expect(try Self.weights(law, seed: 1) != Self.weights(law, seed: 2))
    }

    /// Layers draw from streams of their own: equal shapes do not get equal weights.
    @Test func layersDiffer() throws {
        let network = try Network(net([10], [.dense(units: 10), .relu, .dense(units: 10), .relu, .dense(units: 10)]))
        let block = zeros(network.layout.count)
        network.initialize(into: block.mutableView, seed: 1)
        let parts = network.layout.entries.filter(\.isRegularized).map { values(block.view[$0.range]) }
        #expect(parts[0] != parts[1])
    }

    /// What every machine must draw. The bits are Python's: Philox in whole numbers, then `statistics.NormalDist().inv_cdf`.
    @Test func theFirstNormalWeightsHaveTheseBits() throws {
        let network = try Network(net([4], [.dense(units: 2)], initializer: .normal(standardDeviation: 1)))
        let block = zeros(network.layout.count)
        network.initialize(into: block.mutableView, seed: 42)
        #expect(
            bits(block)[..<8] == [
                3_208_703_742, 1_027_545_901, 1_073_364_647, 1_060_306_583, 3_212_288_125, 1_079_252_360, 1_014_480_582, 3_211_772_883,
            ])
    }
}
