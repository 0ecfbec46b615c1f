public import Optimization

/// Everything under `optimizer` and `regularization`.
public struct OptimizerSettings: Codable, Equatable, Sendable {
    public var rule: RuleSpecification
    public var schedule: ScheduleSpecification
    /// In steps, before the schedule starts.
    public var warmupSteps: Int
    /// What the rate begins with, as a share of the rule's.
    public var warmupStartFactor: Double
    /// Parameters with options of their own; whether their patterns match anything shows when there is a net.
    public var groups: [ParameterGroup]
    /// Clipping, penalties and row limits.
    public var treatment: GradientTreatment

    public init(
        rule: RuleSpecification, schedule: ScheduleSpecification = .constant, warmupSteps: Int = 0, warmupStartFactor: Double = 0.1,
        groups: [ParameterGroup] = [], treatment: GradientTreatment = GradientTreatment()
    ) {
        self.rule = rule
        self.schedule = schedule
        self.warmupSteps = warmupSteps
        self.warmupStartFactor = warmupStartFactor
        self.groups = groups
        self.treatment = treatment
    }

    /// The rates of a run of so many steps.
    public func schedule(horizon: UInt64) -> LearningRateSchedule {
        LearningRateSchedule(
            base: rule.learningRate, specification: schedule, warmupSteps: warmupSteps, warmupStartFactor: warmupStartFactor,
            horizon: horizon)
    }
}

extension OptimizerSettings {
    /// Everything but the penalties. nil if a part cannot be read.
    static func read(_ s: Section) -> OptimizerSettings? {
        let rule = s.requiredVariant("rule", RuleSpecification.variants)
        let schedule = s.variant("schedule", ScheduleSpecification.variants, default: .constant)
        let warmupSteps = s.value("warmup_steps", .whole(in: 0...Ranges.rows), default: 0)
        let startFactor = s.value("warmup_start_factor", .number(.within(0...1)), default: 0.1)
        let clip = s.variant("clip", clipVariants, default: GradientTreatment())
        let groups = ParameterGroup.readList(s, rule: rule)
        guard let rule, let schedule, let clip, let groups else { return nil }
        return OptimizerSettings(
            rule: rule, schedule: schedule, warmupSteps: warmupSteps, warmupStartFactor: startFactor, groups: groups, treatment: clip)
    }

    /// `regularization`.
    struct Penalties {
        var l1: Double
        var l2: Double
        var maxNorm: Double?

        init(_ s: Section) {
            l1 = s.value("l1", .number(.nonNegative), default: 0)
            l2 = s.value("l2", .number(.nonNegative), default: 0)
            maxNorm = s.optional("max_norm", .number(.positive))
        }
    }

    mutating func add(_ penalties: Penalties) {
        treatment.l1 = penalties.l1
        treatment.l2 = penalties.l2
        treatment.maxNorm = penalties.maxNorm
    }

    private static let clipVariants: Variants<GradientTreatment> = Names([
        "value": { $0.value(.number(.positive)).map { GradientTreatment(clipValue: $0) } },
        "global_norm": { $0.value(.number(.positive)).map { GradientTreatment(clipNorm: $0) } },
        "none": { $0.plain(GradientTreatment()) },
    ])

    var outline: Outline {
        .map([
            .init("rule", rule.outline, .bits),
            .init("schedule", schedule.outline, .bits),
            .init("warmup_steps", .whole(warmupSteps), .bits),
            .init("warmup_start_factor", .number(warmupStartFactor), .bits),
            .init("clip", clipOutline, .bits),
            .init("groups", .list(groups.map { $0.outline(rule: rule) }), .bits),
        ])
    }

    private var clipOutline: Outline {
        if let value = treatment.clipValue { return .single("value", .number(value)) }
        if let norm = treatment.clipNorm { return .single("global_norm", .number(norm)) }
        return .none
    }

    var regularizationOutline: Outline {
        .map([
            .init("l1", .number(treatment.l1), .bits),
            .init("l2", .number(treatment.l2), .bits),
            .init("max_norm", treatment.maxNorm.map(Outline.number) ?? .none, .bits),
        ])
    }
}
