import Exactness

/// A closure rule's server without numbers: it counts rounds and steps.
struct FakeSearch {
    let passes: StepPasses
    /// How many evaluations a step takes.
    var evaluations: (_ step: UInt64) -> Int = { _ in 3 }
    private(set) var completedSteps: UInt64 = 0
    private(set) var completedPasses = 0
    private var roundsLeft = 0
    private var isIdle = true

    init(passes: StepPasses) {
        self.passes = passes
    }

    /// The step of the plan whose rows the open round takes; nil between steps.
    var planStep: UInt64? {
        guard roundsLeft > 0 else { return nil }
        let batches = passes.batches(of: completedSteps)
        return batches.upperBound - 1 - UInt64((roundsLeft - 1) % batches.count)
    }

    /// Whether a step has begun.
    mutating func begin() -> Bool {
        guard isIdle else { return false }
        isIdle = false
        roundsLeft = evaluations(completedSteps) * passes.batches(of: completedSteps).count
        return true
    }

    /// The number of complete steps, where a step is complete.
    mutating func gradientCompleted() -> UInt64? {
        roundsLeft -= 1
        if roundsLeft % passes.batches(of: completedSteps).count == 0 { completedPasses += 1 }
        guard roundsLeft == 0 else { return nil }
        completedSteps += 1
        isIdle = true
        return completedSteps
    }
}
