internal import Optimization

/// Rules that evaluate the loss several times per step.
extension RuleSpecification {
    static func readLBFGS(_ s: Section) -> RuleSpecification? {
        .lbfgs(
            LBFGSOptions(
                learningRate: s.value("learning_rate", .number(.positive), default: 1),
                history: s.value("history", .whole(in: 1...Ranges.history), default: 10),
                lineSearch: s.value("line_search", .choice(Names()), default: LineSearch.strongWolfe),
                limits: readLimits(s)))
    }

    static func readConjugateGradient(_ s: Section) -> RuleSpecification? {
        let iterations = s.optional("restart", .whole(in: 1...Ranges.epochs), nilName: "auto")
        return .conjugateGradient(
            ConjugateGradientOptions(
                restart: iterations.map { .every($0) } ?? .automatic, limits: readLimits(s)))
    }

    private static func readLimits(_ s: Section) -> ClosureLimits {
        ClosureLimits(
            maxEvaluations: s.value(
                "max_evaluations", .whole(in: ClosureLimits.fewestEvaluations...Ranges.evaluations), default: 25),
            toleranceGradient: s.value("tolerance_gradient", .number(.nonNegative), default: 1e-7),
            toleranceChange: s.value("tolerance_change", .number(.nonNegative), default: 1e-9),
            isFullPass: s.value("full_pass", .flag, default: true))
    }

    /// nil for rules of one evaluation per step.
    var closureOptions: KeyValuePairs<String, Outline>? {
        switch self {
        case .lbfgs(let options):
            [
                "learning_rate": .number(options.learningRate), "history": .whole(options.history),
                "max_evaluations": .whole(options.limits.maxEvaluations),
                "tolerance_gradient": .number(options.limits.toleranceGradient),
                "tolerance_change": .number(options.limits.toleranceChange), "line_search": .word(options.lineSearch.rawValue),
                "full_pass": .flag(options.limits.isFullPass),
            ]
        case .conjugateGradient(let options):
            [
                "restart": options.restart.outline, "max_evaluations": .whole(options.limits.maxEvaluations),
                "tolerance_gradient": .number(options.limits.toleranceGradient),
                "tolerance_change": .number(options.limits.toleranceChange), "full_pass": .flag(options.limits.isFullPass),
            ]
        default: nil
        }
    }
}

extension ConjugateGradientOptions.Restart {
    fileprivate var outline: Outline {
        switch self {
        case .automatic: .word("auto")
        case .every(let iterations): .whole(iterations)
        }
    }
}
