/// The verdict on a run: is it good on the data it was trained on; if so, is it as good on others; if not, why, and what to try next.
///
/// The order is the recipe's (techniques.md §1): training data first, held-out data only for a net that fits it, and every remedy for its
/// own problem.
public struct Diagnosis: Equatable, Sendable {
    public enum Training: String, Codable, Sendable {
        case fitted
        case notFitted = "not_fitted"
    }

    public enum HeldOut: String, Codable, Sendable {
        case good
        case overfitting
        /// The net does not fit its training data, or there are no other rows.
        case unknown
    }

    public enum CauseID: String, Codable, Sendable, CaseIterable {
        case vanishingGradient = "vanishing_gradient"
        case explodingGradient = "exploding_gradient"
        case deadUnits = "dead_units"
        case saturatedUnits = "saturated_units"
        case learningRateTooHigh = "learning_rate_too_high"
        case learningRateTooLow = "learning_rate_too_low"
        case plateau
        case overRegularised = "over_regularised"
        case tooSmallModel = "too_small_model"
        case tooLittleData = "too_little_data"
        case overfitting
        case nonFinite = "non_finite"
    }

    public struct Cause: Equatable, Sendable {
        public var id: CauseID
        /// The layer that shows it most, where layers differ.
        public var layer: String?
        /// The figures that decided it, by name.
        public var evidence: [String: Double]
        public var because: String
    }

    /// A change of the run file.
    public struct Change: Equatable, Sendable, Codable {
        /// `KEY=VALUE`, as `--set` takes it.
        public var set: String
        public var because: String
    }

    /// The figures that the two answers rest on.
    public struct Basis: Equatable, Sendable {
        public enum Metric: String, Sendable {
            case accuracy
            case r2 = "R²"
        }

        public var metric: Metric
        /// In inference mode, at the final weights; of the fixed sample where a run did not come to its end.
        public var training: Double?
        public var trainingLoss: Double?
        /// The training loss over a constant prediction's.
        public var lossShare: Double?
        /// From which value a net counts as fitted.
        public var bound: Double
        /// Whether `diagnose.fitted` says so and not the default.
        public var isOwnBound: Bool
        public var heldOut: Double?
        public var heldOutRows: Int?
    }

    public var training: Training
    public var heldOut: HeldOut
    /// The heaviest first; empty when nothing is wrong.
    public var causes: [Cause]
    public var next: [Change]
    public var basis: Basis

    public init(_ evidence: RunEvidence) {
        let signals = Signals(evidence)
        var findings: [(rule: Rule, finding: Finding)] = []
        for rule in Rule.all {
            if let finding = rule.find(signals) { findings.append((rule, finding)) }
        }
        // Stable, so that rules of equal weight stay in the order of the table.
        let sorted = findings.enumerated().sorted {
            ($0.element.finding.weight, -$0.offset) > ($1.element.finding.weight, -$1.offset)
        }.map(\.element)
        let kept = sorted.enumerated().filter { index, entry in
            !sorted[..<index].contains { entry.rule.yieldsTo.contains($0.rule.id) }
        }.map(\.element)

        training = signals.isFitted ? .fitted : .notFitted
        heldOut = signals.heldOut
        causes = kept.map {
            Cause(id: $0.rule.id, layer: $0.finding.layer, evidence: $0.finding.evidence, because: $0.finding.because)
        }
        var next: [Change] = []
        func key(_ change: Change) -> Substring { change.set.prefix { $0 != "=" } }
        // What made the numbers run away comes before that they did.
        let byRoot = kept.filter { $0.rule.id != .nonFinite } + kept.filter { $0.rule.id == .nonFinite }
        for change in byRoot.flatMap({ $0.rule.advise(signals, $0.finding) }) where !next.contains(where: { key($0) == key(change) }) {
            next.append(change)
        }
        if kept.isEmpty, !signals.isFitted { next = signals.goOn() }
        self.next = next
        basis = signals.basis
    }
}
