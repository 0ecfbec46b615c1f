internal import OperatingSystem
internal import Synchronization
internal import Training
internal import Wire

/// The two-way channel between a worker's control loop and its compute thread: typed values behind a lock, an eventfd to wake the other.
final class ComputeLink: Sendable {
    enum Command: Sendable {
        case build(Welcome, dataEndpoint: String)
        case lease(Lease)
        case evaluate(Evaluation)
        /// Compute nothing until the next `build`.
        case pause
        case stop
    }

    enum Report: Sendable {
        case built(session: UInt64, leafClass: String)
        case leaseTaken(session: UInt64, sequence: UInt64)
        case fetched(session: UInt64, sequence: UInt64)
        /// Nothing is computed any more; what was has been sent.
        case retired
        case failed(String)
        /// It can take no part in the run of this session.
        case unfit(String)
    }

    private let commands = Mutex<[Command]>([])
    private let reports = Mutex<[Report]>([])
    private let step = Atomic<UInt64>(0)
    private let leaves = Atomic<UInt64>(0)
    private let nanoseconds = Atomic<UInt64>(0)
    private let waiting = Atomic<Bool>(false)
    private let retiring = Atomic<Bool>(false)
    let commandEvent: EventDescriptor
    let reportEvent: EventDescriptor

    init() throws(SystemError) {
        commandEvent = try EventDescriptor()
        reportEvent = try EventDescriptor()
    }

    func command(_ command: Command) {
        commands.withLock {
            $0.append(command)
            waiting.store(true, ordering: .releasing)
        }
        commandEvent.signal()
    }

    /// Whether a command waits: cheap enough to ask inside a step.
    var hasCommand: Bool { waiting.load(ordering: .acquiring) }

    /// Asks the compute thread to end once it has sent what it is computing. No command: a command would interrupt the step.
    func retire() {
        retiring.store(true, ordering: .releasing)
        commandEvent.signal()
    }

    var isRetiring: Bool { retiring.load(ordering: .acquiring) }

    func takeCommands() -> [Command] {
        commandEvent.drain()
        return commands.withLock { list in
            // Inside the lock, so that it never says that a command waits which has been taken.
            waiting.store(false, ordering: .relaxed)
            defer { list = [] }
            return list
        }
    }

    func report(_ report: Report) {
        reports.withLock { $0.append(report) }
        reportEvent.signal()
    }

    func takeReports() -> [Report] {
        reportEvent.drain()
        return reports.withLock { list in
            defer { list = [] }
            return list
        }
    }

    /// What the compute thread is at, for heartbeats.
    var currentStep: UInt64 {
        get { step.load(ordering: .relaxed) }
        set { step.store(newValue, ordering: .relaxed) }
    }

    /// Notes leaves that have been computed and the time they took.
    func add(leaves count: Int, time: Duration) {
        leaves.add(UInt64(count), ordering: .relaxed)
        nanoseconds.add(UInt64(max(0, time / .nanoseconds(1))), ordering: .relaxed)
    }

    /// All that has been computed so far.
    var work: WorkerSession.Work {
        WorkerSession.Work(leaves: leaves.load(ordering: .relaxed), nanoseconds: nanoseconds.load(ordering: .relaxed))
    }
}
