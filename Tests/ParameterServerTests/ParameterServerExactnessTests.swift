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
                    play(disorder.schedule(of: sums, chunkCount: harness.server.chunks.count), of: sums, on: harness, &disorder)
                    #expect(reference.states[step].isEqual(to: harness.server), "step \(step), seed \(seed), chunks of \(chunkByteCount)")
                }
                #expect(!harness.hasBrokenTokens)
                #expect(harness.outstandingTokens == 0)
            }
        }
    }

    /// Offers everything, taking what is ready at odd moments, and checks what was reported of the step.
    private func play(_ schedule: [(TreeNode, Int)], of sums: StepSums, on harness: ServerHarness, _ disorder: inout Disorder) {
        let before = harness.progress.count
        for (node, chunk) in schedule {
            let offer = harness.offer(node, chunk, of: sums)
            #expect(offer == .accepted || offer == .ignored)
            if disorder.below(3) == 0 { harness.drain() }
        }
        harness.drain { harness.server.version == sums.step + 1 }
        let progress = harness.progress[before...]
        #expect(progress.last == .stepCompleted(version: sums.step + 1))
        let ready = progress.dropLast().map { if case .chunkReady(let chunk) = $0 { chunk } else { -1 } }
        #expect(ready.sorted() == Array(0..<harness.server.chunks.count))
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

/// Workers come and go, messages overtake each other: a schedule of contributions that is complete, with more than is needed.
private struct Disorder {
    private let stream: RandomStream
    private var index = 0

    init(seed: UInt64) {
        stream = RandomStream(seed: seed, purpose: .probe)
    }

    mutating func below(_ bound: Int) -> Int {
        index += 1
        return stream.integer(index, below: bound)
    }

    mutating func schedule(of sums: StepSums, chunkCount: Int) -> [(TreeNode, Int)] {
        let tree = sums.problem.tree
        let present = (1..<UInt32(tree.shardCount * 2)).map(TreeNode.init).filter { sums.problem.samples(of: $0, step: sums.step) > 0 }
        var offers: [(TreeNode, Int)] = []
        // Every worker sends the maximal subtrees of what it leases; leases change in the middle of a step.
        for chunk in 0..<chunkCount {
            let workers = 1 + below(tree.shardCount)
            var leases = [ShardSet](repeating: ShardSet(), count: workers)
            for shard in 0..<tree.shardCount { leases[below(workers)].insert(shard) }
            offers += leases.flatMap { tree.maximalSubtrees(of: $0) }.filter { present.contains($0) }.map { ($0, chunk) }
        }
        // Answers that come twice, and leases that were given to others in another cut.
        for _ in 0..<chunkCount * tree.shardCount { offers.append((present[below(present.count)], below(chunkCount))) }
        for _ in 0..<chunkCount { offers.append(offers[below(offers.count)]) }
        for last in stride(from: offers.count - 1, to: 0, by: -1) { offers.swapAt(last, below(last + 1)) }
        return offers
    }
}
