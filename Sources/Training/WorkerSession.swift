public import Wire

/// A worker's side of the control conversation as a pure state machine: hello, welcome, work, and the search for a lost coordinator.
public struct WorkerSession: Sendable {
    public enum Event: Sendable {
        case start
        case message(CoordinatorMessage)
        /// The compute thread has built the net of this session and knows its class.
        case built(session: UInt64, leafClass: String)
        case leaseTaken(session: UInt64, sequence: UInt64)
        case computeFailed(error: String)
        /// What was being computed when the worker was told to leave has been sent.
        case retired
        /// SIGTERM or Ctrl-C.
        case interrupted
        case tick(step: UInt64)
    }

    public enum Effect: Equatable, Sendable {
        /// A new connection: whatever the old one still holds is of no use.
        case connect
        case send(WorkerMessage)
        case sayHello
        case build(Welcome)
        case lease(Lease)
        case evaluate(Evaluation)
        /// Compute nothing until the next session.
        case pause
        /// Finish the leaves that are being computed, then nothing more.
        case retire
        case notice(String)
        case exit(code: Int32, message: String)
    }

    /// What must not change from session to session.
    struct Identity: Equatable, Sendable {
        var runSHA256: String
        var dataSHA256: String
    }

    enum State: Equatable, Sendable {
        case idle
        case seeking(since: Duration, nextHello: Duration, wait: Duration)
        case building(session: UInt64)
        case active(session: UInt64)
        /// Finishes its leaves before it goes.
        case leaving(session: UInt64, since: Duration)
        /// Has handed back its leases and waits to be released: a connection that is gone would look like a death.
        case parting(since: Duration)
        case over
    }

    /// Between two hellos; doubles up to the maximum while nobody answers.
    static let firstWait = Duration.milliseconds(500)
    static let longestWait = Duration.seconds(5)
    /// Whoever is told to leave may finish its leaves for so long.
    static let leaveAllowance = Duration.seconds(10)
    /// A coordinator that does not release it in this time will notice by itself.
    static let releaseAllowance = Duration.seconds(1)

    let patience: Duration
    var state = State.idle
    /// The run and data of the first session: the rows that this worker keeps are theirs.
    var identity: Identity?
    /// The newest start of a run that this worker has taken part in.
    var followed: (runID: String, incarnation: UInt32)?
    var heartbeat = Duration.seconds(1)
    var lastHeard = Duration.zero
    var nextHeartbeat = Duration.zero

    /// - Parameter patience: how long a coordinator that does not answer is looked for.
    public init(patience: Duration) {
        self.patience = patience
    }

    public mutating func handle(_ event: Event, now: Duration) -> [Effect] {
        // The first exit is the one that counts.
        guard state != .over else { return [] }
        switch event {
        case .start:
            state = .seeking(since: now, nextHello: now + Self.firstWait, wait: Self.firstWait)
            return [.connect, .sayHello]
        case .message(let message):
            lastHeard = now
            return received(message, now: now)
        case .built(let session, let leafClass):
            guard state == .building(session: session) else { return [] }
            state = .active(session: session)
            return [.send(.ready(session: session, leafClass: leafClass))]
        case .leaseTaken(let session, let sequence):
            guard state == .active(session: session) else { return [] }
            return [.send(.leaseTaken(session: session, sequence: sequence))]
        case .computeFailed(let error):
            return farewell { .failed(session: $0, error: error) } + [.exit(code: 1, message: error)]
        case .interrupted:
            guard case .active(let session) = state else { return goodbye(now: now) }
            state = .leaving(session: session, since: now)
            return [.retire]
        case .retired:
            guard case .leaving = state else { return [] }
            return goodbye(now: now)
        case .tick(let step):
            return ticked(step: step, now: now)
        }
    }

    /// Hands back what it has leased, and ends well once it is released.
    private mutating func goodbye(now: Duration) -> [Effect] {
        let effects = farewell { .leaving(session: $0, reason: "stopped by a signal") }
        guard !effects.isEmpty else { return released() }
        state = .parting(since: now)
        return effects
    }

    private mutating func released() -> [Effect] {
        state = .over
        return [.exit(code: 0, message: "stopped by a signal")]
    }

