/// Deadlines and sizes of a run that do not touch its bits.
public struct CoordinatorLimits: Sendable {
    public var minimumWorkers: Int
    public var localWorkers: Int
    /// Whether workers of other hosts can come.
    public var acceptsRemoteWorkers: Bool
    public var joinTimeout: Duration
    public var idleTimeout: Duration
    public var heartbeat: Duration
    public var checkpointEvery: Duration
    /// The command that starts a worker for this run, for messages; empty where none can come.
    public var invitation: String
    /// The share of leaves that two workers compute, 0…1; `AuditSchedule` says in which steps.
    public var auditFraction = 0.0
    /// A welcomed worker builds its net, reads its data if nobody sends it, and answers within this.
    public var readyTimeout = Self.usualReadyTimeout

    /// Heartbeats in a row after which a worker counts as dead.
    public static let missedHeartbeats = 5
    /// A lease may take this many median steps, and at least the minimum.
    public static let leaseFactor = 5
    public static let leaseMinimum = Duration.seconds(2)
    /// Rows and weights have to travel before the first step of a new lease; for that step only.
    public static let newLeaseGrace = Duration.seconds(10)
    /// A shard of a part is evaluated within this, or 5 times as long as training on its rows takes.
    public static let evaluationMinimum = Duration.seconds(20)
    /// A worker that nobody can stand in for, or that has lost its lease by being late, is given up after this, or 5 deadlines.
    public static let hopelessMinimum = Duration.seconds(120)
    public static let hopelessFactor = 5
    /// Deadlines double while nothing gets done, up to 2 to this power: what is only slow gets its time in the end.
    public static let mostDoublings = 10
    /// A worker that was late before gets no lease for so long after it answers again, twice as long every time.
    public static let firstRest = Duration.seconds(10)
    public static let longestRest = Duration.seconds(600)
    public static let usualReadyTimeout = Duration.seconds(60)
    /// Of workers that read the data themselves.
    public static let readingTimeout = Duration.seconds(3_600)
    /// Speeds are compared this often, and not sooner after a move than its rest.
    public static let weighingInterval = Duration.seconds(5)
    public static let moveRest = Duration.seconds(20)
    /// A deal by speed has to make the slowest share of a step this much shorter: rows move with it.
    public static let worthwhileShare = 0.8
    /// A worker that was too slow for any share is tried again after this.
    public static let speedMemory = Duration.seconds(120)
    /// So long nobody else need be there before it is said that there is nobody to audit with.
    public static let auditorWait = Duration.seconds(5)
    /// Restarts of a local worker in a row without a finished step.
    public static let restartsWithoutStep = 3
    /// Deadlines are looked at this often.
    public static let tick = Duration.milliseconds(100)

    public init(
        minimumWorkers: Int, localWorkers: Int, acceptsRemoteWorkers: Bool, joinTimeout: Duration, idleTimeout: Duration,
        heartbeat: Duration, checkpointEvery: Duration, invitation: String
    ) {
        self.minimumWorkers = minimumWorkers
        self.localWorkers = localWorkers
        self.acceptsRemoteWorkers = acceptsRemoteWorkers
        self.joinTimeout = joinTimeout
        self.idleTimeout = idleTimeout
        self.heartbeat = heartbeat
        self.checkpointEvery = checkpointEvery
        self.invitation = invitation
    }

    /// What a worker waits for its next lease when it answers again after being late for the `lapses`th time; the first is forgiven.
    static func rest(afterLapses lapses: Int) -> Duration {
        guard lapses > 1 else { return .zero }
        return min(longestRest, firstRest * (1 << min(lapses - 2, mostDoublings)))
    }

    /// Without a word for so long a peer counts as gone.
    var silence: Duration { heartbeat * Self.missedHeartbeats }

    /// How long somebody who looks every tick has not looked, if that is more than a few of them.
    public static func ownPause(since lastLook: Duration, now: Duration) -> Duration {
        now - lastLook > tick * 5 ? now - lastLook - tick : .zero
    }

    /// A longer pause of the coordinator itself would make others late or silent who are not.
    var longestUnnoticedPause: Duration { max(Self.tick * 2, min(silence, Self.leaseMinimum) / 4) }
}
