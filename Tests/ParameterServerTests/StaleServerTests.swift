import Exactness
import Kernels
import NeuralNet
import Optimization
import ParameterServer
import Testing

/// Modes ssp and async: one update per contribution, whole versions, every sample once, nobody too far ahead.
@Suite struct StaleServerTests {
    private func server(
        _ problem: Problem, staleness: Int? = nil, barrier: UInt64 = 4, policy: NonFinitePolicy = .stop
    ) -> StaleServer {
        let server = StaleServer(
            layout: problem.layout, updater: problem.updater, plan: problem.plan, tree: problem.tree, chunkByteCount: 65_536,
            staleness: staleness, policy: policy, learningRate: Problem.learningRate, wantsNorms: { _ in false }, isFree: { _ in true })
        server.initializeWeights { problem.fill($0.mutableView) }
        server.open(until: barrier)
        return server
    }

    /// The sum of some shards at a step; what it was computed with makes no difference to these numbers.
    private func gradient(_ problem: Problem, _ shards: [Int], clock: UInt64) -> (block: FloatBlock, samples: Int) {
        let block = FloatBlock(count: problem.layout.count)
        for shard in shards {
            let leaf = LeafNumbers(step: clock, shard: shard)
            for index in 0..<block.count { block.mutableView.base[index] += leaf.gradient(index) }
        }
        return (block, shards.reduce(0) { $0 + problem.plan.positions(step: clock, shard: $1).count })
    }

    private func send(
        _ shards: [Int], clock: UInt64, to server: StaleServer, _ problem: Problem, from sender: UInt64 = 1, chunks: Range<Int>? = nil,
        poison: Bool = false
    ) -> ParameterServer.Offer {
        if chunks?.lowerBound ?? 0 == 0 {
            let offer = server.begin(from: sender, shards: shards, clock: clock, read: server.round)
            guard offer == .accepted else { return offer }
        }
        let (block, samples) = gradient(problem, shards, clock: clock)
        if poison { block.mutableView.base[5] = .nan }
        for chunk in chunks ?? 0..<server.chunks.count {
            let body = Body(block.view[server.chunks.range(chunk)])
            let offer = withExtendedLifetime(body) {
                server.take(from: sender, chunk: chunk, samples: samples, loss: 1, body: body.view)
            }
            guard offer == .accepted else { return offer }
        }
        return .accepted
    }

    private func drain(_ server: StaleServer) -> [StaleServer.Progress] {
        var all: [StaleServer.Progress] = []
        while let next = server.nextProgress() { all.append(next) }
        return all
    }

    /// The mean over its own samples goes through the rule, the rule counts updates, the rate is that of completed steps.
    @Test func everyContributionIsAnUpdateOfItsOwn() throws {
        let problem = try Problem(.adam(), shardCount: 2)
        let server = server(problem)
        let updates: [(shards: [Int], clock: UInt64, rate: UInt64)] = [([1], 0, 0), ([1], 1, 0), ([0], 0, 0), ([0], 1, 1)]
        var weights = FloatBlock(count: problem.layout.count)
        problem.fill(weights.mutableView)
        var slots = (0..<problem.updater.slotCount).map { _ in FloatBlock(count: problem.layout.count) }
        problem.updater.initializeSlots(slots.map(\.mutableView))
        for (number, update) in updates.enumerated() {
            #expect(send(update.shards, clock: update.clock, to: server, problem) == .accepted)
            let (sum, samples) = gradient(problem, update.shards, clock: update.clock)
            let next = FloatBlock(count: weights.count)
            let nextSlots = slots.map { _ in FloatBlock(count: weights.count) }
            let outcome = problem.updater.update(
                0..<weights.count, reduction: .single, operands: [sum.view], sampleCount: samples,
                scalars: problem.updater.scalars(step: UInt64(number) + 1, learningRate: Problem.learningRate(update.rate)),
                weights: weights.view, slots: slots.map(\.view), into: next.mutableView, nextSlots: nextSlots.map(\.mutableView),
                scratch: UpdateScratch(shardCount: 1), norms: nil)
            #expect(outcome == .finite)
            (weights, slots) = (next, nextSlots)
            #expect(isEqual(server.completeWeights.view, weights.view), "update \(number)")
            #expect(server.updates == UInt64(number) + 1)
        }
        let completed = drain(server).filter { if case .stepCompleted = $0 { true } else { false } }
        #expect(completed == [.stepCompleted(version: 1), .stepCompleted(version: 2)])
    }

