import Kernels
import Testing

@testable import Optimization

/// L-BFGS and conjugate gradient against PyTorch's and SciPy's optima and counts of evaluations.
@Suite struct ClosureOracleTests {
    /// Weights are floats, and at a minimum the loss says little of them: relative to the largest.
    private static let weightTolerance = 1e-3
    /// Float weights stop this far above a minimum of losses around 1.
    private static let lossTolerance = 1e-6
    private static let mostEvaluationsOverPeer = 2

    @Test(arguments: ClosureCase.all)
    func lbfgsArrivesWherePyTorchDoes(_ oracle: ClosureCase) throws {
        try check(oracle, .lbfgs(LBFGSOptions(history: 10)), peer: oracle.lbfgs)
    }

    @Test(arguments: ClosureCase.all)
    func conjugateGradientArrivesWhereSciPyDoes(_ oracle: ClosureCase) throws {
        try check(oracle, .conjugateGradient(), peer: oracle.cg)
    }

    private func check(_ oracle: ClosureCase, _ rule: RuleSpecification, peer: ClosureCase.Peer) throws {
        let run = try ClosureRun(oracle.made(), rule: rule)
        var evaluationsNeeded: Int?
        while run.evaluations < Self.mostEvaluationsOverPeer * peer.evaluations, evaluationsNeeded == nil {
            try run.step()
            if run.loss <= peer.loss + Self.lossTolerance { evaluationsNeeded = run.evaluations }
        }
        #expect(try #require(evaluationsNeeded) <= Self.mostEvaluationsOverPeer * peer.evaluations)
        let largest = peer.weights.map(abs).max() ?? 0
        for (ours, theirs) in zip(run.optimizer.weights.values, peer.weights) {
            #expect(abs(Double(ours) - theirs) <= Self.weightTolerance * largest)
        }
    }
}
