import Testing

@testable import Diagnosis

@Suite struct ComparisonTests {
    private func deep(_ layers: Int, _ change: (inout SampleRun) -> Void) throws -> RunEvidence {
        try SampleRun.with {
            $0.widths = Array(repeating: 64, count: layers - 1) + [10]
            $0.gradients = Array(repeating: 0.4, count: layers)
            $0.weights = Array(repeating: 11, count: layers)
            $0.updates = Array(repeating: 1e-3, count: layers)
            change(&$0)
        }.evidence
    }

    @Test func aDeeperNetThatIsWorseOnTrainingDataIsNotOverfitting() throws {
        let shallow = try deep(20) {
            $0.accuracy = 0.97; $0.heldOut = 0.94
        }
        let deeper = try deep(56) {
            $0.accuracy = 0.83
            $0.heldOut = 0.75
            $0.losses = [2.3, 2, 1.6, 1.4, 1.2, 1, 0.8, 0.6, 0.5]
        }
        let comparison = Comparison(a: shallow, b: deeper)
        #expect(comparison.conclusion == "b is worse on training data: not trained well, not overfitting")
        #expect(comparison.because.contains("56 layers can do all that 20 can: the other 36 could be the identity"))
        let swapped = Comparison(a: deeper, b: shallow)
        #expect(swapped.conclusion == "a is worse on training data: not trained well, not overfitting")
    }

    @Test func worseOnHeldOutDataAloneIsOverfitting() throws {
        let good = try SampleRun().evidence
        let overfitted = try SampleRun.with {
            $0.accuracy = 0.995; $0.heldOut = 0.85
        }.evidence
        let comparison = Comparison(a: overfitted, b: good)
        #expect(comparison.conclusion == "a is worse on held-out data and as good on training data: overfitting")
    }

    @Test func equalRunsDoNotDiffer() throws {
        let comparison = Comparison(a: try SampleRun().evidence, b: try SampleRun().evidence)
        #expect(comparison.conclusion == "no difference that counts")
    }

    @Test func twoRunsThatDoNotFitAreNotComparedOnOtherData() throws {
        let one = try SampleRun.stuck { $0.heldOut = 0.1 }.evidence
        let other = try SampleRun.stuck { $0.heldOut = 0.3 }.evidence
        #expect(Comparison(a: one, b: other).conclusion == "neither fits its training data")
    }

    @Test func aFailedRunIsTheWorseOne() throws {
        let failed = try SampleRun.with {
            $0.losses = []; $0.error = RuleTests.notFinite
        }.evidence
        #expect(Comparison(a: failed, b: try SampleRun().evidence).conclusion.hasPrefix("a is worse on training data"))
    }
}