    @Test func nothingIsAppliedBeforeItIsWhole() throws {
        let problem = try Problem(.sgd(learningRate: 0.1), shardCount: 2)
        let server = server(problem)
        let last = server.chunks.count - 1
        #expect(send([0], clock: 0, to: server, problem, chunks: 0..<last) == .accepted)
        let before = FloatBlock(count: problem.layout.count)
        problem.fill(before.mutableView)
        #expect(isEqual(server.completeWeights.view, before.view) && server.updates == 0)
        #expect(send([0], clock: 0, to: server, problem, chunks: last..<last + 1) == .accepted)
        #expect(!isEqual(server.completeWeights.view, before.view) && server.updates == 1)
    }

    /// A worker is taken for dead, another does its shards with others, and then the first one's answer comes.
    @Test func everySampleCountsOnce() throws {
        let problem = try Problem(.sgd(learningRate: 0.1), shardCount: 4)
        let server = server(problem)
        let last = server.chunks.count - 1
        #expect(send([0, 1], clock: 0, to: server, problem, from: 7, chunks: 0..<last) == .accepted)
        #expect(send([1, 2], clock: 0, to: server, problem, from: 8) == .accepted)
        #expect(send([0, 1], clock: 0, to: server, problem, from: 7, chunks: last..<last + 1) == .accepted)
        #expect(drain(server).contains(.dropped(sender: 7)))
        #expect(server.updates == 1 && server.clocks == [0, 1, 1, 0])
        // Late from the beginning.
        #expect(send([0, 2], clock: 0, to: server, problem, from: 9) == .ignored)
        #expect(drain(server) == [.dropped(sender: 9)])
        #expect(send([0, 3], clock: 0, to: server, problem, from: 9) == .accepted)
        #expect(drain(server).contains(.stepCompleted(version: 1)))
        #expect(server.clocks == [1, 1, 1, 1])
    }

    /// What somebody has not sent to the end is forgotten with it, or with what it begins next.
    @Test func halfAContributionIsNothing() throws {
        let problem = try Problem(.sgd(learningRate: 0.1), shardCount: 2)
        let server = server(problem)
        let last = server.chunks.count - 1
        #expect(send([0], clock: 0, to: server, problem, chunks: 0..<last) == .accepted)
        server.forget(1)
        #expect(send([0], clock: 0, to: server, problem, chunks: last..<last + 1) == .ignored)
        #expect(send([0], clock: 0, to: server, problem, chunks: 0..<last) == .accepted)
        #expect(send([1], clock: 0, to: server, problem) == .accepted)
        #expect(server.updates == 1 && server.clocks == [0, 1])
    }

