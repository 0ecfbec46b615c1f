import Testing
import Wire

@testable import Training

@Suite struct WorkerSessionTests {
    private static let lease = Lease(sequence: 1, shards: [0], step: 3, until: 9)
    private static let order = Evaluation(number: 1, version: 3, parts: [.sample], shards: [0])

    private static func seeking(patience: Duration = .seconds(60)) -> WorkerSession {
        var session = WorkerSession(patience: patience)
        #expect(session.handle(.start, now: .zero) == [.connect, .sayHello])
        return session
    }

    private static func active(session number: UInt64 = 5, patience: Duration = .seconds(60)) -> WorkerSession {
        var session = seeking(patience: patience)
        let welcome = Welcome.sample(session: number)
        #expect(session.handle(.message(.welcome(welcome)), now: .zero) == [.build(welcome)])
        #expect(session.handle(.built(session: number, leafClass: "c"), now: .zero) == [.send(.ready(session: number, leafClass: "c"))])
        return session
    }

    /// Ticks every 100 ms until `end`; what they brought about, and when.
    private static func ticks(_ session: inout WorkerSession, from start: Duration = .zero, to end: Duration) -> [(
        at: Duration, effects: [WorkerSession.Effect]
    )] {
        var found: [(at: Duration, effects: [WorkerSession.Effect])] = []
        var now = start
        while now < end {
            now += CoordinatorLimits.tick
            let effects = session.handle(.tick(step: 7), now: now)
            if !effects.isEmpty { found.append((now, effects)) }
        }
        return found
    }

    @Test func ordersGoThroughInAnActiveSession() {
        var session = Self.active()
        #expect(session.handle(.message(.lease(Self.lease)), now: .seconds(1)) == [.lease(Self.lease)])
        #expect(session.handle(.leaseTaken(session: 5, sequence: 1), now: .seconds(1)) == [.send(.leaseTaken(session: 5, sequence: 1))])
        #expect(session.handle(.message(.evaluate(Self.order)), now: .seconds(1)) == [.evaluate(Self.order)])
        #expect(session.handle(.message(.heartbeat), now: .seconds(1)) == [])
    }

    @Test func helloesAreRepeatedEverMoreSlowlyUntilPatienceIsOver() {
        var session = Self.seeking(patience: .seconds(20))
        let found = Self.ticks(&session, to: .seconds(30))
        #expect(found.dropLast().map(\.at) == [500, 1_500, 3_500, 7_500, 12_500, 17_500].map { .milliseconds($0) })
        #expect(found.dropLast().allSatisfy { $0.effects == [.connect, .sayHello] })
        #expect(found.last?.at == .seconds(20))
        #expect(found.last?.effects == [.exit(code: 1, message: "no coordinator answered for 20 s")])
    }

    @Test func heartbeatsTellTheStepWhileBuildingAndWorking() {
        var session = Self.seeking()
        _ = session.handle(.message(.welcome(.sample(session: 5))), now: .zero)
        let found = Self.ticks(&session, to: .milliseconds(3_000))
        #expect(found.map(\.at) == [1, 2, 3].map { .seconds($0) })
        #expect(found.allSatisfy { $0.effects == [.send(.heartbeat(session: 5, step: 7))] })
    }

    @Test func aSilentCoordinatorIsLookedForAgainAndNothingIsComputedMeanwhile() throws {
        var session = Self.active(patience: .seconds(10))
        let found = Self.ticks(&session, to: .seconds(20)).filter { !$0.effects.contains(.send(.heartbeat(session: 5, step: 7))) }
        let lost = try #require(found.first)
        #expect(lost.at == .seconds(5))
        #expect(lost.effects == [.pause, .notice("nothing heard from the coordinator for 5 s; saying hello again"), .connect, .sayHello])
        #expect(found.last?.at == .seconds(15))  // patience counts from then
        #expect(found.last?.effects == [.exit(code: 1, message: "no coordinator answered for 10 s")])
    }

    @Test func anythingHeardIsASignOfLife() {
        var session = Self.active()
        for second in 1...20 {
            _ = session.handle(.message(.heartbeat), now: .seconds(second))
            #expect(session.handle(.tick(step: 1), now: .seconds(second)) == [.send(.heartbeat(session: 5, step: 1))])
        }
    }

