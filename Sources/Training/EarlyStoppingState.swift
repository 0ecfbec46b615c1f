/// What early stopping has seen so far; travels in checkpoints, so that a resumed run decides as an undisturbed one.
///
/// - Source: Prechelt, "Early Stopping – But When?", 1998, the criterion UP with patience counted in validations.
public struct EarlyStoppingState: Codable, Equatable, Sendable {
    /// A validation that was the best when it was made.
    public struct Best: Codable, Equatable, Sendable {
        public var value: Double
        public var step: UInt64
        public var epoch: Int
    }

    public private(set) var best: Best?
    public private(set) var validationsWithoutGain = 0
    /// The step of the newest validation that has its verdict; a checkpoint made between barrier and verdict lacks it, and resuming
    /// from it validates first.
    public private(set) var judgedStep: UInt64?
    /// Why training has stopped, if it has: what is left to do are the final figures.
    public private(set) var stopReason: String?

    public enum Verdict: Equatable, Sendable {
        case improved
        case notImproved
        case stop(reason: String, improved: Bool)
    }

    public init() {}

    /// Notes that the barrier at `step` is passed without validation rows.
    public mutating func passed(step: UInt64) {
        judgedStep = step
    }

    /// Looks at one validation. Without a policy the best is kept track of and nothing ever stops.
    ///
    /// A figure that is not finite never counts as a gain. One that reaches `stop_at` is the best even if it gains less than `min_delta`.
    public mutating func observe(value: Double, step: UInt64, epoch: Int, policy: EarlyStoppingPolicy?) -> Verdict {
        judgedStep = step
        let policy = policy ?? EarlyStoppingPolicy(patience: .max)
        guard epoch >= policy.startEpoch else { return .notImproved }
        let higherIsBetter = policy.monitor == .validationAccuracy
        func isBetter(_ value: Double, than other: Double, by delta: Double) -> Bool {
            higherIsBetter ? value > other + delta : value < other - delta
        }
        let reached = policy.stopAt.map { value.isFinite && !isBetter($0, than: value, by: 0) } ?? false
        let delta = reached ? 0 : policy.minimumDelta
        let improved = value.isFinite && (best.map { isBetter(value, than: $0.value, by: delta) } ?? true)
        if improved {
            best = Best(value: value, step: step, epoch: epoch)
            validationsWithoutGain = 0
        } else {
            validationsWithoutGain += 1
        }
        if reached, let target = policy.stopAt {
            stopReason = "\(policy.monitor.rawValue) reached \(value), stop_at is \(target)"
        } else if !improved, validationsWithoutGain >= policy.patience {
            let count = policy.patience == 1 ? "at the last validation" : "for \(policy.patience) validations"
            stopReason = "\(policy.monitor.rawValue) has not improved \(count)"
        }
        if let stopReason { return .stop(reason: stopReason, improved: improved) }
        return improved ? .improved : .notImproved
    }
}
