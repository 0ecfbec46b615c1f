internal import Optimization

extension ScheduleSpecification {
    static let variants: Variants<ScheduleSpecification> = Names([
        "constant": { $0.plain(.constant) },
        "step": {
            $0.options { s in
                let size = s.required("step_size", .stepCount)
                let gamma = s.value("gamma", .number(.positiveUpToOne), default: 0.1)
                return size.map { .step(stepSize: $0, gamma: gamma) }
            }
        },
        "exponential": { $0.options { $0.required("gamma", .number(.positiveUpToOne)).map { .exponential(gamma: $0) } } },
        "cosine": {
            $0.options { s in
                .cosine(steps: s.optional("steps", .stepCount), minRate: s.value("min_lr", .number(.nonNegative), default: 0))
            }
        },
        "polynomial": {
            $0.options { s in
                .polynomial(steps: s.optional("steps", .stepCount), power: s.value("power", .number(.positive), default: 1))
            }
        },
        "one_cycle": {
            $0.options { s in
                let rate = s.required("max_lr", .number(.positive))
                let steps = s.optional("total_steps", .stepCount)
                return rate.map { .oneCycle(maxRate: $0, totalSteps: steps) }
            }
        },
        "reduce_on_plateau": {
            $0.options { s in
                .reduceOnPlateau(
                    factor: s.value("factor", .number(.properFraction), default: 0.1),
                    patience: s.value("patience", .whole(in: 0...Ranges.epochs), default: 5),
                    minDelta: s.value("min_delta", .number(.nonNegative), default: 0),
                    minRate: s.value("min_rate", .number(.nonNegative), default: 0))
            }
        },
    ])

    var outline: Outline {
        func steps(_ count: Int?) -> Outline { count.map { .whole($0) } ?? .none }
        return switch self {
        case .constant: .word("constant")
        case .step(let size, let gamma): .variant("step", ["step_size": .whole(size), "gamma": .number(gamma)])
        case .exponential(let gamma): .variant("exponential", ["gamma": .number(gamma)])
        case .cosine(let count, let minRate): .variant("cosine", ["steps": steps(count), "min_lr": .number(minRate)])
        case .polynomial(let count, let power): .variant("polynomial", ["steps": steps(count), "power": .number(power)])
        case .oneCycle(let maxRate, let total): .variant("one_cycle", ["max_lr": .number(maxRate), "total_steps": steps(total)])
        case .reduceOnPlateau(let factor, let patience, let minDelta, let minRate):
            .variant(
                "reduce_on_plateau",
                [
                    "factor": .number(factor), "patience": .whole(patience), "min_delta": .number(minDelta), "min_rate": .number(minRate),
                ])
        }
    }
}

extension ValueKind where Value == Int {
    fileprivate static var stepCount: Self { .whole(in: 1...Ranges.rows) }
}
