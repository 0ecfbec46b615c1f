import Exactness
import Kernels
import Optimization
import Testing

@testable import ParameterServer

@Suite struct ClosureServerTests {
    static let lbfgs = RuleSpecification.lbfgs(LBFGSOptions(history: 3, limits: ClosureLimits(maxEvaluations: 5)))
    static let batchwise = RuleSpecification.lbfgs(LBFGSOptions(history: 3, limits: ClosureLimits(maxEvaluations: 3, isFullPass: false)))
    static let gradients = RuleSpecification.conjugateGradient(ConjugateGradientOptions(limits: ClosureLimits(maxEvaluations: 4)))

    private func expectEqual(_ server: ClosureServer, _ machine: ClosureMachine) {
        #expect(isEqual(server.completeWeights.view, machine.weights.view))
        #expect(server.completeSlots.count == machine.slots.count)
        #expect(zip(server.completeSlots, machine.slots).allSatisfy { isEqual($0.view, $1.view) })
        #expect(server.scalars == machine.scalars)
    }

    @Test(arguments: [lbfgs, batchwise, gradients], [65_536, 131_072])
    func bitsAreThoseOfTheDefinition(rule: RuleSpecification, chunkByteCount: Int) throws {
        let setting = ClosureSetting(rule)
        let harness = try ClosureHarness(setting, chunkByteCount: chunkByteCount)
        for _ in 0..<3 { harness.step { _, leaves in leaves } }
        expectEqual(harness.server, try setting.reference(steps: 3))
        #expect(harness.server.version == 3)
        #expect(harness.outstandingTokens.isEmpty && !harness.givesBackTwice)
    }

    /// Leaves backwards, the root alone, halves, and a node that takes the place of a leaf that has come.
    @Test func neitherOrderNorNodesNorRepetitionsMatter() throws {
        let setting = ClosureSetting(Self.lbfgs, rowCount: 64)
        let harness = try ClosureHarness(setting)
        harness.step { _, leaves in leaves.reversed() }
        harness.step { [tree = setting.tree] _, _ in [tree.root] }
        harness.step { [tree = setting.tree] round, leaves in
            round.number % 2 == 0 ? [tree.root.right, tree.root.left] : [leaves[1], leaves[1], tree.root.left, leaves[2], leaves[3]]
        }
        expectEqual(harness.server, try setting.reference(steps: 3))
        #expect(harness.outstandingTokens.isEmpty && !harness.givesBackTwice)
    }

    @Test func masksStayTheSameForAllOfAStep() throws {
        let harness = try ClosureHarness(ClosureSetting(Self.lbfgs, isSteady: false))
        for _ in 0..<2 { harness.step { _, leaves in leaves } }
        let batches = harness.setting.passes.plan.stepsPerEpoch
        #expect(harness.rounds.map(\.maskStep) == harness.rounds.map { $0.planStep / UInt64(batches) })
        #expect(Set(harness.rounds.map(\.maskStep)) == [0, 1])
        #expect(harness.rounds.count == Int(harness.server.evaluations) * batches)
        #expect(Array(harness.rounds.map(\.planStep)[..<batches]) == Array(0..<UInt64(batches)))
    }

    /// Another function at every step: it is evaluated anew, with the same result for everybody.
    @Test func stepsOfOtherFunctionsBeginWithAnEvaluation() throws {
        let setting = ClosureSetting(Self.lbfgs, isSteady: false)
        let harness = try ClosureHarness(setting)
        for _ in 0..<3 { harness.step { _, leaves in leaves } }
        expectEqual(harness.server, try setting.reference(steps: 3))
    }

