import Testing
import Wire

@testable import Training

@Suite struct RunPlanTests {
    @Test(arguments: [(1, [4, 8, 12, 16, 20]), (2, [8, 16, 20]), (5, [20]), (9, [20])])
    func validationsAreDueEverySoManyEpochsAndAtTheEnd(every: Int, barriers: [UInt64]) {
        let plan = RunPlan.sample(epochs: 5, validateEvery: every)
        #expect(plan.totalSteps == 20)
        #expect((0...20).filter { plan.isBarrier($0) } == barriers)
        for step in UInt64(0)..<20 { #expect(plan.nextBarrier(after: step) == barriers.first { $0 > step }) }
    }

    @Test func partsThatDoNotExistAreNotLookedAt() {
        #expect(RunPlan.sample().validationParts == [.sample, .validation])
        #expect(RunPlan.sample(hasValidation: false).validationParts == [.sample])
        #expect(RunPlan.sample(hasValidation: false).finalParts == [.train, .test])
    }
}
