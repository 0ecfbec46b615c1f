import Foundation
import Kernels
import Testing

@testable import Optimization

@Suite struct StepScalarsTests {
    /// Double arithmetic before one rounding to Float.
    private static let tolerance: Float = 2e-7
    private static let steps: [UInt64] = [1, 2, 5, 6, 7, 100, 12_345, 10_000_000]

    @Test(arguments: steps)
    func correctionsAreThoseOfTheFormulas(step: UInt64) {
        let adam = scalars(.adam(beta1: 0.9, beta2: 0.999), step)
        expectEqual(adam.rate, 0.1 / (1 - pow(0.9, Double(step))))
        expectEqual(adam.rootScale, 1 / sqrt(1 - pow(0.999, Double(step))))
        let adagrad = scalars(.adagrad(learningRate: 1, rateDecay: 0.01), step)
        expectEqual(adagrad.rate, 0.1 / (1 + Double(step - 1) * 0.01))
    }

    @Test(arguments: [0, 4e-3, 1.5, 1e5])
    func nadamsScheduleIsTheProductOfItsMomenta(decay: Double) {
        func momentum(_ step: Int) -> Double { 0.9 * (1 - 0.5 * pow(0.96, Double(step) * decay)) }
        for step in [1, 2, 10, 500, 20_000] {
            let product = (1...step).reduce(1.0) { $0 * momentum($1) }
            let nadam = scalars(.nadam(momentumDecay: decay), UInt64(step))
            expectEqual(nadam.gradientRate, 0.1 * (1 - momentum(step)) / (1 - product))
            expectEqual(nadam.rate, 0.1 * momentum(step + 1) / (1 - product * momentum(step + 1)))
        }
    }

    @Test func radamIsRectifiedFromTheSixthStep() {
        #expect(scalars(.radam(), 5).loop == .radamPlain)
        #expect(scalars(.radam(), 6).loop == .radamRectified)
        let late = scalars(.radam(), 1_000_000)
        expectEqual(late.rate, 0.1)
    }

    @Test func onlyRegularizedSegmentsDecay() throws {
        let segments = [UpdateSegment(range: 0..<1, isRegularized: false), UpdateSegment(range: 1..<2, isRegularized: true)]
        let updater = try Updater(rule: .adamw(weightDecay: 0.5), treatment: GradientTreatment(), segments: segments)
        #expect(updater.scalars(step: 3, learningRate: 0.1).constants.map(\.weightKeep) == [1, 0.95])
    }

    private func scalars(_ rule: RuleSpecification, _ step: UInt64) -> RuleConstants {
        rule.constants(step: step, rate: 0.1)
    }

    private func expectEqual(_ value: Float, _ exact: Double, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect((value - Float(exact)).magnitude <= Self.tolerance * Float(exact).magnitude, sourceLocation: sourceLocation)
    }
}
