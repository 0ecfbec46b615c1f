/// A host with some cores that its threads share.
final class Host {
    fileprivate let cores: Int
    fileprivate let crowding: Double
    fileprivate var busy = 0
    /// Threads that have something to do and no core; those that wait for messages most of the time come first, as in the kernel.
    fileprivate var ready: (quick: [SimulatedThread], long: [SimulatedThread]) = ([], [])
    /// When the card is free to send, and to receive.
    fileprivate var sendsFrom = 0.0, receivesFrom = 0.0
    /// Seconds that the card was sending, and receiving.
    fileprivate(set) var sent = 0.0, received = 0.0

    init(cores: Int, crowding: Double) {
        self.cores = cores
        self.crowding = crowding
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
    fileprivate let isLong: Bool
    fileprivate var jobs: [Job] = []
    fileprivate var first = 0
    fileprivate var isActive = false
    /// Seconds on a core.
    fileprivate(set) var worked = 0.0

    /// - Parameter isLong: whether it computes most of the time.
    init(on host: Host, isLong: Bool) {
        self.host = host
        self.isLong = isLong
    }
}

/// Threads on cores and messages on network cards, in simulated time.
final class Scene {
    /// The longest that a thread keeps a core while others wait, in seconds.
    private static let slice = 1e-3
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

    /// As `submit`, by a message: a thread that waits has to wake up first.
    func deliver(_ duration: Double, to thread: SimulatedThread, then completion: @escaping () -> Void) {
        guard !thread.isActive else { return submit(duration, to: thread, then: completion) }
        queue.schedule(after: costs.wakeUp) { self.submit(duration, to: thread, then: completion) }
    }

    private func enqueue(_ thread: SimulatedThread) {
        if thread.isLong { thread.host.ready.long.append(thread) } else { thread.host.ready.quick.append(thread) }
    }

    private func dispatch(_ host: Host) {
        while host.busy < host.cores {
            let thread: SimulatedThread
            if !host.ready.quick.isEmpty {
                thread = host.ready.quick.removeFirst()
            } else if !host.ready.long.isEmpty {
                thread = host.ready.long.removeFirst()
            } else {
                return
            }
            host.busy += 1
            let job = thread.jobs[thread.first]
            let part = min(job.left, Self.slice)
            let others = host.cores > 1 ? Double(host.busy - 1) / Double(host.cores - 1) : 0
            let took = job.isComputing ? part * (1 + (host.crowding - 1) * others) : part
            queue.schedule(after: took) { self.leave(thread, after: part, took: took) }
        }
    }

    private func leave(_ thread: SimulatedThread, after part: Double, took: Double) {
        thread.host.busy -= 1
        thread.worked += took
        thread.jobs[thread.first].left -= part
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
        if thread.jobs.isEmpty { thread.isActive = false } else { enqueue(thread) }
        dispatch(thread.host)
    }

    // MARK: Network

    /// Sends bytes from card to card; both are taken for as long as it lasts.
    func transfer(_ bytes: Double, from: Host, to: Host, over network: ClusterModel.Network, then arrived: @escaping () -> Void) {
        let start = max(now, from.sendsFrom, to.receivesFrom), duration = bytes / network.bandwidth
        from.sendsFrom = start + duration
        to.receivesFrom = start + duration
        from.sent += duration
        to.received += duration
        queue.schedule(after: start + duration + network.latency - now, arrived)
    }
}
