/// A host with some cores that its threads share.
final class Host {
    fileprivate let crowding: Double
    /// Who runs on each core.
    fileprivate var running: [SimulatedThread?]
    /// Threads that have something to do and no core; those that wait for messages most of the time come first, as in the kernel, and
    /// take a core from one that computes.
    fileprivate var ready: (quick: [SimulatedThread], long: [SimulatedThread]) = ([], [])
    /// When the card is free to send, and to receive.
    fileprivate var sendsFrom = 0.0, receivesFrom = 0.0
    /// Seconds that the card was sending, and receiving.
    fileprivate(set) var sent = 0.0, received = 0.0

    init(cores: Int, crowding: Double) {
        self.crowding = crowding
        running = Array(repeating: nil, count: cores)
    }
}

/// A thread of a process: its jobs are done one after the other.
final class SimulatedThread {
    fileprivate struct Job {
        var left: Double
        /// Whether it is computing, which other busy cores slow down.
        var isComputing: Bool
        var completion: () -> Void
    }

    let host: Host
    /// The core that it is kept on; nil: any.
    fileprivate let core: Int?
    fileprivate let isLong: Bool
    fileprivate var jobs: [Job] = []
    fileprivate var first = 0
    /// Whether it has something to do, or will have when it has woken up.
    fileprivate var isActive = false
    /// What it does on a core at present: since when, how much of its job, how many seconds for each of the job's.
    fileprivate var piece = (began: 0.0, part: 0.0, factor: 1.0)
    /// Grows with every piece: the end of one that was broken off is nobody's.
    fileprivate var pieceNumber = 0
    fileprivate func mayRun(on core: Int) -> Bool { self.core == nil || self.core == core }

    /// Seconds since it has been given a core.
    fileprivate var turn = 0.0
    /// Seconds on a core.
    fileprivate(set) var worked = 0.0

    /// - Parameter isLong: whether it computes most of the time.
    init(on host: Host, core: Int? = nil, isLong: Bool) {
        self.host = host
        self.core = core
        self.isLong = isLong
    }
}

/// Threads on cores and messages on network cards, in simulated time.
final class Scene {
    /// The longest that a thread that computes keeps a core while others of its kind wait, in seconds: what `Machine.takeLongTurns` asks for.
    private static let longestTurn = 20e-3
    /// After so many seconds it is looked at how many cores are busy, which slow each other down.
    private static let longestPiece = 1e-3
    private var queue = EventQueue()
    let costs: Costs

    init(costs: Costs) {
        self.costs = costs
    }

    var now: Double { queue.now }

    /// Lets time pass until nothing is left to happen or `isOver`.
    func run(until isOver: () -> Bool) {
        while !isOver(), let action = queue.next() { action() }
    }

    // MARK: Cores

    /// Gives a thread something to do.
    func submit(_ duration: Double, to thread: SimulatedThread, isComputing: Bool = false, then completion: @escaping () -> Void) {
        thread.jobs.append(SimulatedThread.Job(left: duration, isComputing: isComputing, completion: completion))
        guard !thread.isActive else { return }
        thread.isActive = true
        enqueue(thread)
        dispatch(thread.host)
    }

    /// As `submit`, by a message: a thread that waits has to wake up first, which takes a while, and then some work.
    func deliver(_ duration: Double, to thread: SimulatedThread, then completion: @escaping () -> Void) {
        guard !thread.isActive else { return submit(duration, to: thread, then: completion) }
        thread.isActive = true
        thread.jobs.append(SimulatedThread.Job(left: costs.perWakeUp + duration, isComputing: false, completion: completion))
        queue.schedule(after: costs.wakeUp) {
            self.enqueue(thread)
            self.dispatch(thread.host)
        }
    }

    private func enqueue(_ thread: SimulatedThread) {
        if thread.isLong { thread.host.ready.long.append(thread) } else { thread.host.ready.quick.append(thread) }
    }

