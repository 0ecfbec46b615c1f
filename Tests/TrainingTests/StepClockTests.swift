import Testing

@testable import Training

@Suite struct StepClockTests {
    private static func clock(_ seconds: [Int]) -> (StepClock, end: Duration) {
        var clock = StepClock()
        var now = Duration.zero
        clock.restart(at: now)
        for step in seconds {
            now += .seconds(step)
            clock.stepCompleted(at: now)
        }
        return (clock, now)
    }

    @Test(arguments: [([], nil), ([3], 3), ([1, 300], 1), ([300, 1], 1), ([5, 1, 2], 2), ([4, 1, 3, 2], 2)])
    func theMedianIsTheLowerOne(seconds: [Int], expected: Int?) {
        #expect(Self.clock(seconds).0.median == expected.map { .seconds($0) })
    }

    @Test func onlyRecentStepsCount() {
        #expect(Self.clock(Array(repeating: 9, count: 100) + Array(repeating: 1, count: 65)).0.median == .seconds(1))
    }

    @Test func aDisturbedStepIsBetterThanNothing() {
        var clock = StepClock()
        clock.disturb()
        clock.stepCompleted(at: .seconds(9))
        #expect(clock.median == .seconds(9))
    }

    @Test func pausesAndDisturbedStepsDoNotCount() {
        var (clock, now) = Self.clock([2])
        clock.restart(at: now + .seconds(100))
        clock.stepCompleted(at: now + .seconds(102))
        clock.disturb()
        clock.stepCompleted(at: now + .seconds(500))
        clock.stepCompleted(at: now + .seconds(502))
        #expect(clock.median == .seconds(2))
        now += .seconds(512)
        clock.shift(by: .seconds(8), until: now)
        clock.stepCompleted(at: now)
        #expect(clock.median == .seconds(2))
        clock.shift(by: .seconds(8), until: now)
        #expect(clock.stepBegan == now)
    }
}
