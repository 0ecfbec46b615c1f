import Testing
import Training
import Wire

/// A parameter server's session with its coordinator, in virtual time.
@Suite struct ServerSessionTests {
    private static let welcome = ServerWelcome(
        session: 7, runID: "run", incarnation: 1, heartbeatMilliseconds: 1_000, token: 1, assignment: "")

    /// Active since time 0.
    private func session() -> ServerSession {
        var session = ServerSession(patience: .seconds(600))
        _ = session.handle(.start, now: .zero)
        _ = session.handle(.message(.serve(Self.welcome)), now: .zero)
        return session
    }

    private func seeks(_ effects: [ServerSession.Effect]) -> Bool {
        effects.contains { if case .sayHello = $0 { true } else { false } }
    }

    @Test func aSilentCoordinatorIsLookedForAgain() {
        var session = session()
        for tick in 1..<50 { #expect(!seeks(session.handle(.tick(step: 0), now: .milliseconds(100 * tick)))) }
        #expect(seeks(session.handle(.tick(step: 0), now: .seconds(5))))
    }

    /// A host that was stopped for a while: the coordinator's answers lie in the socket.
    @Test func whatItSleptThroughWasNobodysSilence() {
        var session = session()
        for tick in 1..<20 { _ = session.handle(.tick(step: 0), now: .milliseconds(100 * tick)) }
        #expect(!seeks(session.handle(.tick(step: 0), now: .seconds(60))))
        for tick in 1..<30 { #expect(!seeks(session.handle(.tick(step: 0), now: .seconds(60) + .milliseconds(100 * tick)))) }
        let later = (30..<50).contains { seeks(session.handle(.tick(step: 0), now: .seconds(60) + .milliseconds(100 * $0))) }
        #expect(later, "from then on it counts again")
    }
}