    private func dispatch(_ host: Host) {
        // Quick threads take a core that is idle, else one from a thread that computes.
        var waiting: [SimulatedThread] = []
        for (number, thread) in host.ready.quick.enumerated() {
            guard host.running.contains(where: { $0?.isLong ?? true }) else {
                waiting += host.ready.quick[number...]
                break
            }
            let cores = host.running.indices.filter { thread.mayRun(on: $0) }
            if let idle = cores.first(where: { host.running[$0] == nil }) {
                begin(thread, on: idle)
            } else if let core = cores.last(where: { host.running[$0]?.isLong == true }), let victim = host.running[core] {
                interrupt(victim)
                // The rest of its turn is its.
                host.ready.long.insert(victim, at: 0)
                begin(thread, on: core)
            } else {
                waiting.append(thread)
            }
        }
        host.ready.quick = waiting
        for core in host.running.indices where host.running[core] == nil {
            guard let next = host.ready.long.firstIndex(where: { $0.mayRun(on: core) }) else { continue }
            begin(host.ready.long.remove(at: next), on: core)
        }
    }

    private func begin(_ thread: SimulatedThread, on core: Int) {
        let host = thread.host, job = thread.jobs[thread.first]
        let others = host.running.count > 1 ? Double(host.running.count { $0 != nil }) / Double(host.running.count - 1) : 0
        host.running[core] = thread
        thread.piece = (now, min(job.left, Self.longestPiece), job.isComputing ? 1 + (host.crowding - 1) * others : 1)
        thread.pieceNumber += 1
        let number = thread.pieceNumber
        queue.schedule(after: thread.piece.part * thread.piece.factor) {
            if thread.pieceNumber == number { self.leave(thread) }
        }
    }

    /// Takes a thread from its core, and notes how much of its job it has done.
    private func stop(_ thread: SimulatedThread, after part: Double) {
        if let core = thread.host.running.firstIndex(where: { $0 === thread }) { thread.host.running[core] = nil }
        thread.pieceNumber += 1
        thread.worked += part * thread.piece.factor
        thread.turn += part * thread.piece.factor
        thread.jobs[thread.first].left -= part
    }

    private func interrupt(_ thread: SimulatedThread) {
        stop(thread, after: min(thread.piece.part, (now - thread.piece.began) / thread.piece.factor))
    }

    private func leave(_ thread: SimulatedThread) {
        stop(thread, after: thread.piece.part)
        var completion: (() -> Void)?
        if thread.jobs[thread.first].left <= 1e-12 {
            completion = thread.jobs[thread.first].completion
            thread.first += 1
            if thread.first == thread.jobs.count {
                thread.jobs.removeAll(keepingCapacity: true)
                thread.first = 0
            }
        }
        // What completion submits to the same thread has to stand behind it.
        completion?()
        if thread.jobs.isEmpty {
            thread.isActive = false
            thread.turn = 0
        } else if thread.isLong, thread.turn < Self.longestTurn {
            thread.host.ready.long.insert(thread, at: 0)
        } else {
            thread.turn = 0
            enqueue(thread)
        }
        dispatch(thread.host)
    }

    // MARK: Network

    /// Bytes on a cable for a byte of payload: a full packet of 1,514 carries 1,448 of TCP's, the rest are headers (Ethernet, IP, TCP with
    /// time stamps).
    private static let framing = 1_514.0 / 1_448

    /// Sends bytes from card to card; both are taken for as long as it lasts.
    func transfer(_ bytes: Double, from: Host, to: Host, over network: ClusterModel.Network, then arrived: @escaping () -> Void) {
        let start = max(now, from.sendsFrom, to.receivesFrom), duration = bytes * Self.framing / network.bandwidth
        from.sendsFrom = start + duration
        to.receivesFrom = start + duration
        from.sent += duration
        to.received += duration
        queue.schedule(after: start + duration + network.latency - now, arrived)
    }
}
