public import Wire

/// A parameter server's side of the control conversation as a pure state machine: hello, its part of a run, the search for a lost
/// coordinator. What it holds of a run ends with the session: the next one brings the state of a checkpoint.
public struct ServerSession: Sendable {
    public enum Event: Sendable {
        case start
        case message(CoordinatorMessage)
        /// It can't go on with this session: its sockets or its coordinator's messages are of no use.
        case failed(error: String)
        /// SIGTERM or Ctrl-C.
        case interrupted
        case tick(step: UInt64)
    }

    public enum Effect: Equatable, Sendable {
        /// A new connection.
        case connect
        case sayHello
        case send(WorkerMessage)
        case serve(ServerWelcome)
        case sessions([ServedSession])
        case allowed([String])
        /// The session is over: nothing of its run is kept.
        case abandon
        case notice(String)
        case exit(code: Int32, message: String)
    }

    private enum State: Equatable, Sendable {
        case idle
        case seeking(since: Duration, nextHello: Duration, wait: Duration)
        case active(session: UInt64)
        case over
    }

    private let patience: Duration
    private var state = State.idle
    private var heartbeat = Duration.seconds(1)
    private var lastHeard = Duration.zero
    private var nextHeartbeat = Duration.zero
    private var lastTick: Duration?
    /// The newest start of a run that this server has taken part in.
    private var followed: (runID: String, incarnation: UInt32)?

    /// - Parameter patience: how long a coordinator that does not answer is looked for.
    public init(patience: Duration) {
        self.patience = patience
    }

    public mutating func handle(_ event: Event, now: Duration) -> [Effect] {
        guard state != .over else { return [] }
        switch event {
        case .start:
            seekFrom(now)
            return [.connect, .sayHello]
        case .message(let message):
            lastHeard = now
            return received(message, now: now)
        case .failed(let error):
            guard case .active(let session) = state else { return [] }
            return [.send(.failed(session: session, error: error))] + seek(because: error, now: now)
        case .interrupted:
            let farewell: [Effect] =
                if case .active(let session) = state { [.send(.leaving(session: session, reason: "stopped by a signal"))] } else { [] }
            state = .over
            return farewell + [.abandon, .exit(code: 0, message: "stopped by a signal")]
        case .tick(let step): return ticked(step: step, now: now)
        }
    }

    private mutating func seekFrom(_ now: Duration) {
        state = .seeking(since: now, nextHello: now + WorkerSession.firstWait, wait: WorkerSession.firstWait)
    }

    private mutating func seek(because reason: String, now: Duration) -> [Effect] {
        seekFrom(now)
        return [.abandon, .notice("\(reason); saying hello again"), .connect, .sayHello]
    }

    private mutating func received(_ message: CoordinatorMessage, now: Duration) -> [Effect] {
        switch (state, message) {
        case (.seeking, .serve(let welcome)):
            if let followed, followed.runID == welcome.runID, welcome.incarnation < followed.incarnation {
                return [.notice("start \(welcome.incarnation) of the run is over; looking for the newer coordinator")]
            }
            followed = (welcome.runID, welcome.incarnation)
            state = .active(session: welcome.session)
            heartbeat = max(.milliseconds(1), .milliseconds(welcome.heartbeatMilliseconds))
            nextHeartbeat = now + heartbeat
            return [.serve(welcome)]
        case (.active, .sessions(let sessions)): return [.sessions(sessions)]
        case (_, .allowed(let keys)): return [.allowed(keys)]
        case (.active, .unknownSession): return seek(because: "the coordinator does not know this session", now: now)
        case (_, .refused(let refusal)):
            state = .over
            return [.abandon, .exit(code: 3, message: "refused by the coordinator: \(refusal)")]
        case (_, .finished(let outcome)):
            state = .over
            return [.abandon, .exit(code: 0, message: "the run is over: \(outcome)")]
        case (_, .welcome), (_, .serve), (_, .sessions), (_, .lease), (_, .evaluate), (_, .heartbeat), (_, .unknownSession): return []
        }
    }

    /// While this server did not get to look, nobody was silent: what was said may lie in its sockets.
    private mutating func forgiveOwnPause(now: Duration) {
        if let lastTick { lastHeard = min(now, lastHeard + CoordinatorLimits.ownPause(since: lastTick, now: now)) }
        lastTick = now
    }

    private mutating func ticked(step: UInt64, now: Duration) -> [Effect] {
        forgiveOwnPause(now: now)
        switch state {
        case .idle, .over: return []
        case .seeking(let since, let nextHello, let wait):
            if now - since >= patience {
                state = .over
                return [.exit(code: 1, message: "no coordinator answered for \(Wording.seconds(patience))")]
            }
            guard now >= nextHello else { return [] }
            let longer = min(wait * 2, WorkerSession.longestWait)
            state = .seeking(since: since, nextHello: now + longer, wait: longer)
            return [.connect, .sayHello]
        case .active(let session):
            if now - lastHeard >= heartbeat * CoordinatorLimits.missedHeartbeats {
                return seek(because: "nothing heard from the coordinator for \(Wording.seconds(now - lastHeard))", now: now)
            }
            guard now >= nextHeartbeat else { return [] }
            nextHeartbeat = now + heartbeat
            return [.send(.heartbeat(session: session, step: step, leafMicroseconds: nil))]
        }
    }
}
