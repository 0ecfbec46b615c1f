internal import Optimization

extension RuleSpecification {
    var outline: Outline { .single(keyword, .map(options)) }

    /// Every option, learning_rate first where there is one.
    var options: [Outline.Entry] {
        if let closureOptions { return closureOptions.map { .init($0.key, $0.value, .bits) } }
        let options: KeyValuePairs<String, Outline> =
            switch self {
            case .sgd: [:]
            case .momentum(_, let momentum, let dampening, let nesterov):
                ["momentum": .number(momentum), "dampening": .number(dampening), "nesterov": .flag(nesterov)]
            case .adam(_, let beta1, let beta2, let epsilon, let amsgrad):
                ["betas": .numbers(beta1, beta2), "epsilon": .number(epsilon), "amsgrad": .flag(amsgrad)]
            case .adagrad(_, let rateDecay, let initial, let epsilon):
                ["rate_decay": .number(rateDecay), "initial_accumulator": .number(initial), "epsilon": .number(epsilon)]
            case .rmsprop(_, let alpha, let epsilon, let centered, let momentum):
                ["alpha": .number(alpha), "epsilon": .number(epsilon), "centered": .flag(centered), "momentum": .number(momentum)]
            case .adamw(_, let beta1, let beta2, let epsilon, let amsgrad, let decay):
                [
                    "betas": .numbers(beta1, beta2), "epsilon": .number(epsilon), "amsgrad": .flag(amsgrad),
                    "weight_decay": .number(decay),
                ]
            case .adamax(_, let beta1, let beta2, let epsilon), .radam(_, let beta1, let beta2, let epsilon):
                ["betas": .numbers(beta1, beta2), "epsilon": .number(epsilon)]
            case .nadam(_, let beta1, let beta2, let epsilon, let momentumDecay):
                ["betas": .numbers(beta1, beta2), "epsilon": .number(epsilon), "momentum_decay": .number(momentumDecay)]
            case .adadelta(_, let rho, let epsilon): ["rho": .number(rho), "epsilon": .number(epsilon)]
            case .lbfgs, .conjugateGradient: [:]  // see closureOptions
            }
        let rate = Outline.Entry("learning_rate", .number(learningRate), .bits)
        return [rate] + options.map { .init($0.key, $0.value, .bits) }
    }
}

extension Outline {
    fileprivate static func numbers(_ values: Double...) -> Self { .list(values.map(Outline.number)) }
}
