public import Exactness
public import Wire

/// What the coordinator is told. Bodies of gradients and weights travel around it; it sees that they came.
public enum Event: Sendable {
    case start
    /// `localSlot`: which of the coordinator's own workers it is.
    case hello(WorkerID, Hello, localSlot: Int?)
    case ready(WorkerID, leafClass: String)
    /// `leafTime`: what a leaf has taken it since the last one.
    case heartbeat(WorkerID, leafTime: Duration? = nil)
    case leaseTaken(WorkerID, sequence: UInt64)
    /// It has all rows that this lease asks for, those of shards that it is about to get too.
    case fetched(WorkerID, sequence: UInt64)
    /// `uncovered`: as of a tick.
    case audited(WorkerID, AuditReport, uncovered: ShardSet)
    case leaving(WorkerID, reason: String)
    case failed(WorkerID, error: String)
    /// The connection has ended without a word: what the worker holds goes to others at once, heartbeats decide whether it is gone.
    case disconnected(WorkerID)
    /// Nothing can be sent to it any more, or it broke the rules.
    case lost(WorkerID, reason: String)
    /// A worker process that this coordinator started is gone.
    case localWorkerExited(slot: Int, description: String)
    /// The server holds the whole of this version.
    case stepCompleted(version: UInt64)
    /// The rounds of a closure rule have come to this number; `afterGradient`: by completing one.
    case roundReached(UInt64, afterGradient: Bool)
    /// Contributions of these shards to a step are not finite; the server waits for others in their place.
    case suspicious(step: UInt64, shards: ShardSet, where: String)
    /// A step's reduced gradient is not finite, though what was not finite of it has been computed twice.
    case notFinite(step: UInt64, shards: ShardSet, where: String)
    case figures(WorkerID, evaluation: UInt64, part: PartID, shard: Int, ShardFigures)
    /// Ctrl-C or SIGTERM.
    case interrupted(signal: Int32)
    /// A later start of the run owns its folder.
    case superseded
    /// Time has passed; `uncovered` are the shards whose contribution to the current step is not there yet.
    case tick(uncovered: ShardSet)
}

/// What the coordinator wants done, in order.
public enum Effect: Equatable, Sendable {
    case startLocalWorker(slot: Int)
    case welcome(WorkerID)
    case refuse(WorkerID, Refusal)
    case lease(WorkerID, Lease)
    case evaluate(WorkerID, Evaluation)
    /// The worker holds no shard: nothing is pushed to it any more.
    case unsubscribe(WorkerID)
    /// Ends the connection.
    case cut(WorkerID, reason: String)
    /// The worker has handed back what it held, and may go; it ends the connection itself.
    case release(WorkerID)
    /// The validation at a barrier is complete.
    case record(ValidationRecord)
    /// The weights of the current version become the best ones.
    case keepBest
    case checkpoint
    /// Checkpoints of versions after this one may hold wrong values: none of them is to be resumed from.
    case distrust(after: UInt64)
    case notice(Notice)
    case finish(Ending)
}

/// A line for the person who watches.
public struct Notice: Equatable, Sendable {
    public enum Level: Sendable { case info, warning }
    public var level: Level
    public var text: String

    static func info(_ text: String) -> Effect { .notice(Notice(level: .info, text: text)) }
    static func warning(_ text: String) -> Effect { .notice(Notice(level: .warning, text: text)) }
}

/// Sums and counts over one part of the data.
public struct PartFigures: Equatable, Sendable {
    public var rows: Int
    public var correct: Int
    /// Rows whose class is among the five most probable.
    public var topFive: Int
    /// Summed over rows.
    public var loss: Double
    /// Summed over elements.
    public var squaredError: Double
    /// Pairs of classes that occur, ascending; only of held-out parts.
    public var confusion: [ConfusionCount]

    public var meanLoss: Double { loss / Double(rows) }
    public var accuracy: Double { Double(correct) / Double(rows) }

    public var topFiveAccuracy: Double { Double(topFive) / Double(rows) }

    public init(
        rows: Int, correct: Int, topFive: Int = 0, loss: Double, squaredError: Double, confusion: [ConfusionCount] = []
    ) {
        self.rows = rows
        self.correct = correct
        self.topFive = topFive
        self.loss = loss
        self.squaredError = squaredError
        self.confusion = confusion
    }
}

/// One line of `history.jsonl`, as far as the coordinator knows it.
public struct ValidationRecord: Equatable, Sendable {
    public var step: UInt64
    public var epoch: Int
    public var sample: PartFigures
    public var validation: PartFigures?
    public var improved: Bool
}

/// How a run ended.
public struct Ending: Equatable, Sendable {
    public enum Outcome: Equatable, Sendable {
        case completed
        case stoppedEarly(reason: String)
        case interrupted(signal: Int32)
        case failed(error: String)
    }

    public var outcome: Outcome
    public var version: UInt64
    /// The figures at the final weights, by part; empty where the run was cut short.
    public var figures: [PartID: PartFigures]
    /// Whether the final weights are the best ones and not the last.
    public var restoresBest: Bool
}

/// What a worker needs to say at its hello to be let in.
public struct AdmissionRules: Sendable {
    public var numericsVersion: Int
    /// nil: the first worker defines it.
    public var leafClass: String?

    public init(numericsVersion: Int, leafClass: String?) {
        self.numericsVersion = numericsVersion
        self.leafClass = leafClass
    }
}

/// Counters for `result.json`.
public struct RunEvents: Codable, Equatable, Sendable {
    public var leasesReissued = 0
    public var workersLost = 0
    public var workersSeen = 0
    /// Leaves of which two workers have had the same bits.
    public var leavesAudited = 0

    public init() {}

    public static func + (a: RunEvents, b: RunEvents) -> RunEvents {
        var sum = a
        sum.leasesReissued += b.leasesReissued
        sum.workersLost += b.workersLost
        sum.workersSeen += b.workersSeen
        sum.leavesAudited += b.leavesAudited
        return sum
    }
}
