/// The learning rate of every step of a run, a pure function of the step and of what `reduce_on_plateau` has seen.
///
/// Warm-up comes first: base·(f + (1−f)·t/W) for t < W, f the start factor. Then the schedule starts at its step 0; validations before
/// that do not count. No libm value is in a rate, so its bits are the same on every machine.
public struct LearningRateSchedule: Codable, Equatable, Sendable {
    /// The rule's own rate. Groups with rates of their own follow it: theirs are multiplied by rate ÷ base.
    public let base: Double
    public let specification: ScheduleSpecification
    public let warmupSteps: UInt64
    public let warmupStartFactor: Double
    /// Steps of the whole run as it was begun; frozen from then on.
    public let horizon: UInt64

    public init(
        base: Double, specification: ScheduleSpecification = .constant, warmupSteps: Int = 0, warmupStartFactor: Double = 0.1,
        horizon: UInt64 = 0
    ) {
        self.base = base
        self.specification = specification
        self.warmupSteps = UInt64(max(0, warmupSteps))
        self.warmupStartFactor = warmupStartFactor
        self.horizon = horizon
    }

    /// - Parameter step: from 0.
    public func rate(step: UInt64, plateau: PlateauState = PlateauState()) -> Double {
        guard step >= warmupSteps else {
            return base * (warmupStartFactor + (1 - warmupStartFactor) * (Double(step) / Double(warmupSteps)))
        }
        return scheduled(step - warmupSteps, plateau)
    }

    /// Tells `reduce_on_plateau` of a validation after so many steps; whether it reduces the rate.
    public func observe(validationLoss: Double, after steps: UInt64, _ plateau: inout PlateauState) -> Bool {
        guard case .reduceOnPlateau(_, let patience, let minDelta, _) = specification, steps > warmupSteps || warmupSteps == 0 else {
            return false
        }
        return plateau.observe(loss: validationLoss, patience: patience, minDelta: minDelta)
    }

    private func scheduled(_ step: UInt64, _ plateau: PlateauState) -> Double {
        switch specification {
        case .constant:
            return base
        case .step(let size, let gamma):
            return base * gamma.power(step / UInt64(size))
        case .exponential(let gamma):
            return base * gamma.power(step)
        case .cosine(let steps, let minRate):
            let span = length(steps)
            return Self.between(base, minRate, share: Double(step % (2 * span)) / Double(span))
        case .polynomial(let steps, let power):
            let span = length(steps)
            return base * (Double(span - min(step, span)) / Double(span)).power(power)
        case .oneCycle(let maxRate, let totalSteps):
            return Self.cycle(step, of: length(totalSteps), maxRate: maxRate)
        case .reduceOnPlateau(let factor, _, _, let minRate):
            return min(base, max(minRate, base * factor.power(plateau.reductions)))
        }
    }

    private func length(_ steps: Int?) -> UInt64 {
        max(steps.map(UInt64.init) ?? horizon, 1)
    }

    /// Half a cosine: `start` at share 0, `end` at 1, `start` again at 2.
    private static func between(_ start: Double, _ end: Double, share: Double) -> Double {
        end + (start - end) / 2 * (1 + share.cosineOfHalfTurns)
    }

    private static func cycle(_ step: UInt64, of total: UInt64, maxRate: Double) -> Double {
        let start = maxRate / 25
        let last = Double(total - 1)
        let peak = 0.3 * Double(total) - 1
        let position = min(Double(step), last)
        if position <= peak { return between(start, maxRate, share: position / peak) }
        return between(maxRate, start / 10_000, share: last > peak ? (position - peak) / (last - peak) : 1)
    }
}
