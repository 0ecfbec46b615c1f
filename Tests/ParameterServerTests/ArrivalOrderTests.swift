import Exactness
import Kernels
import NeuralNet
import Optimization
import ParameterServer
import Testing

/// Mode fast: the order of arrival is all that the bits depend on beside the gradients, and it is told.
@Suite struct ArrivalOrderTests {
    private static let steps = 4

    /// What was told of a step: by chunk, the nodes in their order.
    private typealias Arrivals = [[TreeNode]]

    private final class Notes {
        var steps: [Arrivals] = []
    }

    private func server(_ problem: Problem, chunkByteCount: Int = 65_536) throws -> (ServerHarness, Notes) {
        let harness = try ServerHarness(problem, chunkByteCount: chunkByteCount)
        let notes = Notes()
        harness.server.sumInArrivalOrder { server in
            let arrivals = server.chunksInArrivalOrder.map { chunk in
                (0..<server.arrivalCount(ofChunk: chunk)).map { server.arrival($0, ofChunk: chunk) }
            }
            notes.steps.append(arrivals)
        }
        return (harness, notes)
    }

    private static let rules: [RuleSpecification] = [.sgd(learningRate: 0.1), .adam()]

    /// Workers come and go, messages overtake each other, answers come twice.
    @Test(arguments: rules, 1...5)
    func whatWasToldGivesTheSameBitsAgain(_ rule: RuleSpecification, seed: Int) throws {
        for treatment in [GradientTreatment(clipValue: 0.5, l2: 1e-3), GradientTreatment(clipNorm: 0.1)] {
            let problem = try Problem(rule, shardCount: 8, treatment: treatment)
            let sums = (0..<UInt64(Self.steps)).map { StepSums(problem, step: $0) }
            let (first, notes) = try server(problem)
            var disorder = Disorder(seed: UInt64(seed))
            for step in sums { disorder.play(step, on: first) }
            #expect(notes.steps.count == Self.steps)

            // Chunk after chunk, without anything that was not used.
            let (second, again) = try server(problem)
            for (step, arrivals) in zip(sums, notes.steps) {
                for (chunk, nodes) in arrivals.enumerated() {
                    for node in nodes { #expect(second.offer(node, chunk, of: step) == .accepted) }
                }
                second.drain()
            }
            #expect(second.server.version == UInt64(Self.steps))
            #expect(again.steps == notes.steps)
            #expect(isEqual(second.server.state.currentWeights.view, first.server.state.currentWeights.view))
            #expect(second.server.lastLoss.bitPattern == first.server.lastLoss.bitPattern)
            #expect(first.outstandingTokens == 0 && !first.hasBrokenTokens)
        }
    }

    @Test func anotherOrderHasOtherBits() throws {
        let problem = try Problem(.sgd(learningRate: 0.1), shardCount: 4)
        let sums = StepSums(problem, step: 0)
        let leaves = (0..<4).map(problem.tree.leaf)
        func weights(_ order: [TreeNode]) throws -> FloatBlock {
            let (harness, _) = try server(problem)
            for chunk in 0..<harness.server.chunks.count {
                for node in order { #expect(harness.offer(node, chunk, of: sums) == .accepted) }
            }
            harness.drain()
            return harness.server.state.currentWeights
        }
        let (first, again, reversed) = (try weights(leaves), try weights(leaves), try weights(leaves.reversed()))
        withExtendedLifetime((first, again, reversed)) {
            #expect(isEqual(first.view, again.view))
            #expect(!isEqual(first.view, reversed.view))
        }
    }

    /// One contribution, or two, have one sum.
    @Test func fewContributionsAreAsExactAsEver() throws {
        let problem = try Problem(.adam(), shardCount: 4)
        let reference = ReferenceRun(problem, steps: Self.steps)
        let (harness, _) = try server(problem)
        for (step, sums) in reference.sums.enumerated() {
            for chunk in 0..<harness.server.chunks.count {
                for node in [problem.tree.root.right, problem.tree.root.left] where sums.gradient(node) != nil {
                    #expect(harness.offer(node, chunk, of: sums) == .accepted)
                }
            }
            harness.drain()
            #expect(reference.states[step].isEqual(to: harness.server))
        }
    }
}