    @Test(arguments: [true, false])
    func aStepTellsTheLossThatItBeganWith(isSteady: Bool) throws {
        let server = try ClosureHarness(ClosureSetting(Self.lbfgs, isSteady: isSteady))
        #expect(server.server.stepLoss == nil)
        server.step { _, leaves in leaves }
        let first = try #require(server.server.stepLoss)
        let search = server.server.search
        let end = try #require(search.scalars.loss) - search.objective.penalty(of: search.weights.view)
        server.step { _, leaves in leaves }
        let second = try #require(server.server.stepLoss)
        #expect(second < first)
        if isSteady { #expect(second == end) }
    }

    @Test func everyVersionAndRoundHasANumberOfItsOwn() throws {
        let harness = try ClosureHarness(ClosureSetting(Self.lbfgs))
        for _ in 0..<3 { harness.step { _, leaves in leaves } }
        #expect(harness.numbers == Array(1...harness.server.round))
        let opened = harness.rounds.map(\.number)
        #expect(Set(opened).count == opened.count && opened == opened.sorted())
        #expect(harness.server.openRound == nil)
        #expect(isEqual(harness.server.openWeights.view, harness.server.completeWeights.view))
    }

    @Test func anUnfinishedStepDoesNotShow() throws {
        let harness = try ClosureHarness(ClosureSetting(Self.lbfgs))
        harness.step { _, leaves in leaves }
        let (weights, slots) = (harness.server.completeWeights, harness.server.completeSlots)
        let before = harness.server.scalars
        harness.server.beginStep()
        _ = harness.drain()
        let round = try #require(harness.server.openRound)
        for chunk in 0..<harness.server.chunks.count { harness.offer(harness.setting.tree.root, chunk, of: round) }
        #expect(harness.server.openRound != round)
        #expect(harness.server.completeWeights === weights)
        #expect(zip(harness.server.completeSlots, slots).allSatisfy { $0 === $1 })
        #expect(harness.server.scalars == before && harness.server.version == 1)
        #expect(!isEqual(harness.server.openWeights.view, weights.view))
    }

    @Test(arguments: [lbfgs, batchwise, gradients])
    func anotherServerGoesOnFromACompleteStep(rule: RuleSpecification) throws {
        let setting = ClosureSetting(rule)
        let (first, second) = (try ClosureHarness(setting), try ClosureHarness(setting))
        for _ in 0..<2 { first.step { _, leaves in leaves } }
        second.server.restore(
            version: 2, weights: first.server.completeWeights, slots: first.server.completeSlots, scalars: first.server.scalars)
        for _ in 0..<2 { second.step { _, leaves in leaves } }
        expectEqual(second.server, try setting.reference(steps: 4))
        #expect(second.server.version == 4)
    }

    @Test func whatDoesNotBelongToTheOpenRoundIsIgnoredOrRefused() throws {
        let harness = try ClosureHarness(ClosureSetting(Self.lbfgs))
        let (server, tree) = (harness.server, harness.setting.tree)
        let early = GradientRound(number: 0, planStep: 0, maskStep: 0)
        #expect(isRefused(harness.offer(tree.root, 0, of: early)), "no round is open")
        server.beginStep()
        _ = harness.drain()
        let first = try #require(server.openRound)
        #expect(isRefused(harness.offer(tree.root, 0, of: GradientRound(number: 9, planStep: 0, maskStep: 0))))
        #expect(isRefused(harness.offer(tree.root, 0, of: first, samples: 1)))
        #expect(harness.offer(tree.leaf(0), 0, of: first) == .accepted)
        #expect(harness.offer(tree.leaf(0), 0, of: first) == .ignored)
        for chunk in 0..<server.chunks.count { harness.offer(tree.root, chunk, of: first) }
        _ = harness.drain()
        #expect(harness.offer(tree.leaf(1), 0, of: first) == .ignored, "its round is over")
        #expect(!harness.givesBackTwice)
    }

    @Test func shardsThatAreMissingAreNamed() throws {
        let harness = try ClosureHarness(ClosureSetting(Self.lbfgs))
        let (server, tree) = (harness.server, harness.setting.tree)
        #expect(server.uncoveredShards.isEmpty)
        server.beginStep()
        let round = try #require(server.openRound)
        #expect(server.uncoveredShards == ShardSet(0..<4))
        for chunk in 0..<server.chunks.count { harness.offer(tree.root.left, chunk, of: round) }
        #expect(server.uncoveredShards == ShardSet([2, 3]))
    }

    @Test func theWindowMovesWithTheChunksThatAreIn() throws {
        let harness = try ClosureHarness(ClosureSetting(Self.lbfgs))
        let server = harness.server
        server.window = 1
        server.beginStep()
        _ = harness.drain()
        let round = try #require(server.openRound)
        #expect(isRefused(harness.offer(harness.setting.tree.root, 0, of: round)))
        #expect(harness.offer(harness.setting.tree.root, 2, of: round) == .accepted)
        #expect(harness.offer(harness.setting.tree.root, 1, of: round) == .accepted)
        _ = harness.drain()
        #expect(harness.reduced == [1, 2])
        #expect(server.lowestIncomplete == 2)
    }

    @Test func normsAreOfTheLastStep() throws {
        let setting = ClosureSetting(Self.lbfgs)
        let harness = try ClosureHarness(setting)
        #expect(harness.server.normsVersion == nil)
        harness.step { _, leaves in leaves }
        let start = FloatBlock(count: ClosureSetting.elementCount)
        ClosureSetting.fill(start)
        let sums = harness.server.squareSums(of: 0..<2)
        var (weights, change) = (0.0, 0.0)
        for index in 0..<start.count {
            let (new, old) = (Double(harness.server.completeWeights.view[index]), Double(start.view[index]))
            weights += new * new
            change += (new - old) * (new - old)
        }
        // Another order of summation, and differences that were rounded to float.
        #expect(abs(sums.weights - weights) < 1e-9 * weights)
        #expect(abs(sums.change - change) < 1e-5 * change)
        #expect(sums.gradient > 0)
    }

    private func isRefused(_ offer: ParameterServer.Offer) -> Bool {
        if case .refused = offer { true } else { false }
    }
}
