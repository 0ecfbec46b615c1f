import Testing

@testable import Training

@Suite struct EarlyStoppingStateTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var policy: EarlyStoppingPolicy?
        var values: [Double]
        /// Epochs at which the figure was the best.
        var improved: [Int]
        var stopsAt: Int?
        var reason: String?
        var best: Int?

        init(
            _ description: String, _ policy: EarlyStoppingPolicy?, _ values: [Double], improved: [Int], stopsAt: Int? = nil,
            reason: String? = nil, best: Int?
        ) {
            testDescription = description
            self.policy = policy
            self.values = values
            self.improved = improved
            self.stopsAt = stopsAt
            self.reason = reason
            self.best = best
        }
    }

    static let cases = [
        Case("without a policy nothing stops", nil, [3, 2, 9, 9, 9, 9, 1], improved: [1, 2, 7], best: 7),
        Case(
            "patience counts validations in a row", .init(patience: 2), [3, 2, 2.5, 1, 1.5, 1.2], improved: [1, 2, 4], stopsAt: 6,
            reason: "validation_loss has not improved for 2 validations", best: 4),
        Case(
            "patience 1 stops at the first that is no better", .init(patience: 1), [3, 3], improved: [1], stopsAt: 2,
            reason: "validation_loss has not improved at the last validation", best: 1),
        Case("equal is no gain", .init(patience: 2), [3, 3, 3], improved: [1], stopsAt: 3, best: 1),
        Case("a gain of min_delta itself is none", .init(patience: 2, minimumDelta: 1), [3, 2, 2], improved: [1], stopsAt: 3, best: 1),
        Case(
            "small gains add up from the best", .init(patience: 3, minimumDelta: 1), [3, 2.5, 1.9], improved: [1, 3], best: 3),
        Case(
            "accuracy is to rise", .init(monitor: .validationAccuracy, patience: 2), [0.5, 0.6, 0.4, 0.6], improved: [1, 2], stopsAt: 4,
            reason: "validation_accuracy has not improved for 2 validations", best: 2),
        Case(
            "epochs before start_epoch are not looked at", .init(patience: 2, startEpoch: 3), [1, 1, 5, 4, 6], improved: [3, 4], best: 4),
        Case(
            "nor do they use up patience", .init(patience: 2, startEpoch: 3), [1, 9, 9, 9, 9], improved: [3], stopsAt: 5, best: 3),
        Case("nor do they reach stop_at", .init(startEpoch: 2, stopAt: 1), [0.5, 3], improved: [2], best: 2),
        Case(
            "stop_at is reached by what is equal", .init(stopAt: 1), [3, 1], improved: [1, 2], stopsAt: 2,
            reason: "validation_loss reached 1.0, stop_at is 1.0", best: 2),
        Case("what reaches stop_at is the best", .init(minimumDelta: 0.5, stopAt: 1), [1.2, 0.9], improved: [1, 2], stopsAt: 2, best: 2),
        Case(
            "an accuracy reaches stop_at from below", .init(monitor: .validationAccuracy, stopAt: 0.9), [0.5, 0.95], improved: [1, 2],
            stopsAt: 2, best: 2),
        Case("not a number is never a gain", .init(patience: 3), [.nan, 3, .nan, .nan, .nan], improved: [2], stopsAt: 5, best: 2),
        Case("nor is infinity", .init(patience: 2), [.infinity, .infinity], improved: [], stopsAt: 2, best: nil),
        Case(
            "nor does a wild figure reach stop_at", .init(monitor: .validationAccuracy, patience: 9, stopAt: 0.9), [.nan, .infinity],
            improved: [], best: nil),
    ]

    @Test(arguments: cases)
    func verdictsFollowTheDefinition(_ example: Case) {
        var state = EarlyStoppingState()
        var improved: [Int] = []
        var stoppedAt: Int?
        for (index, value) in example.values.enumerated() where stoppedAt == nil {
            let epoch = index + 1
            switch state.observe(value: value, step: UInt64(epoch * 10), epoch: epoch, policy: example.policy) {
            case .improved: improved.append(epoch)
            case .notImproved: break
            case .stop(let reason, let gained):
                if gained { improved.append(epoch) }
                stoppedAt = epoch
                #expect(reason == state.stopReason)
            }
            #expect(state.judgedStep == UInt64(epoch * 10))
        }
        #expect(improved == example.improved)
        #expect(stoppedAt == example.stopsAt)
        if let reason = example.reason { #expect(state.stopReason == reason) }
        #expect(state.best?.epoch == example.best)
        #expect(state.best?.step == example.best.map { UInt64($0 * 10) })
        #expect((state.stopReason == nil) == (example.stopsAt == nil))
    }

    @Test func passingABarrierIsNoVerdict() {
        var state = EarlyStoppingState()
        state.passed(step: 7)
        #expect(state.judgedStep == 7 && state.best == nil && state.validationsWithoutGain == 0)
    }
}
