/// A worker as the coordinator knows it.
struct Member: Sendable {
    enum State: Equatable, Sendable {
        /// Welcomed; builds its net and runs the probe.
        case greeted
        case admitted
    }

    /// How far a worker can be relied on; shards go to those in good standing as long as there are any.
    enum Standing: Equatable, Sendable {
        case good
        /// It was late more than once; it answers, but gets no lease before then.
        case resting(until: Duration)
        /// It lost a lease by being late and has not shown that its compute thread lives.
        case suspect(since: Duration)

        var isSuspect: Bool {
            if case .suspect = self { true } else { false }
        }
    }

    var name: String
    /// The process that it is, as in `Hello`.
    var instance: UInt64
    /// What messages call it: its name, told apart from namesakes.
    var label: String
    /// Which of the coordinator's own workers it is.
    var localSlot: Int?
    var state = State.greeted
    var standing = Standing.good
    /// False once its connection has ended: it is given nothing, and either comes again or falls silent.
    var isConnected = true
    /// How often it lost a lease by being late.
    var lapses = 0
    var greetedAt: Duration
    var lastHeard: Duration
    /// When its newest figures came.
    var lastFigures = Duration.zero
    /// The sequence number of its newest lease, and of the newest that its compute thread has taken.
    var leaseSequence: UInt64 = 0
    var leaseTaken: UInt64 = 0
    /// When its shards last changed, and the step (with a closure rule, the round) at that time.
    var leasedAt = Duration.zero
    var leasedStep: UInt64?
    /// What a leaf takes it, as far as leases go by it: changes only with notable differences. nil until it has been measured.
    var leafTime: Duration?
    var leafTimeMean: Duration?
    var measurements = 0
    /// The step or round for which it was said that it is late and that nobody can take over.
    var warnedStep: UInt64?

    /// Nobody was looking for `gap` until `now`: what it had to do by now, it has to do that much later.
    mutating func shift(by gap: Duration, until now: Duration) {
        greetedAt = min(greetedAt + gap, now)
        lastHeard = min(lastHeard + gap, now)
        lastFigures = min(lastFigures + gap, now)
        leasedAt = min(leasedAt + gap, now)
        if case .suspect(let since) = standing { standing = .suspect(since: min(since + gap, now)) }
    }
}
