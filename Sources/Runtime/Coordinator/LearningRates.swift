internal import Optimization

/// The learning rate of every step: the schedule, and what it has seen of the validations. Belongs to the coordinator's one thread.
final class LearningRates {
    let schedule: LearningRateSchedule
    /// Travels in checkpoints.
    private(set) var plateau: PlateauState

    init(_ schedule: LearningRateSchedule, plateau: PlateauState = PlateauState()) {
        self.schedule = schedule
        self.plateau = plateau
    }

    func rate(step: UInt64) -> Double {
        schedule.rate(step: step, plateau: plateau)
    }

    /// Looks at a validation; the new rate if it is reduced.
    func observe(validationLoss: Double, after steps: UInt64) -> Double? {
        schedule.observe(validationLoss: validationLoss, after: steps, &plateau) ? rate(step: steps) : nil
    }
}
