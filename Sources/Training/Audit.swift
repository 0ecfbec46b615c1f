public import Exactness

/// Which steps are audited: a pure function of seed and step, so that workers need no word about it.
///
/// In such a step every leaf is computed by two workers; with one leaf in n audited, a step in n takes about twice as long.
public struct AuditSchedule: Sendable {
    private let seed: UInt64
    /// In 0…1.
    public let fraction: Double

    public init(seed: UInt64, fraction: Double) {
        self.seed = seed
        self.fraction = fraction
    }

    public func isDue(step: UInt64) -> Bool {
        guard fraction > 0 else { return false }
        let word = RandomStream(seed: seed, purpose: .audit, step: step).words(0).x
        return Double(word) < fraction * 0x1p32
    }
}

/// What a worker has got for a node of the tree: not the sums, but what tells them apart.
public struct AuditReport: Equatable, Sendable {
    public var step: UInt64
    public var node: TreeNode
    public var loss: Double
    /// By chunk.
    public var checksums: [UInt64]

    public init(step: UInt64, node: TreeNode, loss: Double, checksums: [UInt64]) {
        self.step = step
        self.node = node
        self.loss = loss
        self.checksums = checksums
    }

    /// The first chunk whose bits differ; chunk 0 carries the loss.
    func firstDifference(from other: AuditReport) -> Int? {
        if loss.bitPattern != other.loss.bitPattern { return 0 }
        return zip(checksums, other.checksums).enumerated().first { $1.0 != $1.1 }?.offset
    }
}

/// The reports of the last two steps, until a second worker's comes.
struct AuditBook: Sendable {
    enum Verdict: Equatable, Sendable {
        /// Nothing to compare with: the first report, or the same worker's again.
        case noted
        case same
        case different(chunk: Int, formerName: String)
    }

    private struct Key: Hashable {
        var step: UInt64
        var node: TreeNode
    }

    private struct Entry {
        var worker: WorkerID
        var name: String
        var report: AuditReport
        var isCompared = false
    }

    private static let stepsKept: UInt64 = 2
    private var entries: [Key: Entry] = [:]
    private var newest: UInt64 = 0

    mutating func take(_ report: AuditReport, from worker: WorkerID, name: String) -> Verdict {
        if report.step > newest {
            newest = report.step
            entries = entries.filter { $0.key.step + Self.stepsKept > newest }
        }
        let key = Key(step: report.step, node: report.node)
        guard let former = entries[key] else {
            entries[key] = Entry(worker: worker, name: name, report: report)
            return .noted
        }
        guard former.worker != worker else { return .noted }
        if let chunk = report.firstDifference(from: former.report) { return .different(chunk: chunk, formerName: former.name) }
        guard !former.isCompared else { return .noted }
        entries[key]?.isCompared = true
        return .same
    }
}
