extension RuleSpecification {
    /// Whether a step evaluates the loss several times, so that it takes a closure.
    public var isClosureRule: Bool { closureMethod != nil }

    /// The limits of a closure rule's step; nil for other rules.
    public var closureLimits: ClosureLimits? { closureMethod?.limits }

    /// nil for rules that take one evaluation per step.
    var closureMethod: ClosureMethod? {
        switch self {
        case .lbfgs(let options): .lbfgs(options)
        case .conjugateGradient(let options): .conjugateGradient(options)
        default: nil
        }
    }

    func validateClosureOptions() throws(OptimizationError) {
        guard let limits = closureLimits else { return }
        if case .lbfgs(let options) = self {
            guard options.history >= 1 else { throw .option("history", problem: "must be at least 1, got \(options.history)") }
        }
        if case .conjugateGradient(let options) = self, case .every(let count) = options.restart, count < 1 {
            throw .option("restart", problem: "must be auto or a number of iterations from 1, got \(count)")
        }
        guard limits.maxEvaluations >= ClosureLimits.fewestEvaluations else {
            throw .option("max_evaluations", problem: "must be at least \(ClosureLimits.fewestEvaluations), got \(limits.maxEvaluations)")
        }
        for (name, tolerance) in [
            ("tolerance_gradient", limits.toleranceGradient), ("tolerance_change", limits.toleranceChange),
        ] where !(tolerance >= 0 && tolerance.isFinite) {
            throw .option(name, problem: "must be a number from 0, got \(tolerance)")
        }
    }

    /// Throws what does not go with a search along a line.
    func validateCompanions(_ treatment: GradientTreatment) throws(OptimizationError) {
        guard isClosureRule else { return }
        if treatment.clipValue != nil || treatment.clipNorm != nil {
            throw .option("clip", problem: "does not go with \(keyword): its search needs the gradient of the loss as it is")
        }
        if treatment.maxNorm != nil { throw .option("regularization.max_norm", problem: rowsDoNotGo) }
    }

    var rowsDoNotGo: String { "does not go with \(keyword): weights that are scaled back leave the line it searches" }
}
