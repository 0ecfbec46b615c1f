import Training
import Wire

/// A worker process without a net: it takes time, obeys its leases, and breaks down when told to.
final class FakeWorker {
    enum Health {
        case well
        /// The compute thread hangs, heartbeats go on.
        case hung
        /// SIGSTOP.
        case stopped
        case dead
    }

    struct Task: Hashable {
        enum Kind: Hashable {
            case train(step: UInt64)
            case evaluate(number: UInt64, version: UInt64, part: PartID)
            /// A leaf of somebody else.
            case audit(step: UInt64)
        }

        var kind: Kind
        var shard: Int
    }

    enum Order {
        case lease(Lease)
        case evaluate(Evaluation)
    }

    let name: String
    let instance = UInt64.random(in: .min ... .max)
    let localSlot: Int?
    /// Of a leaf or a block.
    var leafTime: Duration
    let buildTime: Duration
    /// How long the rows of a shard that it is about to get take to come.
    var fetchTime = Duration.zero
    var health = Health.well

    /// Its session; nil while it has none.
    var id: WorkerID?
    var greetsAt: Duration?
    var readyAt: Duration?
    var isReady = false
    var nextHeartbeat = Duration.zero
    /// What its compute thread has not looked at yet.
    var inbox: [Order] = []
    var lease: Lease?
    /// The newest lease whose rows are not all there yet.
    var fetching: (sequence: UInt64, rest: Duration)?
    private var fetchedShards: Set<Int> = []
    /// Leaves computed and time taken since the last heartbeat.
    var work: (leaves: Int, time: Duration) = (0, .zero)
    var tasks: [Task] = []
    var current: (task: Task, rest: Duration)?
    private var done: Set<Task> = []

    init(name: String, localSlot: Int?, leafTime: Duration, buildTime: Duration, greetsAt: Duration) {
        self.name = name
        self.localSlot = localSlot
        self.leafTime = leafTime
        self.buildTime = buildTime
        self.greetsAt = greetsAt
    }

    /// Begins a session, or goes back to having none.
    func begin(session: WorkerID?, readyAt: Duration?) {
        id = session
        self.readyAt = readyAt
        greetsAt = nil
        isReady = false
        inbox = []
        lease = nil
        fetching = nil
        fetchedShards = []
        work = (0, .zero)
        tasks = []
        current = nil
        done = []
    }

    /// Takes the orders that wait and returns the sequence numbers of the leases among them.
    func obey(blockCount: (PartID, Int) -> Int) -> [UInt64] {
        defer { inbox = [] }
        var taken: [UInt64] = []
        for order in inbox {
            switch order {
            case .lease(let lease):
                self.lease = lease
                for shard in lease.recompute ?? [] { done.remove(Task(kind: .train(step: lease.step), shard: shard)) }
                tasks.removeAll { lease.until > lease.step || !lease.shards.contains($0.shard) }
                taken.append(lease.sequence)
                let fetch = lease.fetch ?? []
                let news = fetch.count { !fetchedShards.contains($0) }
                fetching = fetch.isEmpty ? nil : (lease.sequence, fetchTime * news)
            case .evaluate(let order):
                let wanted = order.parts.flatMap { part in
                    order.shards.filter { blockCount(part, $0) > 0 }.map {
                        Task(kind: .evaluate(number: order.number, version: order.version, part: part), shard: $0)
                    }
                }
                tasks += wanted.filter { !tasks.contains($0) }
            }
        }
        return taken
    }

    /// The next thing to do, with `version` the complete weights.
    func nextTask(version: UInt64, isPresent: (Int) -> Bool) -> Task? {
        if let task = tasks.first { return task }
        guard let lease, version < lease.until else { return nil }
        return lease.shards.lazy.filter(isPresent).map { Task(kind: .train(step: version), shard: $0) }.first { !self.done.contains($0) }
    }

    /// Lets the rows of coming shards travel for a while; the lease whose rows are all there now.
    func fetch(for quantum: Duration) -> UInt64? {
        guard let (sequence, rest) = fetching else { return nil }
        fetching = rest > quantum ? (sequence, rest - quantum) : nil
        guard fetching == nil else { return nil }
        fetchedShards.formUnion(lease?.fetch ?? [])
        return sequence
    }

    func finish(_ task: Task) {
        tasks.removeAll { $0 == task }
        done.insert(task)
    }
}
