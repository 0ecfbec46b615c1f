internal import Optimization

extension RuleSpecification {
    /// The rules of a run file.
    static let variants: Variants<RuleSpecification> = Names(
        [
            "sgd": { read($0, over: .sgd(learningRate: 0)) },
            "momentum": { read($0, over: .momentum(learningRate: 0)) },
            "adagrad": { read($0, over: .adagrad(learningRate: 0)) },
            "rmsprop": { read($0, over: .rmsprop(learningRate: 0)) },
            "adam": { read($0, over: .adam()) },
            "adamw": { read($0, over: .adamw()) },
            "adamax": { read($0, over: .adamax()) },
            "nadam": { read($0, over: .nadam()) },
            "radam": { read($0, over: .radam()) },
            "adadelta": { read($0, over: .adadelta()) },
            "lbfgs": { $0.options(readLBFGS) },
            "conjugate_gradient": { $0.options(readConjugateGradient) },
        ])

    /// - Parameter standard: the rule with its defaults; a rate of 0 stands for none.
    private static func read(_ payload: Payload, over standard: RuleSpecification) -> RuleSpecification? {
        payload.options { s in
            guard standard.learningRate == 0, s.entry("learning_rate") == nil else { return standard.reading(s) }
            _ = standard.reading(s)
            return s.missing("learning_rate", ValueKind.number(.positive).expectation)
        }
    }

    /// The same rule with the options that are written; the others are its own.
    ///
    /// Those of a rule that moves all parameters along one direction are nobody's own.
    func reading(_ s: Section) -> RuleSpecification {
        // The key must not count as known for them.
        if isClosureRule { return self }
        let rate = s.value("learning_rate", .number(.positive), default: learningRate)
        switch self {
        case .sgd:
            return .sgd(learningRate: rate)
        case .momentum(_, let momentum, let dampening, let nesterov):
            return .readMomentum(s, rate, momentum, dampening, nesterov)
        case .adagrad(_, let rateDecay, let initial, let epsilon):
            return .adagrad(
                learningRate: rate, rateDecay: s.value("rate_decay", .number(.nonNegative), default: rateDecay),
                initialAccumulator: s.value("initial_accumulator", .number(.nonNegative), default: initial),
                epsilon: s.epsilon(epsilon))
        case .rmsprop(_, let alpha, let epsilon, let centered, let momentum):
            return .rmsprop(
                learningRate: rate, alpha: s.value("alpha", .number(.belowOne), default: alpha), epsilon: s.epsilon(epsilon),
                centered: s.value("centered", .flag, default: centered),
                momentum: s.value("momentum", .number(.belowOne), default: momentum))
        case .adam(_, let beta1, let beta2, let epsilon, let amsgrad):
            let betas = s.betas(beta1, beta2)
            return .adam(
                learningRate: rate, beta1: betas[0], beta2: betas[1], epsilon: s.epsilon(epsilon),
                amsgrad: s.value("amsgrad", .flag, default: amsgrad))
        case .adamw(_, let beta1, let beta2, let epsilon, let amsgrad, let decay):
            let betas = s.betas(beta1, beta2)
            return .adamw(
                learningRate: rate, beta1: betas[0], beta2: betas[1], epsilon: s.epsilon(epsilon),
                amsgrad: s.value("amsgrad", .flag, default: amsgrad),
                weightDecay: s.value("weight_decay", .number(.nonNegative), default: decay))
        case .adamax(_, let beta1, let beta2, let epsilon):
            let betas = s.betas(beta1, beta2)
            return .adamax(learningRate: rate, beta1: betas[0], beta2: betas[1], epsilon: s.epsilon(epsilon))
        case .nadam(_, let beta1, let beta2, let epsilon, let decay):
            let betas = s.betas(beta1, beta2)
            return .nadam(
                learningRate: rate, beta1: betas[0], beta2: betas[1], epsilon: s.epsilon(epsilon),
                momentumDecay: s.value("momentum_decay", .number(.nonNegative), default: decay))
        case .radam(_, let beta1, let beta2, let epsilon):
            let betas = s.betas(beta1, beta2)
            if betas[1] <= 0.6 {
                s.report("betas", "the second must be > 0.6, where radam's variance is defined, got \(Scalar.decimal(betas[1]))")
            }
            return .radam(learningRate: rate, beta1: betas[0], beta2: betas[1], epsilon: s.epsilon(epsilon))
        case .adadelta(_, let rho, let epsilon):
            return .adadelta(learningRate: rate, rho: s.value("rho", .number(.belowOne), default: rho), epsilon: s.epsilon(epsilon))
        case .lbfgs, .conjugateGradient: return self
        }
    }

    private static func readMomentum(
        _ s: Section, _ rate: Double, _ momentum: Double, _ dampening: Double, _ nesterov: Bool
    ) -> RuleSpecification {
        let momentum = s.value("momentum", .number(.belowOne), default: momentum)
        let dampening = s.value("dampening", .number(.within(0...1)), default: dampening)
        let nesterov = s.value("nesterov", .flag, default: nesterov)
        if nesterov && (momentum == 0 || dampening != 0) {
            s.report("nesterov", "needs momentum > 0 and dampening 0")
        }
        return .momentum(learningRate: rate, momentum: momentum, dampening: dampening, nesterov: nesterov)
    }
}

extension Section {
    fileprivate func betas(_ first: Double, _ second: Double) -> [Double] {
        value("betas", .list(of: .number(.belowOne), counts: 2...2, "two numbers ≥ 0 and < 1"), default: [first, second])
    }

    fileprivate func epsilon(_ standard: Double) -> Double {
        value("epsilon", .number(.positive), default: standard)
    }
}