    private mutating func farewell(_ message: (UInt64) -> WorkerMessage) -> [Effect] {
        defer { state = .over }
        switch state {
        case .building(let session), .active(let session), .leaving(let session, _): return [.send(message(session))]
        case .idle, .seeking, .parting, .over: return []
        }
    }

    private mutating func received(_ message: CoordinatorMessage, now: Duration) -> [Effect] {
        switch (state, message) {
        case (.idle, _), (.over, _):
            return []
        case (.parting, .finished), (.parting, .refused), (.parting, .unknownSession):
            return released()
        case (.seeking, .welcome(let welcome)):
            return welcomed(welcome, now: now)
        case (_, .welcome):
            return []
        case (_, .refused(let refusal)):
            state = .over
            return [.exit(code: 3, message: "refused by the coordinator: \(refusal)")]
        case (_, .finished(let outcome)):
            state = .over
            return [.exit(code: 0, message: "the run is over: \(outcome)")]
        case (.active, .lease(let lease)):
            return [.lease(lease)]
        case (.active, .evaluate(let evaluation)):
            return [.evaluate(evaluation)]
        case (.active, .unknownSession), (.building, .unknownSession):
            return seek(because: "the coordinator does not know this session", now: now)
        case (.leaving, .unknownSession):
            return released()
        case (_, .lease), (_, .evaluate), (_, .heartbeat), (_, .unknownSession), (_, .serve), (_, .sessions), (_, .allowed):
            return []
        }
    }

    private mutating func welcomed(_ welcome: Welcome, now: Duration) -> [Effect] {
        let offered = Identity(runSHA256: welcome.runSHA256, dataSHA256: welcome.dataSHA256)
        if let identity, identity != offered {
            state = .over
            let difference =
                offered.runSHA256 == identity.runSHA256
                ? "data: the worker has \(identity.dataSHA256), the run has \(offered.dataSHA256)"
                : "run: the worker has \(identity.runSHA256), the coordinator has \(offered.runSHA256)"
            let text = "\(difference); start the worker anew to take part"
            return [.send(.leaving(session: welcome.session, reason: text)), .exit(code: 3, message: text)]
        }
        if let followed, followed.runID == welcome.runID, welcome.incarnation < followed.incarnation {
            let text = "start \(welcome.incarnation) of the run is over: this worker has taken part in start \(followed.incarnation)"
            return [.send(.leaving(session: welcome.session, reason: text)), .notice("\(text); looking for the newer coordinator")]
        }
        identity = offered
        followed = (welcome.runID, welcome.incarnation)
        state = .building(session: welcome.session)
        heartbeat = max(.milliseconds(1), .milliseconds(welcome.heartbeatMilliseconds))
        nextHeartbeat = now + heartbeat
        return [.build(welcome)]
    }

    private mutating func seek(because reason: String, now: Duration) -> [Effect] {
        state = .seeking(since: now, nextHello: now + Self.firstWait, wait: Self.firstWait)
        return [.pause, .notice("\(reason); saying hello again"), .connect, .sayHello]
    }

    private mutating func ticked(step: UInt64, now: Duration) -> [Effect] {
        switch state {
        case .idle, .over:
            return []
        case .seeking(let since, let nextHello, let wait):
            if now - since >= patience {
                state = .over
                return [.exit(code: 1, message: "no coordinator answered for \(Wording.seconds(patience))")]
            }
            guard now >= nextHello else { return [] }
            let longer = min(wait * 2, Self.longestWait)
            state = .seeking(since: since, nextHello: now + longer, wait: longer)
            return [.connect, .sayHello]
        case .building(let session), .active(let session):
            if now - lastHeard >= heartbeat * CoordinatorLimits.missedHeartbeats {
                return seek(because: "nothing heard from the coordinator for \(Wording.seconds(now - lastHeard))", now: now)
            }
            return beat(session: session, step: step, now: now)
        case .leaving(let session, let since):
            return now - since >= Self.leaveAllowance ? goodbye(now: now) : beat(session: session, step: step, now: now)
        case .parting(let since):
            return now - since >= Self.releaseAllowance ? released() : []
        }
    }

    private mutating func beat(session: UInt64, step: UInt64, now: Duration) -> [Effect] {
        guard now >= nextHeartbeat else { return [] }
        nextHeartbeat = now + heartbeat
        return [.send(.heartbeat(session: session, step: step))]
    }
}
