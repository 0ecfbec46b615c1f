import Exactness
import Kernels
import NeuralNet
import Optimization
import ParameterServer
import Testing

/// The promise: whoever computes what, in whatever order it arrives, the state has the bits of one worker's run.
@Suite(.timeLimit(.minutes(5))) struct ParameterServerExactnessTests {
    struct Setting: Sendable, CustomTestStringConvertible {
        var rule: RuleSpecification
        var shardCount: Int

        var testDescription: String { "\(rule.keyword), V = \(shardCount)" }
    }

    static let rules: [RuleSpecification] = [.sgd(learningRate: 0.1), .momentum(learningRate: 0.1, nesterov: true), .adam()]
    static let settings = rules.flatMap { rule in [1, 2, 4, 8].map { Setting(rule: rule, shardCount: $0) } }
    /// Two epochs: full leaves, then short and absent ones, twice.
    static let steps = 4

    /// One worker sends the root of every step, backward's last layers first.
    @Test(arguments: settings)
    func oneWorkersRunIsTheReference(_ setting: Setting) throws {
        let problem = try Problem(setting.rule, shardCount: setting.shardCount)
        let reference = ReferenceRun(problem, steps: Self.steps)
        for chunkByteCount in [65_536, 131_072, 1 << 20] {
            let harness = try ServerHarness(problem, chunkByteCount: chunkByteCount)
            for (step, sums) in reference.sums.enumerated() {
                for chunk in (0..<harness.server.chunks.count).reversed() {
                    #expect(harness.offer(problem.tree.root, chunk, of: sums) == .accepted)
                    harness.drain()
                }
                #expect(harness.server.version == UInt64(step) + 1)
                #expect(reference.states[step].isEqual(to: harness.server), "step \(step), chunks of \(chunkByteCount)")
            }
        }
    }

    @Test(arguments: settings)
    func anySplitInAnyOrderHasTheSameBits(_ setting: Setting) throws {
        let problem = try Problem(setting.rule, shardCount: setting.shardCount)
        let reference = ReferenceRun(problem, steps: Self.steps)
        for (seed, threads) in [(1, 0), (2, 0), (3, 0), (4, 2), (5, 2)] {
            for chunkByteCount in [65_536, 131_072] {
                let harness = try ServerHarness(problem, chunkByteCount: chunkByteCount, threads: threads)
                var disorder = Disorder(seed: UInt64(seed))
                for (step, sums) in reference.sums.enumerated() {
                    disorder.play(sums, on: harness)
                    #expect(reference.states[step].isEqual(to: harness.server), "step \(step), seed \(seed), chunks of \(chunkByteCount)")
                }
                #expect(!harness.hasBrokenTokens)
                #expect(harness.outstandingTokens == 0)
            }
        }
    }

    /// A run that is cut short: nobody waits for what was asked for, nobody reads what is gone.
    @Test func aServerMayGoWhileItsThreadsWork() throws {
        let problem = try Problem(.adam(), shardCount: 2)
        let sums = StepSums(problem, step: 0)
        for offered in 0...3 {
            let harness = try ServerHarness(problem, threads: 2)
            for chunk in 0..<offered { #expect(harness.offer(problem.tree.root, chunk, of: sums) == .accepted) }
        }
    }

    @Test func shortAndAbsentLeavesOccur() throws {
        let plan = try Problem(.adam(), shardCount: 8).plan
        #expect((0..<8).map { plan.positions(step: 1, shard: $0).count } == [1, 1, 1, 1, 1, 0, 0, 0])
        #expect(plan.stepsPerEpoch == 2)
    }

    @Test func normsAreThoseOfTheReference() throws {
        let problem = try Problem(.adam(), shardCount: 4)
        let reference = ReferenceRun(problem, steps: 3)
        for threads in [0, 2] {
            let harness = try ServerHarness(problem, threads: threads)
            harness.wantsNorms = { $0 == 3 }
            for (step, sums) in reference.sums.enumerated() {
                for chunk in 0..<harness.server.chunks.count {
                    for shard in 0..<4 { harness.offer(problem.tree.leaf(shard), chunk, of: sums) }
                }
                harness.drain { harness.server.version == UInt64(step) + 1 }
                #expect(reference.states[step].isEqual(to: harness.server), "step \(step)")
                // The first step's are always there: nobody could be asked before it.
                let newest = step == 2 ? 3 : 1
                #expect(harness.server.normsVersion == UInt64(newest))
                for segment in problem.layout.entries.indices {
                    let sums = harness.server.norms.sums(of: segment..<segment + 1)
                    #expect(sums == reference.norms[newest - 1].sums(of: segment..<segment + 1))
                    #expect(sums.gradient > 0 && sums.change > 0)
                }
            }
            #expect(harness.askedForNorms == [2, 3, 4])
        }
    }
}
