internal import OperatingSystem
internal import ParameterServer
internal import Training
internal import Wire
internal import ZeroMQ

/// The shell of `dnn-coord serve`: control socket, heartbeats, signals and the data sockets on one thread, updates on others.
public final class ServerProcess {
    private let options: ServerOptions
    private let name: String
    private let threads: Int
    private let context: Context
    private let signals: SignalDescriptor
    private let updates: EventDescriptor
    private let start = Machine.monotonicTime
    private var session: ServerSession
    private var control: ControlConnection?
    private var owesHello = false
    /// Its tcp socket is known by this key, made anew at every start.
    private let pair: CurveKeyPair?
    /// Whom the coordinator wants let in.
    private var allowed: Set<CurvePublicKey> = []
    /// Its part of a run, while it has one.
    private var part: ServerRun?
    /// Mapped once: the weights can't be mapped for writing again.
    private var segments: ServerSegments?
    /// A session whose sockets could not listen yet.
    private var opening: (welcome: ServerWelcome, since: Duration)?
    private var poller = Poller()
    private var isPollerStale = true
    private var lastTick = Duration.zero
    private var handshakeNotice = ""
    private var ending: (code: Int32, message: String)?

    /// The address of a former session is free again within this.
    private static let openingTime = Duration.seconds(10)
    private static let mostThreads = 8

    /// Serves to the end and gives the exit code. To be called first in `main`, as `WorkerProcess.run`.
    public static func run(_ options: ServerOptions) -> Int32 {
        if let parent = options.parent, !ParentDeath.arrange(expectedParent: parent) { return 1 }
        do {
            return try ServerProcess(options).run()
        } catch {
            printError("dnn-coord serve: \(error)")
            return 1
        }
    }

    private init(_ options: ServerOptions) throws {
        self.options = options
        name = options.name ?? "\(Machine.hostName)-\(Machine.processIdentifier)"
        threads = options.threads ?? min(Machine.coreCount, Self.mostThreads)
        signals = try SignalDescriptor([.interrupt, .terminate])
        _ = try Machine.raiseDescriptorLimit()
        Machine.keepFreedMemory()
        context = try Context()
        updates = try EventDescriptor()
        session = ServerSession(patience: options.patience)
        pair = options.isProtected ? try CurveKeyPair.generate() : nil
    }

    private var now: Duration { Machine.monotonicTime - start }

    private func run() throws -> Int32 {
        try perform(session.handle(.start, now: .zero))
        while ending == nil { try turn() }
        part = nil
        let (code, text) = ending ?? (0, "")
        if code != 0 || options.parent == nil { printError("dnn-coord serve: \(text)") }
        return code
    }

    private func turn() throws {
        if isPollerStale { makePoller() }
        try poller.wait(timeout: max(.zero, lastTick + CoordinatorLimits.tick - now))
        while try signals.next() != nil { try perform(session.handle(.interrupted, now: now)) }
        try lookAtHandshake()
        // Whom to let in is on its way here before anybody is told to come.
        while let message = try control?.receive() { try perform(session.handle(.message(message), now: now)) }
        try part?.answerHandshakes()
        if owesHello { try sayHello() }
        if let part {
            for index in part.ports.indices {
                try part.ports[index].watch?.collect(now: now)
                try part.readData(port: index, now: now)
                _ = part.ports[index].watch?.takeFailures()
            }
            part.takeEndings()
            updates.drain()
            part.advance()
            if let failure = part.failure { try perform(session.handle(.failed(error: failure), now: now)) }
        }
        guard now - lastTick >= CoordinatorLimits.tick else { return }
        lastTick = now
        if let opening { try open(opening.welcome, since: opening.since) }
        if let part {
            part.reportUncovered()
            for port in part.ports { _ = try port.watch?.enforceLimits(now: now) }
        }
        try perform(session.handle(.tick(step: part?.server.round ?? 0), now: now))
    }

    private func makePoller() {
        isPollerStale = false
        poller = Poller()
        _ = poller.add(descriptor: signals.descriptor)
        _ = poller.add(descriptor: updates.descriptor)
        control?.add(to: &poller)
        part?.add(to: &poller)
    }

    private func perform(_ effects: [ServerSession.Effect]) throws {
        for effect in effects {
            switch effect {
            case .connect:
                isPollerStale = true
                control = try ControlConnection(
                    context: context, endpoint: options.endpoint, wakers: [], security: options.keys?.security ?? .none)
            case .sayHello: try sayHello()
            case .send(let message): _ = try control?.send(message)
            case .serve(let welcome): try open(welcome, since: now)
            case .sessions(let list): part?.take(list, now: now)
            case .allowed(let keys):
                allowed = Set(keys.compactMap { CurvePublicKey(z85: $0) })
                part?.allow(allowed)
            case .abandon:
                isPollerStale = true
                part = nil
                opening = nil
            case .notice(let text): printError("dnn-coord serve: \(text)")
            case .exit(let code, let message): ending = (code, message)
            }
        }
    }

    /// Makes the sockets and the server of a session, or tries again a moment later if an address is not free yet.
    private func open(_ welcome: ServerWelcome, since: Duration) throws {
        opening = nil
        do {
            let made = try ServerRun(
                welcome, endpoints: options.binds, threads: threads, completion: updates, key: pair?.secretKey, allowed: allowed,
                segments: { elementCount in
                    if segments == nil, let shared = options.shared {
                        segments = try ServerSegments(shared, elementCount: elementCount)
                    }
                    return segments
                })
            part = made
            isPollerStale = true
            _ = try control?.send(.serving(session: welcome.session, endpoints: made.ports.map(\.endpoint)))
        } catch let error as ZMQError where error.code == .addressInUse && now - since < Self.openingTime {
            opening = (welcome, since)
        } catch {
            ending = (1, "\(error)")
            _ = try control?.send(.failed(session: welcome.session, error: "\(error)"))
        }
    }

    private func sayHello() throws {
        let hello = ServerHello(
            protocolVersion: WireProtocol.version, numericsVersion: numericsVersion, name: name, processID: Machine.processIdentifier,
            host: Machine.hostName, publicKey: pair?.publicKey.z85)
        owesHello = try !(control?.send(.serve(hello)) ?? true)
        if owesHello { isPollerStale = true }
    }

    /// A key that is not on the list ends the search; what else fails is said once.
    private func lookAtHandshake() throws {
        guard let failure = try control?.handshakeFailure() else { return }
        if case .refused = failure {
            ending = (3, "refused by the coordinator: this server's key is not among those it lets in (workers/*.pub of its key folder)")
            return
        }
        let text = "no connection to \(options.endpoint): the handshake failed (\(failure)); are --keys those of this coordinator?"
        guard text != handshakeNotice else { return }
        handshakeNotice = text
        printError("dnn-coord serve: \(text)")
    }
}
