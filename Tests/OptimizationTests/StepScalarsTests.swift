import Foundation
import Kernels
import Testing

@testable import Optimization

@Suite struct StepScalarsTests {
    /// Double arithmetic before one rounding to Float.
    private static let tolerance: Float = 2e-7
    private static let steps: [UInt64] = [1, 2, 5, 6, 7, 100, 12_345, 10_000_000]

    @Test(arguments: steps)
    func correctionsAreThoseOfTheFormulas(step: UInt64) throws {
        let adam = try scalars(.adam(beta1: 0.9, beta2: 0.999), step)
        expectEqual(adam.rate, 0.1 / (1 - pow(0.9, Double(step))))
        expectEqual(adam.rootScale, 1 / sqrt(1 - pow(0.999, Double(step))))
        let adagrad = try scalars(.adagrad(learningRate: 1, rateDecay: 0.01), step)
        expectEqual(adagrad.rate, 0.1 / (1 + Double(step - 1) * 0.01))
    }

    @Test(arguments: [0, 4e-3, 1.5, 1e5])
    func nadamsScheduleIsTheProductOfItsMomenta(decay: Double) throws {
        func momentum(_ step: Int) -> Double { 0.9 * (1 - 0.5 * pow(0.96, Double(step) * decay)) }
        for step in [1, 2, 10, 500, 20_000] {
            let product = (1...step).reduce(1.0) { $0 * momentum($1) }
            let nadam = try scalars(.nadam(momentumDecay: decay), UInt64(step))
            expectEqual(nadam.gradientRate, 0.1 * (1 - momentum(step)) / (1 - product))
            expectEqual(nadam.rate, 0.1 * momentum(step + 1) / (1 - product * momentum(step + 1)))
        }
    }

    @Test func radamIsRectifiedFromTheSixthStep() throws {
        #expect(try scalars(.radam(), 5).loop == .radamPlain)
        #expect(try scalars(.radam(), 6).loop == .radamRectified)
        let late = try scalars(.radam(), 1_000_000)
        expectEqual(late.rate, 0.1)
    }

    @Test func onlyRegularizedSegmentsDecay() throws {
        let updater = try Updater(rule: .adamw(weightDecay: 0.5), treatment: GradientTreatment(), segments: [])
        let scalars = updater.scalars(step: 3, learningRate: 0.1)
        #expect(scalars.plain.weightKeep == 1)
        #expect(scalars.regularized.weightKeep == 0.95)
    }

    private func scalars(_ rule: RuleSpecification, _ step: UInt64) throws -> RuleConstants {
        try Updater(rule: rule, treatment: GradientTreatment(), segments: []).scalars(step: step, learningRate: 0.1).plain
    }

    private func expectEqual(_ value: Float, _ exact: Double, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect((value - Float(exact)).magnitude <= Self.tolerance * Float(exact).magnitude, sourceLocation: sourceLocation)
    }
}
