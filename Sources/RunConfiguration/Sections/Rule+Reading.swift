internal import Optimization

extension RuleSpecification {
    /// The rules of a run file. To support one of the later names, move it up and say how its options are read.
    static let variants: Variants<RuleSpecification> = Names(
        [
            "sgd": { $0.options { readRate($0).map { .sgd(learningRate: $0) } } },
            "momentum": { $0.options(readMomentum) },
            "adam": { $0.options(readAdam) },
            "lbfgs": { $0.options(readLBFGS) },
            "conjugate_gradient": { $0.options(readConjugateGradient) },
        ],
        later: ["adagrad", "rmsprop", "adamw", "adamax", "nadam", "radam", "adadelta"])

    private static func readRate(_ s: Section) -> Double? {
        s.required("learning_rate", .number(.positive))
    }

    private static func readMomentum(_ s: Section) -> RuleSpecification? {
        let rate = readRate(s)
        let momentum = s.value("momentum", .number(.belowOne), default: 0.9)
        let dampening = s.value("dampening", .number(.within(0...1)), default: 0)
        let nesterov = s.value("nesterov", .flag, default: false)
        if nesterov && (momentum == 0 || dampening != 0) {
            s.report("nesterov", "needs momentum > 0 and dampening 0")
        }
        return rate.map { .momentum(learningRate: $0, momentum: momentum, dampening: dampening, nesterov: nesterov) }
    }

    private static func readAdam(_ s: Section) -> RuleSpecification? {
        let rate = s.value("learning_rate", .number(.positive), default: 1e-3)
        let betas = s.value("betas", .list(of: .number(.belowOne), counts: 2...2, "two numbers ≥ 0 and < 1"), default: [0.9, 0.999])
        let epsilon = s.value("epsilon", .number(.positive), default: 1e-8)
        let amsgrad = s.value("amsgrad", .flag, default: false)
        return .adam(learningRate: rate, beta1: betas[0], beta2: betas[1], epsilon: epsilon, amsgrad: amsgrad)
    }
}
