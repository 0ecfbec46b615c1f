import Exactness
import Kernels
import NeuralNet
import Optimization
import ParameterServer
import Testing

/// What is let in, what is ignored, what is refused.
@Suite struct ParameterServerOfferTests {
    private func serve(shardCount: Int = 4, step: Int = 0, rule: RuleSpecification = .adam()) throws -> (ServerHarness, [StepSums]) {
        let problem = try Problem(rule, shardCount: shardCount)
        let harness = try ServerHarness(problem)
        let sums = (0..<4).map { StepSums(problem, step: $0) }
        for done in 0..<step { complete(sums[done], on: harness) }
        return (harness, sums)
    }

    private func complete(_ sums: StepSums, on harness: ServerHarness, with node: TreeNode = TreeNode(number: 1)) {
        for chunk in 0..<harness.server.chunks.count { harness.offer(node, chunk, of: sums) }
        harness.drain()
    }

    private func isRefused(_ offer: ParameterServer.Offer, naming text: String) -> Bool {
        if case .refused(let reason) = offer { reason.contains(text) } else { false }
    }

    @Test func aPastStepIsIgnored() throws {
        let (harness, sums) = try serve(step: 2)
        #expect(harness.offer(TreeNode(number: 4), 0, of: sums[0]) == .ignored)
        #expect(harness.offer(TreeNode(number: 4), 0, of: sums[1]) == .ignored)
        #expect(harness.offer(TreeNode(number: 4), 0, of: sums[2]) == .accepted)
    }

    @Test func aFutureStepIsRefused() throws {
        let (harness, sums) = try serve(step: 1)
        #expect(isRefused(harness.offer(TreeNode(number: 4), 0, of: sums[2]), naming: "step 2"))
    }

    @Test(arguments: [0, 8, 9, UInt32.max])
    func aForeignNodeIsRefused(number: UInt32) throws {
        let (harness, _) = try serve()
        let body = Body(FloatBlock(count: harness.server.chunks.range(0).count).view)
        let offer = harness.offer(step: 0, TreeNode(number: number), 0, samples: 8, loss: 0, body: body)
        #expect(isRefused(offer, naming: "node \(number)"))
    }

    @Test(arguments: [-1, 3, Int(UInt32.max)])
    func aChunkOutsideTheMapIsRefused(chunk: Int) throws {
        let (harness, _) = try serve()
        let body = Body(FloatBlock(count: 16_384).view)
        #expect(isRefused(harness.offer(step: 0, TreeNode(number: 1), chunk, samples: 32, loss: 0, body: body), naming: "chunk \(chunk)"))
    }

    @Test(arguments: [-1, 1])
    func aBodyOfAnotherLengthIsRefused(excess: Int) throws {
        let (harness, _) = try serve()
        for chunk in 0..<3 {
            let count = harness.server.chunks.range(chunk).count + excess
            let body = Body(FloatBlock(count: count).view)
            #expect(isRefused(harness.offer(step: 0, TreeNode(number: 1), chunk, samples: 32, loss: 0, body: body), naming: "\(count)"))
        }
    }

    @Test(arguments: [0, 7, 9, 32, Int(UInt32.max)])
    func anotherSampleCountIsRefused(samples: Int) throws {
        let (harness, sums) = try serve()
        #expect(isRefused(harness.offer(TreeNode(number: 4), 0, of: sums[0], samples: samples), naming: "\(samples) instead of 8"))
    }

    @Test func aNodeWithoutRowsIsRefused() throws {
        let (harness, _) = try serve(shardCount: 8, step: 1)
        let body = Body(FloatBlock(count: 16_384).view)
        #expect(isRefused(harness.offer(step: 1, TreeNode(number: 15), 0, samples: 0, loss: 0, body: body), naming: "no rows"))
    }

    @Test func nothingThatIsRefusedIsCounted() throws {
        let (harness, sums) = try serve()
        _ = harness.offer(TreeNode(number: 4), 0, of: sums[0], samples: 7)
        #expect(harness.outstandingTokens == 0 && !harness.hasBrokenTokens)
        #expect(harness.offer(TreeNode(number: 4), 0, of: sums[0]) == .accepted)
        #expect(harness.outstandingTokens == 1)
    }

