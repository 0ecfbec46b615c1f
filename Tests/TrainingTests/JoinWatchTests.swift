import Testing

@testable import Training

@Suite struct JoinWatchTests {
    private func run(_ watch: inout JoinWatch, _ count: Int, _ milliseconds: Int) -> [JoinWatch.Slowdown] {
        (0..<count).compactMap { _ in watch.stepCompleted(in: .milliseconds(milliseconds)) }
    }

    @Test func aWorkerThatMakesStepsLongerIsToldOfOnce() {
        var watch = JoinWatch()
        #expect(run(&watch, JoinWatch.window, 10).isEmpty)
        watch.grew(from: 1, to: 2)
        let told = run(&watch, 10 * JoinWatch.window, 15)
        #expect(
            told == [JoinWatch.Slowdown(workersBefore: 1, workers: 2, before: .milliseconds(10), after: .milliseconds(15))])
    }

    @Test(arguments: [5, 10])
    func aWorkerThatDoesNotIsNot(after: Int) {
        var watch = JoinWatch()
        _ = run(&watch, JoinWatch.window, 10)
        watch.grew(from: 1, to: 2)
        #expect(run(&watch, 10 * JoinWatch.window, after).isEmpty)
    }

    @Test func theStepsInWhichRowsStillTravelDoNotCount() {
        var watch = JoinWatch()
        _ = run(&watch, JoinWatch.window, 10)
        watch.grew(from: 2, to: 3)
        #expect(run(&watch, JoinWatch.settling, 500).isEmpty)
        #expect(run(&watch, JoinWatch.window, 10).isEmpty)
    }

    @Test func nothingIsComparedWithTooFewSteps() {
        var watch = JoinWatch()
        _ = run(&watch, JoinWatch.window - 1, 10)
        watch.grew(from: 1, to: 2)
        #expect(run(&watch, 10 * JoinWatch.window, 50).isEmpty)
    }

    @Test func whoLeavesEndsTheComparison() {
        var watch = JoinWatch()
        _ = run(&watch, JoinWatch.window, 10)
        watch.grew(from: 1, to: 2)
        watch.changed()
        #expect(run(&watch, 10 * JoinWatch.window, 50).isEmpty)
    }

    @Test func severalWhoComeAreComparedWithTheStepsBeforeThemAll() {
        var watch = JoinWatch()
        _ = run(&watch, JoinWatch.window, 10)
        watch.grew(from: 1, to: 2)
        _ = run(&watch, 5, 12)
        watch.grew(from: 2, to: 3)
        #expect(run(&watch, 10 * JoinWatch.window, 12).map(\.workersBefore) == [1])
    }

    @Test func theWarningNamesBothTimes() {
        let slowdown = JoinWatch.Slowdown(workersBefore: 2, workers: 3, before: .microseconds(6_040), after: .milliseconds(12))
        #expect(slowdown.text.hasPrefix("with 3 workers a step takes 12.0 ms, with 2 it took 6.0 ms"))
    }
}
