public import Optimization

/// Everything under `optimizer` and `regularization`.
public struct OptimizerSettings: Codable, Equatable, Sendable {
    public var rule: RuleSpecification
    /// Clipping and penalties.
    public var treatment: GradientTreatment

    public init(rule: RuleSpecification, treatment: GradientTreatment = GradientTreatment()) {
        self.rule = rule
        self.treatment = treatment
    }
}

extension OptimizerSettings {
    /// Everything but the penalties. nil if there is no rule that can be read.
    static func read(_ s: Section) -> OptimizerSettings? {
        let rule = s.requiredVariant("rule", RuleSpecification.variants)
        _ = s.variant("schedule", scheduleVariants, default: true)
        let warmupSteps = s.value("warmup_steps", .whole(in: 0...Ranges.rows), default: 0)
        s.notYet("warmup_steps", unless: warmupSteps == 0, only: "0")
        let startFactor = s.value("warmup_start_factor", .number(.within(0...1)), default: standardStartFactor)
        s.notYet("warmup_start_factor", unless: startFactor == standardStartFactor, only: Scalar.decimal(standardStartFactor))
        let clip = s.variant("clip", clipVariants, default: nil)
        if let groups = s.entry("groups") {
            if case .list(let items) = groups.value.content {
                s.notYet("groups", unless: items.isEmpty, only: "[]")
            } else {
                s.report("groups", "must be a list of groups, got \(groups.value.summary)")
            }
        }
        guard let rule, let clip else { return nil }
        return OptimizerSettings(rule: rule, treatment: GradientTreatment(clipValue: clip))
    }

    /// Reads `regularization`.
    static func readPenalties(_ s: Section) -> (l1: Double, l2: Double) {
        let l1 = s.value("l1", .number(.nonNegative), default: 0)
        let l2 = s.value("l2", .number(.nonNegative), default: 0)
        let limit = s.optional("max_norm", .number(.positive))
        s.notYet("max_norm", unless: limit == nil, only: "none")
        return (l1, l2)
    }

    mutating func add(_ penalties: (l1: Double, l2: Double)) {
        treatment.l1 = penalties.l1
        treatment.l2 = penalties.l2
    }

    /// A constant rate is the only schedule; nothing needs to be kept of it.
    private static let scheduleVariants: Variants<Bool> = Names(
        ["constant": { $0.plain(true) }],
        later: ["step", "exponential", "cosine", "polynomial", "one_cycle", "reduce_on_plateau"])

    private static let clipVariants: Variants<Double?> = Names(
        [
            "value": { $0.value(.number(.positive)).map(Optional.some) },
            "none": { $0.plain(nil) },
        ],
        later: ["global_norm"])

    private static let standardStartFactor = 0.1

    var outline: Outline {
        .map([
            .init("rule", rule.outline, .bits),
            .init("schedule", .word("constant"), .bits),
            .init("warmup_steps", .whole(0), .bits),
            .init("warmup_start_factor", .number(Self.standardStartFactor), .bits),
            .init("clip", treatment.clipValue.map { .single("value", .number($0)) } ?? .none, .bits),
            .init("groups", .list([]), .bits),
        ])
    }

    var regularizationOutline: Outline {
        .map([
            .init("l1", .number(treatment.l1), .bits),
            .init("l2", .number(treatment.l2), .bits),
            .init("max_norm", .none, .bits),
        ])
    }
}
