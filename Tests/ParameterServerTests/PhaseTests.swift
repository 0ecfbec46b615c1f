import Exactness
import Kernels
import NeuralNet
import Optimization
import ParameterServer
import Testing

/// Steps that need the whole gradient, or whole rows, and groups: the bits of one worker's run in one piece all the same.
@Suite(.timeLimit(.minutes(5))) struct PhaseTests {
    struct Setting: Sendable, CustomTestStringConvertible {
        var name: String
        var rule: RuleSpecification
        var treatment = GradientTreatment()
        var groups: [ParameterGroup] = []
        var policy = NonFinitePolicy.stop
        var hasLongRows = false

        var testDescription: String { name }

        func problem(shardCount: Int) throws -> Problem {
            try Problem(
                rule, shardCount: shardCount, treatment: treatment, groups: groups, policy: policy,
                specification: hasLongRows ? Problem.longRows : Problem.specification)
        }
    }

    private static let groups = [
        ParameterGroup(match: "layers.0.bias", isFrozen: true),
        ParameterGroup(match: "layers.0.*", rule: .adam(learningRate: 1e-4, beta1: 0.5, amsgrad: true), l1: 1e-4, maxNorm: .length(0.5)),
    ]

    static let settings = [
        Setting(name: "global norm", rule: .adam(), treatment: GradientTreatment(clipNorm: 0.5, l2: 1e-3)),
        Setting(name: "a norm that is never reached", rule: .momentum(learningRate: 0.1), treatment: GradientTreatment(clipNorm: 1e9)),
        Setting(name: "skipping", rule: .rmsprop(learningRate: 0.1, momentum: 0.5), policy: .skip),
        Setting(name: "groups", rule: .adam(), treatment: GradientTreatment(clipValue: 0.1, l2: 1e-3), groups: groups),
        Setting(name: "row limit", rule: .sgd(learningRate: 1), treatment: GradientTreatment(maxNorm: 2)),
        Setting(name: "long rows", rule: .adam(), treatment: GradientTreatment(maxNorm: 2), hasLongRows: true),
        Setting(
            name: "everything", rule: .adam(), treatment: GradientTreatment(clipNorm: 1, l2: 1e-3, maxNorm: 1), groups: groups,
            policy: .skip),
        Setting(
            name: "everything, long rows", rule: .nadam(), treatment: GradientTreatment(clipNorm: 1, maxNorm: 1), policy: .skip,
            hasLongRows: true),
    ]

    /// Two epochs: full leaves, then short and absent ones, twice.
    private static let steps = 4

    @Test(arguments: settings, [1, 2, 4])
    func anySplitInAnyOrderHasTheSameBits(_ setting: Setting, shardCount: Int) throws {
        let problem = try setting.problem(shardCount: shardCount)
        let reference = ReferenceRun(problem, steps: Self.steps)
        for (seed, threads, chunkByteCount) in [(1, 0, 65_536), (2, 2, 65_536), (3, 0, 131_072), (4, 2, 131_072), (5, 0, 1 << 20)] {
            let harness = try ServerHarness(problem, chunkByteCount: chunkByteCount, threads: threads)
            harness.wantsNorms = { _ in true }
            var disorder = Disorder(seed: UInt64(seed))
            for (step, sums) in reference.sums.enumerated() {
                disorder.play(sums, on: harness)
                #expect(reference.states[step].isEqual(to: harness.server), "step \(step), seed \(seed), chunks of \(chunkByteCount)")
                for segment in problem.layout.entries.indices {
                    let sums = harness.server.norms.sums(of: segment..<segment + 1)
                    #expect(sums == reference.norms[step].sums(of: segment..<segment + 1), "norms of step \(step), segment \(segment)")
                }
            }
            #expect(harness.server.skippedSteps == 0)
            #expect(!harness.hasBrokenTokens)
            #expect(harness.outstandingTokens == 0)
        }
    }

    @Test func theSettingsDoSomething() throws {
        let plain = ReferenceRun(try Problem(.adam(), shardCount: 1, treatment: GradientTreatment()), steps: 1)
        let clipped = ReferenceRun(try Problem(.adam(), shardCount: 1, treatment: GradientTreatment(clipNorm: 0.5)), steps: 1)
        #expect(!isEqual(plain.states[0].slots[0].view, clipped.states[0].slots[0].view))
        let limited = ReferenceRun(try Problem(.adam(), shardCount: 1, treatment: GradientTreatment(maxNorm: 2)), steps: 1)
        let layer = plain.problem.layout.entries[0].range
        #expect(!isEqual(plain.states[0].weights.view[layer], limited.states[0].weights.view[layer]))
        let row = (0..<200).reduce(0.0) { $0 + Double(limited.states[0].weights.view[$1]) * Double(limited.states[0].weights.view[$1]) }
        #expect(abs(row.squareRoot() - 2) < 1e-5)
    }

    @Test func frozenParametersKeepTheirBits() throws {
        let problem = try Problem(.adam(), shardCount: 2, treatment: GradientTreatment(l2: 1), groups: Self.groups)
        let harness = try ServerHarness(problem)
        let start = FloatBlock(count: problem.layout.count)
        problem.fill(start.mutableView)
        var disorder = Disorder(seed: 9)
        for step in 0..<4 as Range<UInt64> { disorder.play(StepSums(problem, step: step), on: harness) }
        let frozen = problem.layout.entries[1].range
        #expect(isEqual(harness.server.state.currentWeights.view[frozen], start.view[frozen]))
        for slot in harness.server.state.currentSlots { #expect(frozen.allSatisfy { slot.view[$0] == 0 }) }
    }

    // MARK: Skipping

    @Test(arguments: [Float.nan, .infinity], [0, 2])
    func aStepThatIsNotFiniteIsSkippedAndCounts(value: Float, threads: Int) throws {
        for setting in Self.settings where setting.policy == .skip {
            let problem = try setting.problem(shardCount: 4)
            let reference = ReferenceRun(problem, steps: Self.steps, skipped: [0, 2])
            let harness = try ServerHarness(problem, threads: threads)
            harness.wantsNorms = { $0 == 3 }
            var disorder = Disorder(seed: 6)
            for (step, sums) in reference.sums.enumerated() {
                let isWild = step % 2 == 0
                disorder.play(sums, on: harness) { node, chunk, values in
                    // Whoever sends anything of shard 0 in chunk 1, alone or in a sum.
                    if isWild, chunk == 1, problem.tree.shards(of: node).contains(0) { values[77] = value }
                }
                #expect(reference.states[step].isEqual(to: harness.server), "\(setting.name), step \(step)")
                #expect(harness.server.skippedSteps == step / 2 + 1)
            }
            // Norms of a skipped step: the weights', no change, and a gradient that is no number in the layer it came from.
            let sums = harness.server.norms.sums(of: 0..<1)
            #expect(harness.server.normsVersion == 3 && sums.change == 0 && sums.weights > 0 && !sums.gradient.isFinite)
        }
    }

    @Test func withoutSkippingANormThatIsNotFiniteEndsTheStep() throws {
        let problem = try Problem(.adam(), shardCount: 1, treatment: GradientTreatment(clipNorm: 1))
        let harness = try ServerHarness(problem)
        let sums = StepSums(problem, step: 0)
        for chunk in (0..<3).reversed() { harness.offer(problem.tree.root, chunk, of: sums) { if chunk == 1 { $0[5] = .nan } } }
        harness.drain()
        #expect(harness.progress.contains(.notFinite(element: harness.server.chunks.range(1).lowerBound + 5)))
        #expect(harness.server.version == 0 && harness.outstandingTokens == 0)
    }

    // MARK: Flow

    /// With a window of one chunk everything comes in all the same, though nothing is updated before the last.
    @Test func theWindowMovesWithTheFirstPhase() throws {
        let problem = try Problem(.adam(), shardCount: 1, treatment: GradientTreatment(clipNorm: 1))
        let reference = ReferenceRun(problem, steps: 1)
        let harness = try ServerHarness(problem)
        harness.server.window = 1
        let root = problem.tree.root
        #expect(harness.offer(root, 1, of: reference.sums[0]) == .refused("chunk 1 ahead of the window"))
        for (position, chunk) in [2, 1, 0].enumerated() {
            #expect(harness.offer(root, chunk, of: reference.sums[0]) == .accepted)
            harness.drain()
            #expect(harness.outstandingTokens == 0)
            if position < 2 { #expect(harness.progress.last == .reduced(upTo: position + 1)) }
        }
        #expect(
            harness.progress == [
                .reduced(upTo: 1), .reduced(upTo: 2), .chunkReady(0), .chunkReady(1), .chunkReady(2), .stepCompleted(version: 1),
            ])
        #expect(reference.states[0].isEqual(to: harness.server))
    }

    /// A chunk goes out as soon as its own rows and the one over its border are done, not when all are.
    @Test func rowsHoldUpNoMoreChunksThanTheyTouch() throws {
        let problem = try Problem(.sgd(learningRate: 0.1), shardCount: 1, treatment: GradientTreatment(maxNorm: 1))
        let harness = try ServerHarness(problem)
        let sums = StepSums(problem, step: 0)
        harness.offer(problem.tree.root, 2, of: sums)
        harness.drain()
        #expect(harness.progress.isEmpty)  // a row of chunk 1 reaches into it
        harness.offer(problem.tree.root, 1, of: sums)
        harness.drain()
        #expect(harness.progress == [.chunkReady(2)])  // chunk 1 waits for a row of chunk 0
        harness.offer(problem.tree.root, 0, of: sums)
        harness.drain()
        #expect(Set(harness.progress.dropFirst().dropLast().map { "\($0)" }) == ["chunkReady(0)", "chunkReady(1)"])
        #expect(harness.progress.last == .stepCompleted(version: 1))
    }

    @Test func theRateIsAskedForWhenTheFirstChunkIsComplete() throws {
        let problem = try Problem(.sgd(learningRate: 1), shardCount: 2)
        var asked: [UInt64] = []
        let server = try ParameterServer(
            layout: problem.layout, updater: problem.updater, plan: problem.plan, tree: problem.tree, chunkByteCount: 65_536, threads: 0,
            completion: nil,
            learningRate: {
                asked.append($0)
                return 0.5
            }, isFree: { _ in true }, release: { _ in })
        let sums = StepSums(problem, step: 0)
        #expect(asked.isEmpty && server.lastLearningRate == nil)
        for shard in 0..<2 {
            for chunk in 0..<3 {
                let node = problem.tree.leaf(shard)
                let body = try #require(sums.gradient(node)).view[server.chunks.range(chunk)]
                #expect(
                    server.offer(
                        step: 0, node: node, chunk: chunk, samples: problem.samples(of: node, step: 0), loss: 0, body: body, token: 0)
                        == .accepted)
            }
            #expect(asked == (shard == 0 ? [] : [0]))
        }
        while server.nextProgress(wantsNorms: { _ in false }) != nil {}
        #expect(server.lastLearningRate == 0.5 && asked == [0])
    }
}
