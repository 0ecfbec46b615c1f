extension RuleSpecification {
    /// Throws the first option outside its range, named as in a run file.
    public func validate() throws(OptimizationError) {
        try check("learning_rate", learningRate, Self.nonNegative)
        switch self {
        case .sgd: break
        case .momentum(_, let momentum, let dampening, let nesterov):
            try check("momentum", momentum, Self.share)
            try check("dampening", dampening, Self.dampening)
            if nesterov && (momentum == 0 || dampening != 0) {
                throw .option(
                    "nesterov", problem: "needs momentum above 0 and dampening 0, got momentum \(momentum), dampening \(dampening)")
            }
        case .adam(_, let beta1, let beta2, let epsilon, _), .adamax(_, let beta1, let beta2, let epsilon):
            try check(beta1, beta2, epsilon)
        case .adamw(_, let beta1, let beta2, let epsilon, _, let weightDecay):
            try check(beta1, beta2, epsilon)
            try check("weight_decay", weightDecay, Self.nonNegative)
        case .nadam(_, let beta1, let beta2, let epsilon, let momentumDecay):
            try check(beta1, beta2, epsilon)
            try check("momentum_decay", momentumDecay, Self.nonNegative)
        case .radam(_, let beta1, let beta2, let epsilon):
            try check(beta1, beta2, epsilon)
            if beta2 <= 0.6 {
                throw .option("betas", problem: "radam's second must be above 0.6, where its variance is defined, got \(beta2)")
            }
        case .adagrad(_, let rateDecay, let initial, let epsilon):
            try check("rate_decay", rateDecay, Self.nonNegative)
            try check("initial_accumulator", initial, Self.nonNegative)
            try check("epsilon", epsilon, Self.epsilon)
        case .rmsprop(_, let alpha, let epsilon, _, let momentum):
            try check("alpha", alpha, Self.share)
            try check("epsilon", epsilon, Self.epsilon)
            try check("momentum", momentum, Self.share)
        case .adadelta(_, let rho, let epsilon):
            try check("rho", rho, Self.share)
            try check("epsilon", epsilon, Self.epsilon)
        case .lbfgs, .conjugateGradient: try validateClosureOptions()
        }
    }

    /// Throws where a treatment does not go with the rule, or is outside its range.
    public func validate(with treatment: GradientTreatment) throws(OptimizationError) {
        try validate()
        if let clip = treatment.clipValue, !(clip > 0 && clip.isFinite) {
            throw .option("clip.value", problem: "must be a positive number, got \(clip)")
        }
        if let clip = treatment.clipNorm, !(clip > 0 && Float(clip).isFinite) {
            throw .option("clip.global_norm", problem: "must be a positive number, got \(clip)")
        }
        if treatment.clipValue != nil && treatment.clipNorm != nil {
            throw .option("clip", problem: "must be by value or by global norm, got both")
        }
        if let limit = treatment.maxNorm, !(limit > 0 && limit.isFinite) {
            throw .option("regularization.max_norm", problem: "must be a positive number, got \(limit)")
        }
        try check("regularization.l2", treatment.l2, Self.nonNegative)
        try check("regularization.l1", treatment.l1, Self.nonNegative)
        try validateCompanions(treatment)
        if case .adamw = self, treatment.l2 != 0 {
            throw .option("regularization.l2", problem: "adamw decays weights itself: use its weight_decay, or rule adam with l2")
        }
    }

    /// Throws where a group's options are outside their ranges, or do not go with this rule.
    func validate(_ group: ParameterGroup) throws(OptimizationError) {
        if let rule = group.rule {
            guard rule.keyword == keyword else {
                throw .option("rule", problem: "must be \(keyword), the optimizer's rule, got \(rule.keyword)")
            }
            try rule.validate()
        }
        if let l1 = group.l1 { try check("l1", l1, Self.nonNegative) }
        if let l2 = group.l2 { try check("l2", l2, Self.nonNegative) }
        if case .adamw = self, let l2 = group.l2, l2 != 0 {
            throw .option("l2", problem: "adamw decays weights itself: use its weight_decay, or rule adam with l2")
        }
        if isClosureRule, case .length? = group.maxNorm { throw .option("max_norm", problem: rowsDoNotGo) }
        if case .length(let limit)? = group.maxNorm, !(limit > 0 && limit.isFinite) {
            throw .option("max_norm", problem: "must be a positive number, got \(limit)")
        }
    }

    private struct Allowed {
        let text: String
        let contains: (Double) -> Bool
    }

    private static var nonNegative: Allowed {
        Allowed(text: "must be a number from 0 to \(Float.greatestFiniteMagnitude)") { $0 >= 0 && Float($0).isFinite }
    }
    private static var share: Allowed { Allowed(text: "must be at least 0 and below 1") { $0 >= 0 && Float($0) < 1 } }
    private static var dampening: Allowed { Allowed(text: "must be between 0 and 1") { $0 >= 0 && $0 <= 1 } }
    /// Smaller ones would be 0 in Float arithmetic, and 0 ÷ 0 where a gradient has always been 0.
    private static var epsilon: Allowed {
        Allowed(text: "must be at least \(Float.leastNormalMagnitude) and finite") { Float($0).isNormal && $0 > 0 }
    }

    private func check(_ option: String, _ value: Double, _ allowed: Allowed) throws(OptimizationError) {
        guard allowed.contains(value) else { throw .option(option, problem: "\(allowed.text), got \(value)") }
    }

    private func check(_ beta1: Double, _ beta2: Double, _ epsilon: Double) throws(OptimizationError) {
        try check("betas", beta1, Self.share)
        try check("betas", beta2, Self.share)
        try check("epsilon", epsilon, Self.epsilon)
    }
}
