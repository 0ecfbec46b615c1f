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

    public enum Verdict: Equatable, Sendable {
        case improved
        case notImproved
        case stop(reason: String, improved: Bool)
    }

    public init() {}

    /// Looks at one validation. Without a policy the best is kept track of and nothing ever stops.
    ///
    /// A figure that is not a number never counts as a gain.
    public mutating func observe(value: Double, step: UInt64, epoch: Int, policy: EarlyStoppingPolicy?) -> Verdict {
        let policy = policy ?? EarlyStoppingPolicy(patience: .max)
        guard epoch >= policy.startEpoch else { return .notImproved }
        let higherIsBetter = policy.monitor == .validationAccuracy
        let improved: Bool
        if let best {
            improved = higherIsBetter ? value > best.value + policy.minimumDelta : value < best.value - policy.minimumDelta
        } else {
            improved = !value.isNaN
        }
        if improved {
            best = Best(value: value, step: step, epoch: epoch)
            validationsWithoutGain = 0
        } else {
            validationsWithoutGain += 1
        }
        if let target = policy.stopAt, higherIsBetter ? value >= target : value <= target {
            return .stop(reason: "\(policy.monitor.rawValue) reached \(value), stop_at is \(target)", improved: improved)
        }
        if validationsWithoutGain >= policy.patience {
            return .stop(
                reason: "\(policy.monitor.rawValue) has not improved for \(policy.patience) validations", improved: improved)
        }
        return improved ? .improved : .notImproved
    }
}
