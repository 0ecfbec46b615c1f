internal import OperatingSystem
internal import Training
internal import Wire
internal import ZeroMQ

/// What a worker is told on its command line.
public struct WorkerOptions: Sendable {
    public var endpoint: String
    public var threads: Int
    public var name: String?
    public var patience: Duration
    /// The coordinator that started this worker: it dies with it.
    public var parent: Int32?
    /// The segments that its parent shares with it; nil: payload travels in messages.
    public var shared: SharedSegmentsOption?
    /// nil: the connection is not protected.
    public var keys: WorkerKeys?
    /// Whether gradients are computed; else blocks are sent as they are, for benchmarks of what lies around the computation.
    public var computes: Bool

    public init(
        endpoint: String, threads: Int, name: String?, patience: Duration, parent: Int32?, shared: SharedSegmentsOption? = nil,
        keys: WorkerKeys? = nil, computes: Bool = true
    ) {
        self.endpoint = endpoint
        self.threads = threads
        self.name = name
        self.patience = patience
        self.parent = parent
        self.shared = shared
        self.keys = keys
        self.computes = computes
    }
}

/// The shell of `dnn-worker`: the control socket, heartbeats and signals on the main thread, the net on a compute thread.
public final class WorkerProcess {
    private let options: WorkerOptions
    private let name: String
    private let context: Context
    private let link: ComputeLink
    private let signals: SignalDescriptor
    private let instance = UInt64.random(in: .min ... .max)
    private let start = Machine.monotonicTime
    private var session: WorkerSession
    private var connection: ControlConnection?
    /// A hello that has found no connection yet.
    private var owesHello = false
    /// What was said last of a failed handshake.
    private var handshakeNotice = ""
    private var ending: (code: Int32, message: String)?
    /// Whether the compute thread has said its last word.
    private var isComputeOver = false

    /// Runs a worker to its end and gives the exit code. To be called first in `main`: it arranges for the end with the parent, and
    /// blocks signals for all threads to come.
    public static func run(_ options: WorkerOptions) -> Int32 {
        if let parent = options.parent, !ParentDeath.arrange(expectedParent: parent) { return 1 }
        do {
            return try WorkerProcess(options).run()
        } catch {
            printError("dnn-worker: \(error)")
            return 1
        }
    }

    private init(_ options: WorkerOptions) throws {
        self.options = options
        name = options.name ?? "\(Machine.hostName)-\(Machine.processIdentifier)"
        signals = try SignalDescriptor([.interrupt, .terminate])
        _ = try Machine.raiseDescriptorLimit()
        Machine.keepFreedMemory()
        context = try Context()
        link = try ComputeLink()
        session = WorkerSession(patience: options.patience)
    }

    private func run() throws -> Int32 {
        let (context, link, options, security) = (context, link, options, security)
        let compute = try WorkerThread.start(name: "compute") {
            Machine.takeLongTurns()
            ComputeLoop(context: context, link: link, options: options, security: security, keys: options.keys).run()
        }
        try perform(session.handle(.start, now: .zero))
        while ending == nil { try turn() }
        // With all sockets closed, the end of the context waits for the last messages to get out. A compute thread in the middle of a step
        // is not waited for, the process ends with it.
        if isComputeOver {
            link.command(.stop)
            compute.join()
        }
        let (code, text) = ending ?? (0, "")
        if code != 0 || options.parent == nil { printError("dnn-worker: \(text)") }
        return code
    }

    /// Waits for something to happen and lets the session decide what it means.
    private func turn() throws {
        try connection?.wait(toSend: owesHello, timeout: CoordinatorLimits.tick)
        let now = Machine.monotonicTime - start
        while try signals.next() != nil { try perform(session.handle(.interrupted, now: now)) }
        for report in link.takeReports() {
            switch report {
            case .built(let number, let leafClass):
                try perform(session.handle(.built(session: number, leafClass: leafClass), now: now))
            case .leaseTaken(let number, let sequence):
                try perform(session.handle(.leaseTaken(session: number, sequence: sequence), now: now))
            case .fetched(let number, let sequence):
                try perform(session.handle(.fetched(session: number, sequence: sequence), now: now))
            case .retired:
                isComputeOver = true
                try perform(session.handle(.retired, now: now))
            case .failed(let error):
                isComputeOver = true
                try perform(session.handle(.computeFailed(error: error), now: now))
            case .unfit(let reason):
                isComputeOver = true
                try perform(session.handle(.unfit(reason: reason), now: now))
            }
        }
        try lookAtHandshake()
        while let message = try connection?.receive() { try perform(session.handle(.message(message), now: now)) }
        if owesHello { try sayHello() }
        try perform(session.handle(.tick(step: link.currentStep, work: link.work), now: now))
    }

    private func perform(_ effects: [WorkerSession.Effect]) throws {
        for effect in effects {
            switch effect {
            case .connect:
                connection = try ControlConnection(
                    context: context, endpoint: options.endpoint, wakers: [signals.descriptor, link.reportEvent.descriptor],
                    security: security)
            case .sayHello: try sayHello()
            case .send(let message): _ = try connection?.send(message)
            case .build(let welcome):
                link.command(.build(welcome, dataEndpoint: Endpoints.data(control: options.endpoint, port: welcome.dataPort)))
            case .lease(let lease): link.command(.lease(lease))
            case .evaluate(let order): link.command(.evaluate(order))
            case .pause: link.command(.pause)
            case .retire: link.retire()
            case .notice(let text): printError("dnn-worker: \(text)")
            case .exit(let code, let message): ending = (code, message)
            }
        }
    }

    private var security: ZeroMQ.Security {
        options.endpoint.hasPrefix("tcp://") ? options.keys?.security ?? .none : .none
    }

    /// A key that is not on the list ends the search; what else fails is said once, as it may be mended at the other end.
    private func lookAtHandshake() throws {
        guard let failure = try connection?.handshakeFailure() else { return }
        if case .refused = failure {
            let key = options.keys.map { "\($0.pair.publicKey.z85) (of \($0.folder.workerSecret))" } ?? "none"
            ending = (
                3, "refused by the coordinator: this worker's key, \(key), is not among those it lets in (workers/*.pub of its key folder)"
            )
            return
        }
        let advice =
            options.keys.map { "is \($0.folder.serverPublic) the key of this coordinator, and was it started with --keys?" }
            ?? "was the coordinator started with --keys? Then this worker needs --keys too"
        let text = "no connection to \(options.endpoint): the handshake failed (\(failure)); \(advice)"
        guard text != handshakeNotice else { return }
        handshakeNotice = text
        printError("dnn-worker: \(text)")
    }

    private func sayHello() throws {
        let hello = Hello(
            protocolVersion: WireProtocol.version, numericsVersion: numericsVersion, name: name,
            processID: Machine.processIdentifier, host: Machine.hostName, instance: instance)
        owesHello = try !(connection?.send(.hello(hello)) ?? true)
    }
}