    @Test(arguments: [true, false])
    func anUnknownSessionBeginsAnew(isBuilt: Bool) {
        var session = Self.seeking()
        _ = session.handle(.message(.welcome(.sample(session: 5))), now: .zero)
        if isBuilt { _ = session.handle(.built(session: 5, leafClass: "c"), now: .zero) }
        let effects = session.handle(.message(.unknownSession), now: .seconds(1))
        #expect(effects == [.pause, .notice("the coordinator does not know this session; saying hello again"), .connect, .sayHello])
        #expect(session.handle(.message(.unknownSession), now: .seconds(1)) == [])
        let welcome = Welcome.sample(session: 6)
        #expect(session.handle(.message(.welcome(welcome)), now: .seconds(1)) == [.build(welcome)])
        // What belongs to the former session is of no interest.
        #expect(session.handle(.built(session: 5, leafClass: "c"), now: .seconds(1)) == [])
        #expect(session.handle(.leaseTaken(session: 5, sequence: 1), now: .seconds(1)) == [])
    }

    @Test func ordersBeforeTheNetIsBuiltAreIgnored() {
        var session = Self.seeking()
        _ = session.handle(.message(.welcome(.sample(session: 5))), now: .zero)
        #expect(session.handle(.message(.lease(Self.lease)), now: .zero) == [])
        #expect(session.handle(.message(.evaluate(Self.order)), now: .zero) == [])
        #expect(session.handle(.message(.welcome(.sample(session: 6))), now: .zero) == [])
    }

