internal import CKernels

/// A rule's loop and its constants in one step, rounded to Float; each loop reads those it names.
package struct RuleConstants: Equatable, Sendable {
    package enum Loop: UInt32, CaseIterable, Sendable {
        case sgd, momentum, nesterov, adagrad
        case rmsprop, rmspropMomentum, rmspropCentered, rmspropCenteredMomentum
        case adam, amsgrad, adamax, nadam, radamPlain, radamRectified, adadelta

        package var slotCount: Int {
            switch self {
            case .sgd: 0
            case .momentum, .nesterov, .adagrad, .rmsprop: 1
            case .rmspropMomentum, .rmspropCentered, .adam, .adamax, .nadam, .radamPlain, .radamRectified, .adadelta: 2
            case .rmspropCenteredMomentum, .amsgrad: 3
            }
        }
    }

    package var loop: Loop
    /// What multiplies the direction.
    package var rate: Float
    /// NAdam: what multiplies the gradient in the direction.
    package var gradientRate: Float = 0
    /// Decoupled decay: the weight is multiplied by it first.
    package var weightKeep: Float = 1
    package var velocityKeep: Float = 0
    package var velocityGain: Float = 0
    /// Nesterov's and RMSProp's μ.
    package var momentum: Float = 0
    package var firstGain: Float = 0
    package var secondKeep: Float = 0
    package var secondGain: Float = 0
    /// What multiplies √v before ε is added.
    package var rootScale: Float = 1
    package var epsilon: Float = 0

    package init(_ loop: Loop, rate: Float) {
        self.loop = loop
        self.rate = rate
    }

    func words(_ treatment: GradientConstants) -> dnn_rule {
        dnn_rule(
            kind: loop.rawValue, scale: treatment.scale, limit: treatment.limit, l2: treatment.l2, l1: treatment.l1, rate: rate,
            gradient_rate: gradientRate, weight_keep: weightKeep, velocity_keep: velocityKeep, velocity_gain: velocityGain,
            momentum: momentum, first_gain: firstGain,
            second_keep: secondKeep, second_gain: secondGain, root_scale: rootScale, epsilon: epsilon)
    }
}

/// What is done to the mean gradient before the rule, rounded to Float.
package struct GradientConstants: Equatable, Sendable {
    /// What every element is multiplied by first; 1: nothing.
    package var scale: Float
    /// Every element is brought into ±limit; infinity: not clipped.
    package var limit: Float
    package var l2: Float
    package var l1: Float

    package init(scale: Float = 1, limit: Float = .infinity, l2: Float = 0, l1: Float = 0) {
        self.scale = scale
        self.limit = limit
        self.l2 = l2
        self.l1 = l1
    }
}

extension Double {
    /// √x, correctly rounded, without libm.
    package var exactRoot: Double { dnn_square_root(self) }
}
