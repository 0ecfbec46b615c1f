public import NeuralNet

extension Optimizer {
    /// An optimizer of a model's own weights from its own gradient; parameters have the layout's names.
    /// - Parameters:
    ///   - groups: parameters with options of their own: `ParameterGroup(match: "layers.head.*", rule: .adam(learningRate: 1e-4))`.
    ///   - schedule: what the rate follows; nil: it stays the rule's.
    public convenience init(
        _ rule: RuleSpecification, for model: Model, treatment: GradientTreatment = GradientTreatment(), groups: [ParameterGroup] = [],
        schedule: LearningRateSchedule? = nil
    ) throws(OptimizationError) {
        guard !rule.isClosureRule || model.network.layout.runningStatistics.isEmpty else {
            throw .option(
                "rule",
                problem: "\(rule.keyword) does not go with batch_norm: every evaluation of a step would move its running statistics")
        }
        try self.init(
            rule: rule, treatment: treatment, groups: groups, schedule: schedule, weights: model.weights, gradient: model.gradient,
            segments: model.network.layout.updateSegments)
    }
}