    @Test(arguments: ["seeking", "building", "active"])
    func aRefusalSaysWhyAndEndsWithThree(stage: String) {
        var session = Self.seeking()
        if stage != "seeking" { _ = session.handle(.message(.welcome(.sample(session: 5))), now: .zero) }
        if stage == "active" { _ = session.handle(.built(session: 5, leafClass: "c"), now: .zero) }
        let refusal = Refusal(subject: "leaf class", theirs: "a", ours: "b", advice: "do this")
        let effects = session.handle(.message(.refused(refusal)), now: .zero)
        #expect(
            effects == [.exit(code: 3, message: "refused by the coordinator: leaf class: the worker has a, the run has b; do this")])
    }

    @Test(arguments: [
        (Welcome.sample(session: 6, run: "run2"), "run: the worker has run, the coordinator has run2; start the worker anew to take part"),
        (.sample(session: 6, data: "data2"), "data: the worker has data, the run has data2; start the worker anew to take part"),
    ])
    func aWorkerDoesNotChangeRuns(welcome: Welcome, text: String) {
        var session = Self.active()
        _ = session.handle(.message(.unknownSession), now: .zero)
        let effects = session.handle(.message(.welcome(welcome)), now: .zero)
        #expect(effects == [.send(.leaving(session: 6, reason: text)), .exit(code: 3, message: text)])
    }

    @Test func theEndOfTheRunIsAGoodEnd() {
        var session = Self.active()
        #expect(
            session.handle(.message(.finished(outcome: "completed")), now: .zero) == [.exit(code: 0, message: "the run is over: completed")]
        )
    }

    private static let exit = WorkerSession.Effect.exit(code: 0, message: "stopped by a signal")
    private static let goodbye = [WorkerSession.Effect.send(.leaving(session: 5, reason: "stopped by a signal"))]

    @Test func whoIsStoppedFinishesItsLeavesAndSaysGoodbye() {
        var session = Self.active()
        #expect(session.handle(.interrupted, now: .zero) == [.retire])
        // It lives until then, but takes nothing on.
        #expect(session.handle(.message(.lease(Self.lease)), now: .seconds(1)) == [])
        #expect(session.handle(.message(.evaluate(Self.order)), now: .seconds(1)) == [])
        #expect(session.handle(.tick(step: 7), now: .seconds(1)) == [.send(.heartbeat(session: 5, step: 7))])
        #expect(session.handle(.retired, now: .seconds(2)) == Self.goodbye)
        // While it is not released it keeps its connection.
        #expect(session.handle(.retired, now: .seconds(2)) == [])
        #expect(session.handle(.message(.heartbeat), now: .seconds(2)) == [])
        #expect(session.handle(.tick(step: 7), now: .milliseconds(2_900)) == [])
        #expect(session.handle(.message(.finished(outcome: "released")), now: .milliseconds(2_900)) == [Self.exit])
    }

    @Test func whoIsNotReleasedGoesAnyway() {
        var session = Self.active()
        _ = session.handle(.interrupted, now: .zero)
        _ = session.handle(.retired, now: .zero)
        #expect(session.handle(.tick(step: 7), now: .seconds(1)) == [Self.exit])
    }

    @Test func whoDoesNotGetDoneWithItsLeavesGoesAnyway() {
        var session = Self.active()
        _ = session.handle(.interrupted, now: .zero)
        let found = Self.ticks(&session, to: .seconds(20)).filter { $0.effects != [.send(.heartbeat(session: 5, step: 7))] }
        #expect(found.map(\.at) == [.seconds(10), .seconds(11)])
        #expect(found.map(\.effects) == [Self.goodbye, [Self.exit]])
    }

    @Test func aSecondSignalIsNotToBeArguedWith() {
        var session = Self.active()
        _ = session.handle(.interrupted, now: .zero)
        #expect(session.handle(.interrupted, now: .zero) == Self.goodbye)
        #expect(session.handle(.interrupted, now: .zero) == [Self.exit])
    }

    @Test func whoHasNothingToFinishGoesAtOnce() {
        var building = Self.seeking()
        _ = building.handle(.message(.welcome(.sample(session: 5))), now: .zero)
        #expect(building.handle(.interrupted, now: .zero) == Self.goodbye)
        var seeking = Self.seeking()
        #expect(seeking.handle(.interrupted, now: .zero) == [Self.exit])
        var forgotten = Self.active()
        _ = forgotten.handle(.interrupted, now: .zero)
        #expect(forgotten.handle(.message(.unknownSession), now: .zero) == [Self.exit])
    }

    // MARK: Starts of a run

    @Test func aCoordinatorThatIsOverIsNotServed() {
        var session = Self.seeking()
        _ = session.handle(.message(.welcome(.sample(session: 5, incarnation: 3))), now: .zero)
        _ = session.handle(.message(.unknownSession), now: .zero)
        let text = "start 2 of the run is over: this worker has taken part in start 3"
        #expect(
            session.handle(.message(.welcome(.sample(session: 6, incarnation: 2))), now: .zero) == [
                .send(.leaving(session: 6, reason: text)), .notice("\(text); looking for the newer coordinator"), .connect,
            ])
        // It looks on, and its patience runs from when it began to.
        #expect(session.handle(.tick(step: 0), now: .seconds(1)) == [.connect, .sayHello])
        let welcome = Welcome.sample(session: 7, incarnation: 4)
        #expect(session.handle(.message(.welcome(welcome)), now: .seconds(1)) == [.build(welcome)])
    }

    @Test func aRunThatWasBegunAnewIsServedWhateverItsNumber() {
        var session = Self.seeking()
        _ = session.handle(.message(.welcome(.sample(session: 5, runID: "first", incarnation: 3))), now: .zero)
        _ = session.handle(.message(.unknownSession), now: .zero)
        let welcome = Welcome.sample(session: 6, runID: "second", incarnation: 1)
        #expect(session.handle(.message(.welcome(welcome)), now: .zero) == [.build(welcome)])
    }

    @Test func aFailureIsReportedBeforeTheEnd() {
        var session = Self.active()
        #expect(
            session.handle(.computeFailed(error: "no memory"), now: .zero)
                == [.send(.failed(session: 5, error: "no memory")), .exit(code: 1, message: "no memory")])
    }

    @Test func theFirstExitIsTheOneThatCounts() {
        var session = Self.active()
        _ = session.handle(.message(.finished(outcome: "completed")), now: .zero)
        #expect(session.handle(.computeFailed(error: "the connection is gone"), now: .zero) == [])
        #expect(session.handle(.interrupted, now: .zero) == [])
        #expect(session.handle(.message(.welcome(.sample(session: 9))), now: .zero) == [])
        #expect(session.handle(.tick(step: 0), now: .seconds(1_000)) == [])
    }
}