    @Test func whatIsCoveredIsIgnored() throws {
        let (harness, sums) = try serve()
        #expect(harness.offer(TreeNode(number: 2), 1, of: sums[0]) == .accepted)
        for number in [2, 4, 5] as [UInt32] { #expect(harness.offer(TreeNode(number: number), 1, of: sums[0]) == .ignored) }
        #expect(harness.offer(TreeNode(number: 4), 0, of: sums[0]) == .accepted)
        #expect(harness.offer(TreeNode(number: 3), 1, of: sums[0]) == .accepted)
        #expect(harness.offer(TreeNode(number: 1), 1, of: sums[0]) == .ignored)
    }

    /// A worker dies after its half has come; the other one takes over everything and sends one sum of it all.
    @Test(arguments: [[4], [5], [2], [3], [4, 5], [6, 5], [2, 6], [4, 7]] as [[UInt32]])
    func aBiggerNodeTakesThePlaceOfThoseBelowIt(numbers: [UInt32]) throws {
        let (harness, sums) = try serve()
        let reference = ReferenceRun(harness.problem, steps: 1)
        for chunk in 0..<3 {
            for number in numbers { #expect(harness.offer(TreeNode(number: number), chunk, of: sums[0]) == .accepted) }
            #expect(harness.offer(harness.problem.tree.root, chunk, of: sums[0]) == .accepted)
            harness.drain()
            #expect(harness.outstandingTokens == 0)
        }
        #expect(!harness.hasBrokenTokens)
        #expect(harness.server.version == 1)
        #expect(reference.states[0].isEqual(to: harness.server))
    }

    @Test func aBiggerNodeThatBringsNoRowIsIgnored() throws {
        let (harness, sums) = try serve(shardCount: 8, step: 1)
        // Of shards 4…7 only 4 has a row in step 1.
        #expect(harness.offer(harness.problem.tree.leaf(4), 0, of: sums[1]) == .accepted)
        #expect(harness.offer(TreeNode(number: 3), 0, of: sums[1]) == .ignored)
        #expect(harness.offer(TreeNode(number: 2), 0, of: sums[1]) == .accepted)
        harness.drain()
        #expect(harness.server.isReady(0))
    }

    @Test func whatIsReadyIsKnownUntilTheStepIsOver() throws {
        let (harness, sums) = try serve()
        harness.offer(harness.problem.tree.root, 2, of: sums[0])
        #expect(!harness.server.isReady(2))
        harness.drain()
        #expect((0..<3).map(harness.server.isReady) == [false, false, true])
        #expect(harness.offer(harness.problem.tree.root, 2, of: sums[0]) == .ignored)
        for chunk in 0..<2 { harness.offer(harness.problem.tree.root, chunk, of: sums[0]) }
        harness.drain()
        #expect((0..<3).map(harness.server.isReady) == [false, false, false])
        #expect(harness.progress == [.chunkReady(2), .chunkReady(0), .chunkReady(1), .stepCompleted(version: 1)])
    }

    @Test func aChunkAheadOfTheWindowIsRefused() throws {
        let (harness, sums) = try serve()
        harness.server.window = 2
        let (left, right) = (TreeNode(number: 2), TreeNode(number: 3))
        #expect(isRefused(harness.offer(left, 0, of: sums[0]), naming: "window"))
        #expect(harness.offer(left, 1, of: sums[0]) == .accepted)
        #expect(harness.offer(left, 2, of: sums[0]) == .accepted)
        #expect(harness.offer(right, 1, of: sums[0]) == .accepted)
        harness.drain()
        // Chunk 2 is the first to travel: until it is updated the window stands still.
        #expect(isRefused(harness.offer(left, 0, of: sums[0]), naming: "window"))
        #expect(harness.offer(right, 2, of: sums[0]) == .accepted)
        harness.drain()
        #expect(harness.offer(left, 0, of: sums[0]) == .accepted)
    }

    @Test func uncoveredShardsAreThoseThatAChunkWaitsFor() throws {
        let (harness, sums) = try serve()
        #expect(harness.server.uncoveredShards.elements == [0, 1, 2, 3])
        for chunk in 0..<3 { harness.offer(TreeNode(number: 2), chunk, of: sums[0]) }
        #expect(harness.server.uncoveredShards.elements == [2, 3])
        harness.offer(TreeNode(number: 3), 0, of: sums[0])
        for chunk in 1..<3 { harness.offer(TreeNode(number: 6), chunk, of: sums[0]) }
        #expect(harness.server.uncoveredShards.elements == [3])
        harness.offer(TreeNode(number: 7), 1, of: sums[0])
        #expect(harness.server.uncoveredShards.elements == [3])
        harness.offer(TreeNode(number: 7), 2, of: sums[0])
        #expect(harness.server.uncoveredShards.isEmpty)
        harness.drain()
        #expect(harness.server.uncoveredShards.elements == [0, 1, 2, 3])
    }

    @Test func absentShardsAreNotWaitedFor() throws {
        let (harness, _) = try serve(shardCount: 8, step: 1)
        #expect(harness.server.uncoveredShards.elements == [0, 1, 2, 3, 4])
    }

    /// A worker that has sent all it may is not late because another one hangs.
    @Test func chunksPastTheWindowAreNotWaitedFor() throws {
        let (harness, sums) = try serve()
        harness.server.window = 1
        #expect(harness.offer(TreeNode(number: 2), 2, of: sums[0]) == .accepted)
        #expect(harness.server.uncoveredShards.elements == [2, 3])
        #expect(harness.offer(TreeNode(number: 3), 2, of: sums[0]) == .accepted)
        harness.drain()
        #expect(harness.server.uncoveredShards.elements == [0, 1, 2, 3])
    }

    // MARK: Gradients that are no numbers

    @Test(arguments: [Float.nan, .infinity, -.infinity], [0, 2])
    func anElementThatIsNotFiniteIsNamedAndTheVersionStays(value: Float, threads: Int) throws {
        let problem = try Problem(.adam(), shardCount: 2)
        let harness = try ServerHarness(problem, threads: threads)
        let reference = ReferenceRun(problem, steps: 1)
        for chunk in 0..<3 { harness.offer(problem.tree.root, chunk, of: reference.sums[0]) }
        harness.drain { harness.server.version == 1 }

        let sums = StepSums(problem, step: 1)
        let element = harness.server.chunks.range(1).lowerBound + 10_007
        for chunk in 0..<3 {
            harness.offer(problem.tree.leaf(0), chunk, of: sums)
            harness.offer(problem.tree.leaf(1), chunk, of: sums) { if chunk == 1 { $0[10_007] = value } }
        }
        harness.drain { harness.progress.count == 4 + 3 }
        let last = harness.progress.suffix(3)
        #expect(last.contains(.notFinite(element: element)))
        #expect(last.contains(.chunkReady(0)) && last.contains(.chunkReady(2)))
        #expect(harness.server.version == 1)
        #expect(reference.states[0].isEqual(to: harness.server))
        #expect(harness.outstandingTokens == 0 && !harness.hasBrokenTokens)
        #expect(!harness.server.isReady(1))
    }

    @Test func aSumThatOverflowsIsNotFinite() throws {
        let (harness, sums) = try serve(shardCount: 2)
        for shard in 0..<2 {
            harness.offer(harness.problem.tree.leaf(shard), 2, of: sums[0]) { $0[5] = .greatestFiniteMagnitude }
        }
        harness.drain()
        #expect(harness.progress == [.notFinite(element: harness.server.chunks.range(2).lowerBound + 5)])
    }

    // MARK: The beginning

    @Test func theFirstVersionIsZeroWithTheRulesSlots() throws {
        let (harness, _) = try serve(rule: .adagrad(learningRate: 0.1, initialAccumulator: 0.25))
        #expect(harness.server.version == 0)
        #expect(harness.server.lastLoss.isNaN)
        #expect(harness.server.normsVersion == nil)
        #expect(harness.server.state.currentSlots.map { $0.view[41_000] } == [0.25])
    }
}