    @Test(arguments: [0, 1, 2])
    func nobodyIsFurtherAheadThanTheBound(staleness: Int) throws {
        let problem = try Problem(.sgd(learningRate: 0.1), shardCount: 2, rowCount: 400)
        let server = server(problem, staleness: staleness, barrier: 12)
        for clock in 0...UInt64(staleness) { #expect(send([1], clock: clock, to: server, problem) == .accepted) }
        guard case .refused(let text) = send([1], clock: UInt64(staleness) + 1, to: server, problem) else {
            Issue.record("a shard is \(staleness + 1) steps ahead")
            return
        }
        #expect(text.contains("waits for others"))
        #expect(server.uncoveredShards == ShardSet([0]))
        _ = drain(server)
        #expect(send([0], clock: 0, to: server, problem) == .accepted)
        #expect(drain(server).contains(.limitRaised))
        #expect(send([1], clock: UInt64(staleness) + 1, to: server, problem) == .accepted)
    }

    @Test func nobodyPassesABarrier() throws {
        let problem = try Problem(.sgd(learningRate: 0.1), shardCount: 2, rowCount: 400)
        let server = server(problem, barrier: 1)
        #expect(send([0], clock: 0, to: server, problem) == .accepted)
        guard case .refused = send([0], clock: 1, to: server, problem) else {
            Issue.record("past the barrier")
            return
        }
        #expect(send([1], clock: 0, to: server, problem) == .accepted)
        _ = drain(server)
        #expect(server.uncoveredShards.isEmpty)
        server.open(until: 2)
        #expect(drain(server) == [.limitRaised])
        #expect(send([0], clock: 1, to: server, problem) == .accepted)
    }

    /// 37 rows, 16 per step and shard: 19 and 18; with 8 shards the last step of an epoch has leaves of some.
    @Test func shardsWithoutRowsInAStepAreThroughWithIt() throws {
        let problem = try Problem(.sgd(learningRate: 0.1), shardCount: 8, rowCount: 36)
        let steps = UInt64(problem.plan.stepsPerEpoch)
        #expect(!problem.plan.isPresent(shard: 7, step: steps - 1))
        let server = server(problem, barrier: steps)
        for clock in 0..<steps {
            for shard in 0..<8 where problem.plan.isPresent(shard: shard, step: clock) {
                #expect(send([shard], clock: clock, to: server, problem) == .accepted)
            }
        }
        #expect(server.clocks == Array(repeating: steps, count: 8))
        #expect(drain(server).last == .stepCompleted(version: steps))
    }

    @Test func whatIsNotFiniteEndsTheRunOrIsSkipped() throws {
        let problem = try Problem(.adam(), shardCount: 2)
        let stopping = server(problem)
        #expect(send([1], clock: 0, to: stopping, problem, poison: true) == .accepted)
        #expect(drain(stopping).last == .notFinite(element: 5, shards: [1], clock: 0))
        #expect(stopping.updates == 0)
        let skipping = server(problem, policy: .skip)
        #expect(send([1], clock: 0, to: skipping, problem, poison: true) == .accepted)
        let before = FloatBlock(count: problem.layout.count)
        problem.fill(before.mutableView)
        #expect(skipping.updates == 1 && skipping.skippedSteps == 1 && isEqual(skipping.completeWeights.view, before.view))
        #expect(skipping.clocks == [0, 1])
    }

    @Test func aStateIsGoneOnFrom() throws {
        let problem = try Problem(.adam(), shardCount: 2)
        let whole = server(problem), first = server(problem)
        let sent: [([Int], UInt64)] = [([1], 0), ([1], 1), ([0], 0), ([0], 1)]
        for (shards, clock) in sent { #expect(send(shards, clock: clock, to: whole, problem) == .accepted) }
        for (shards, clock) in sent.prefix(2) { #expect(send(shards, clock: clock, to: first, problem) == .accepted) }
        _ = drain(first)
        let second = server(problem, barrier: 0)
        second.completeWeights.mutableView.copy(from: first.completeWeights.view)
        for (slot, former) in zip(second.completeSlots, first.completeSlots) { slot.mutableView.copy(from: former.view) }
        second.restore(version: first.version, updates: first.updates, clocks: first.clocks, learningRate: nil, norms: nil)
        second.open(until: 4)
        for (shards, clock) in sent.dropFirst(2) { #expect(send(shards, clock: clock, to: second, problem) == .accepted) }
        #expect(second.updates == 4 && second.round == 2)
        #expect(isEqual(second.completeWeights.view, whole.completeWeights.view))
    }

    @Test func whatNoWorkerOfOursSendsIsRefused() throws {
        let problem = try Problem(.sgd(learningRate: 0.1), shardCount: 2)
        let server = server(problem)
        func isRefused(_ offer: ParameterServer.Offer) -> Bool { if case .refused = offer { true } else { false } }
        #expect(isRefused(server.begin(from: 1, shards: [0], clock: 0, read: 1)))
        #expect(isRefused(server.begin(from: 1, shards: [0], clock: 3, read: 0)))
        let values = FloatBlock(count: server.chunks.range(0).count).view
        #expect(server.take(from: 1, chunk: 0, samples: 1, loss: 0, body: values) == .ignored)
        #expect(server.begin(from: 1, shards: [0], clock: 0, read: 0) == .accepted)
        let samples = problem.plan.positions(step: 0, shard: 0).count
        #expect(isRefused(server.take(from: 1, chunk: server.chunks.count, samples: samples, loss: 0, body: values)))
        #expect(isRefused(server.take(from: 1, chunk: 0, samples: samples + 1, loss: 0, body: values)))
        #expect(isRefused(server.take(from: 1, chunk: 0, samples: samples, loss: 0, body: values[0..<5])))
        #expect(server.take(from: 1, chunk: 0, samples: samples, loss: 0, body: values) == .accepted)
        #expect(isRefused(server.take(from: 1, chunk: 0, samples: samples, loss: 0, body: values)))
    }
}
