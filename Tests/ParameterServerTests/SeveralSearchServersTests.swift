import Exactness
import Kernels
import Optimization
import Testing

@testable import ParameterServer

/// Rules that search with several servers: the bits of one, whatever comes first.
@Suite(.timeLimit(.minutes(5))) struct SeveralSearchServersTests {
    private static let rules = [ClosureServerTests.lbfgs, ClosureServerTests.batchwise, ClosureServerTests.gradients]

    private func expectEqual(_ server: ClosureServer, _ machine: ClosureMachine) {
        #expect(isEqual(server.completeWeights.view, machine.weights.view))
        #expect(server.completeSlots.count == machine.slots.count)
        #expect(zip(server.completeSlots, machine.slots).allSatisfy { isEqual($0.view, $1.view) })
        #expect(server.scalars == machine.scalars)
    }

    @Test(arguments: rules, [2, 3])
    func theBitsAreThoseOfOneServer(rule: RuleSpecification, serverCount: Int) throws {
        for isSteady in [true, false] {
            let setting = ClosureSetting(rule, isSteady: isSteady)
            let reference = try setting.reference(steps: 3)
            let fleet = try SearchFleet(setting, count: serverCount, seed: UInt64(serverCount))
            #expect(fleet.others.count == serverCount - 1)
            for _ in 0..<3 { fleet.step() }
            expectEqual(fleet.first, reference)
            #expect(fleet.first.version == 3)
            #expect(!fleet.hasBrokenTokens && fleet.outstandingTokens.isEmpty)
        }
    }

    /// What a checkpoint holds is the first server's alone, so the others may be as many as they like.
    @Test func aRunGoesOnWithOtherServers() throws {
        let setting = ClosureSetting(ClosureServerTests.lbfgs)
        let before = try SearchFleet(setting, count: 3, seed: 1)
        for _ in 0..<2 { before.step() }
        let after = try SearchFleet(setting, count: 2, seed: 2, start: before.first)
        for _ in 0..<2 { after.step() }
        expectEqual(after.first, try setting.reference(steps: 4))
    }

    // MARK: One of the others

    private static let chunks = ChunkMap(elementCount: ClosureSetting.elementCount, chunkByteCount: 65_536)
    private let setting = ClosureSetting(ClosureServerTests.lbfgs)

    private func other(_ owned: Range<Int> = 1..<3) -> RoundServer {
        RoundServer(
            chunks: Self.chunks, owned: owned, plan: setting.passes.plan, tree: setting.tree, round: 4, isFree: { _ in true },
            release: { _ in })
    }

    private func offer(_ node: TreeNode, _ chunk: Int, of round: UInt64, to server: RoundServer) -> ParameterServer.Offer {
        let body = FloatBlock(count: Self.chunks.range(chunk).count)
        let samples = setting.tree.shards(of: node).reduce(0) { $0 + setting.passes.plan.positions(step: 0, shard: $1).count }
        return withExtendedLifetime(body) {
            server.offer(step: round, node: node, chunk: chunk, samples: samples, loss: 0, body: body.view, token: 1)
        }
    }

    private func round(_ number: UInt64) -> GradientRound { GradientRound(number: number, planStep: 0, maskStep: 0) }

    private func isRefused(_ offer: ParameterServer.Offer) -> Bool {
        if case .refused = offer { true } else { false }
    }

    @Test func weightsComeOnceInOrderAndBetweenRounds() throws {
        let server = other()
        let values = FloatBlock(count: 16_384)
        values.mutableView.fill(7)
        func take(_ chunk: Int, _ number: UInt64) -> FloatBlock? {
            server.takeWeights(values.view[0..<Self.chunks.range(chunk).count], ofChunk: chunk, round: number)
        }
        #expect(server.takeWeights(values.view, ofChunk: 0, round: 5) == nil, "another server's")
        #expect(take(1, 4) == nil && take(1, 6) == nil)
        let block = try #require(take(1, 5))
        #expect(server.isReady(1) && !server.isReady(2))
        #expect(take(1, 5) == nil, "it is here")
        #expect(!server.renumber(to: 5) && !server.open(round(4), isFirst: true, isLast: true), "the others of its chunks are on their way")
        #expect(server.round == 4)
        #expect(take(2, 5) === block)
        #expect(server.round == 5 && server.openWeights === block)
        #expect(block.view[Self.chunks.range(2).lowerBound] == 7)
        #expect(!server.renumber(to: 7) && server.renumber(to: 6))
        #expect(server.openWeights === block)
        #expect(!server.open(round(5), isFirst: true, isLast: true))
        #expect(server.open(round(6), isFirst: true, isLast: true))
        #expect(!server.open(round(6), isFirst: true, isLast: true))
        #expect(take(1, 7) == nil && !server.renumber(to: 7), "a round is open")
    }

    @Test func aRoundTakesItsOwnContributions() {
        let server = other()
        let root = setting.tree.root
        #expect([3, 4, 5, 6, 7].map { server.mayOpen($0) } == [false, true, true, true, false])
        #expect(isRefused(offer(root, 1, of: 4, to: server)), "it is not open")
        #expect(server.uncoveredShards.isEmpty)
        _ = server.open(round(4), isFirst: true, isLast: true)
        #expect(server.uncoveredShards == ShardSet(0..<4))
        #expect(offer(root, 0, of: 4, to: server) == .refused("chunk 0, which is another server's"))
        #expect(offer(root, 1, of: 3, to: server) == .ignored)
        #expect(offer(root.left, 1, of: 4, to: server) == .accepted && offer(root.left, 2, of: 4, to: server) == .accepted)
        #expect(server.uncoveredShards == ShardSet([2, 3]))
        #expect(offer(root.left, 1, of: 4, to: server) == .ignored)
        #expect(server.nextProgress() == nil)
        #expect(offer(root.right, 2, of: 4, to: server) == .accepted)
        #expect(server.nextProgress() == .summed(chunk: 2))
        #expect(server.nextProgress() == .reduced(upTo: 1))
        #expect(server.lowestIncomplete == 1)
        #expect(offer(root.right, 1, of: 4, to: server) == .accepted)
        #expect([server.nextProgress(), server.nextProgress(), server.nextProgress()] == [.summed(chunk: 1), .roundCompleted(4), nil])
        #expect(offer(root, 1, of: 4, to: server) == .ignored, "it is over")
        #expect([4, 5, 6, 7].map { server.mayOpen($0) } == [false, true, true, false])
        #expect(!server.open(round(4), isFirst: true, isLast: true))
    }

    @Test func onlyTheLastRoundOfAPassIsASum() {
        let server = other()
        for (number, isLast) in [(UInt64(4), false), (5, true)] {
            if number > 4 { #expect(server.renumber(to: number)) }
            #expect(server.open(round(number), isFirst: number == 4, isLast: isLast))
            for chunk in 1..<3 { #expect(offer(setting.tree.root, chunk, of: number, to: server) == .accepted) }
            var sums: [Int] = []
            while let progress = server.nextProgress() {
                if case .summed(let chunk) = progress { sums.append(chunk) }
            }
            #expect(sums == (isLast ? [1, 2] : []))
        }
    }

    @Test func theWindowIsOfItsOwnChunks() {
        let server = other()
        server.window = 1
        _ = server.open(round(4), isFirst: true, isLast: false)
        #expect(isRefused(offer(setting.tree.root, 1, of: 4, to: server)))
        #expect(offer(setting.tree.root, 2, of: 4, to: server) == .accepted)
        #expect(offer(setting.tree.root, 1, of: 4, to: server) == .accepted)
    }

    @Test func theFirstServerTakesSumsAtTheEndOfAPassOnly() throws {
        let values = FloatBlock(count: 16_384)
        let first = try ClosureServer(
            elementCount: ClosureSetting.elementCount, rule: setting.rule, objective: ClosureSetting.objective, passes: setting.passes,
            tree: setting.tree, chunkByteCount: 65_536, owned: 0..<1, isSteady: true, isFree: { _ in true }, release: { _ in })
        first.initializeWeights(ClosureSetting.fill)
        #expect(!first.takeSum(values.view, ofChunk: 1, round: 0), "no round is open")
        first.beginStep()
        #expect(first.beginsPass && !first.endsPass)
        #expect(!first.takeSum(values.view, ofChunk: 1, round: 0), "two batches are still to come")
        let open = try #require(first.openRound)
        let sum = try #require(setting.node(setting.tree.root, open, weights: first.openWeights.view))
        let samples = setting.passes.plan.sampleCount(step: 0)
        func offerAll(_ chunk: Int) -> ParameterServer.Offer {
            first.offer(
                step: open.number, node: setting.tree.root, chunk: chunk, samples: samples, loss: sum.loss,
                body: sum.gradient.view[Self.chunks.range(chunk)], token: 0)
        }
        #expect(offerAll(1) == .refused("chunk 1, which is another server's"))
        #expect(offerAll(0) == .accepted)
        #expect(first.openRound == open && first.uncoveredShards.isEmpty, "the others are not done")
        first.othersHaveReduced()
        #expect(first.openRound?.planStep == 1)
    }
}
