package import Kernels

/// The scalars of one step: rate, bias corrections and so on, computed once in double from + − × ÷ √ alone, then rounded to Float.
///
/// So they have the same bits on every machine; libm has no part in them.
public struct StepScalars: Equatable, Sendable {
    /// From 1.
    public internal(set) var step: UInt64
    public internal(set) var learningRate: Double
    /// By class of the updater's parameters.
    package internal(set) var constants: [RuleConstants]
}

extension RuleSpecification {
    func constants(step: UInt64, rate: Double) -> RuleConstants {
        switch self {
        case .sgd:
            return RuleConstants(.sgd, rate: Float(rate))
        case .momentum(_, let momentum, let dampening, let nesterov):
            var constants = RuleConstants(nesterov ? .nesterov : .momentum, rate: Float(rate))
            constants.velocityKeep = step == 1 ? 0 : Float(momentum)
            constants.velocityGain = step == 1 ? 1 : Float(1 - dampening)
            constants.momentum = Float(momentum)
            return constants
        case .adagrad(_, let rateDecay, _, let epsilon):
            var constants = RuleConstants(.adagrad, rate: Float(rate / (1 + Double(step - 1) * rateDecay)))
            constants.epsilon = Float(epsilon)
            return constants
        case .rmsprop(_, let alpha, let epsilon, let centered, let momentum):
            let loop: RuleConstants.Loop =
                switch (centered, momentum > 0) {
                case (false, false): .rmsprop
                case (false, true): .rmspropMomentum
                case (true, false): .rmspropCentered
                case (true, true): .rmspropCenteredMomentum
                }
            var constants = RuleConstants(loop, rate: Float(rate))
            (constants.secondKeep, constants.secondGain) = (Float(alpha), Float(1 - alpha))
            (constants.firstGain, constants.momentum, constants.epsilon) = (Float(1 - alpha), Float(momentum), Float(epsilon))
            return constants
        case .adam(_, let beta1, let beta2, let epsilon, let amsgrad):
            return adam(step: step, rate: rate, beta1, beta2, epsilon, amsgrad)
        case .adamw(_, let beta1, let beta2, let epsilon, let amsgrad, let weightDecay):
            var constants = adam(step: step, rate: rate, beta1, beta2, epsilon, amsgrad)
            constants.weightKeep = Float(1 - rate * weightDecay)
            return constants
        case .adamax(_, let beta1, let beta2, let epsilon):
            return moments(.adamax, rate / (1 - beta1.power(step)), beta1, beta2, epsilon)
        case .nadam(_, let beta1, let beta2, let epsilon, let momentumDecay):
            let schedule = NAdamSchedule(beta1: beta1, decay: momentumDecay, step: step)
            var constants = moments(.nadam, rate * schedule.next / (1 - schedule.product * schedule.next), beta1, beta2, epsilon)
            constants.gradientRate = Float(rate * (1 - schedule.current) / (1 - schedule.product))
            constants.rootScale = Float(1 / (1 - beta2.power(step)).exactRoot)
            return constants
        case .radam(_, let beta1, let beta2, let epsilon):
            let corrections = (first: 1 - beta1.power(step), second: 1 - beta2.power(step))
            guard let rectification = rectification(beta2: beta2, step: step) else {
                return moments(.radamPlain, rate / corrections.first, beta1, beta2, epsilon)
            }
            let scale = corrections.second.exactRoot * rectification
            return moments(.radamRectified, rate / corrections.first * scale, beta1, beta2, epsilon)
        case .adadelta(_, let rho, let epsilon):
            return moments(.adadelta, rate, 0, rho, epsilon)
        case .lbfgs, .conjugateGradient:
            preconditionFailure("\(keyword) is not a pass over the block: a ClosureMachine takes its steps")
        }
    }

    private func adam(
        step: UInt64, rate: Double, _ beta1: Double, _ beta2: Double, _ epsilon: Double, _ amsgrad: Bool
    ) -> RuleConstants {
        let corrections = (first: 1 - beta1.power(step), second: 1 - beta2.power(step))
        var constants = moments(amsgrad ? .amsgrad : .adam, rate / corrections.first, beta1, beta2, epsilon)
        constants.rootScale = Float(1 / corrections.second.exactRoot)
        return constants
    }

    private func moments(
        _ loop: RuleConstants.Loop, _ rate: Double, _ beta1: Double, _ beta2: Double, _ epsilon: Double
    ) -> RuleConstants {
        var constants = RuleConstants(loop, rate: Float(rate))
        constants.firstGain = Float(1 - beta1)
        (constants.secondKeep, constants.secondGain) = (Float(beta2), Float(1 - beta2))
        constants.epsilon = Float(epsilon)
        return constants
    }

    /// Liu et al. 2020, algorithm 2: r_t, nil where the variance is intractable (ρ_t ≤ 5, PyTorch's bound).
    private func rectification(beta2: Double, step: UInt64) -> Double? {
        let power = beta2.power(step)
        let limit = 2 / (1 - beta2) - 1
        let length = limit - 2 * Double(step) * power / (1 - power)
        guard length > 5 else { return nil }
        return ((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)).exactRoot
    }
}

/// NAdam's momentum at a step: μ_t, μ_{t+1} and μ_1⋯μ_t.
private struct NAdamSchedule {
    let current: Double
    let next: Double
    let product: Double

    init(beta1: Double, decay: Double, step: UInt64) {
        let base = (decay * Self.logarithm).exponential
        current = beta1 * (1 - base.power(step) / 2)
        next = beta1 * (1 - base.power(step + 1) / 2)
        var product = 1.0
        var power = 1.0
        var index: UInt64 = 0
        // A product below half an ulp of 1 no longer changes 1 − product.
        while index < step && product > 0x1p-54 {
            power *= base
            product *= beta1 * (1 - power / 2)
            index += 1
        }
        self.product = product
    }

    /// ln 0.96.
    private static let logarithm = -0.040821994520255166
}
