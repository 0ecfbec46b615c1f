import Exactness
import Kernels
import NeuralNet
import Optimization
import ParameterServer
import Testing

/// Several servers, joined as the coordinator joins them: the bits of one.
@Suite(.timeLimit(.minutes(5))) struct SeveralServersTests {
    private static let steps = 4
    private static let chunkByteCount = 65_536

    /// Servers of a problem, the first one the coordinator's.
    private final class Fleet {
        let servers: [ServerHarness]

        init(_ problem: Problem, count: Int, threads: Int) throws {
            let shares = ServerRanges(
                layout: problem.layout, updater: problem.updater, chunkByteCount: SeveralServersTests.chunkByteCount, serverCount: count)
            servers = try shares.ranges.map { owned in
                let harness = try ServerHarness(
                    problem, chunkByteCount: SeveralServersTests.chunkByteCount, threads: threads, owned: owned)
                harness.wantsNorms = { _ in true }
                return harness
            }
        }

        private func has(_ progress: ParameterServer.Progress, _ harness: ServerHarness, since: Int) -> Bool {
            harness.progress[since...].contains(progress)
        }

        /// A step in any order: contributions, the judgement where there is one, the end.
        func play(_ sums: StepSums, _ disorder: inout Disorder) throws {
            let before = servers.map(\.progress.count)
            for (node, chunk) in disorder.schedule(of: sums, chunkCount: servers[0].server.chunks.count) {
                let owner = try #require(servers.first { $0.server.owned.contains(chunk) })
                let offer = owner.offer(node, chunk, of: sums)
                #expect(offer == .accepted || offer == .ignored)
                if disorder.below(3) == 0 { for harness in servers { harness.drain() } }
            }
            if servers[0].server.awaitsJudgements, servers.count > 1 {
                for (index, harness) in servers.enumerated() {
                    harness.drain { has(.awaitsJudgement, harness, since: before[index]) }
                    #expect(!has(.built, harness, since: before[index]))
                }
                let first = servers[0].server
                for harness in servers.dropFirst() {
                    #expect(harness.server.canBeJudged)
                    first.takeSquares(harness.server.ownSquares, of: harness.server.owned, isFinite: harness.server.foundFinite)
                }
                let judgement = first.judgement
                for harness in servers { harness.server.judge(judgement) }
            }
            if servers.count > 1 {
                for (index, harness) in servers.enumerated() {
                    harness.drain { has(.built, harness, since: before[index]) }
                    #expect(harness.server.version == sums.step, "nobody goes on before all are done")
                }
                for harness in servers { harness.server.allAreBuilt() }
            }
            for harness in servers {
                harness.drain { harness.server.version == sums.step + 1 }
                #expect(harness.server.uncoveredShards.count == harness.problem.plan.presentCount(step: sums.step + 1))
            }
        }
    }

    @Test(arguments: PhaseTests.settings, [2, 3])
    func theBitsAreThoseOfOneServer(_ setting: PhaseTests.Setting, serverCount: Int) throws {
        let problem = try setting.problem(shardCount: 4)
        let reference = ReferenceRun(problem, steps: Self.steps)
        for threads in [0, 2] {
            let fleet = try Fleet(problem, count: serverCount, threads: threads)
            // A border inside of a bounded row is none: with long rows there is no other.
            if !setting.hasLongRows, setting.treatment.maxNorm == nil, setting.groups.isEmpty {
                #expect(fleet.servers.count == serverCount)
            }
            var disorder = Disorder(seed: UInt64(serverCount * 10 + threads))
            for (step, sums) in reference.sums.enumerated() {
                try fleet.play(sums, &disorder)
                let state = reference.states[step]
                for harness in fleet.servers {
                    let (server, range) = (harness.server, harness.server.ownedElements)
                    #expect(isEqual(server.state.currentWeights.view[range], state.weights.view[range]), "step \(step)")
                    for (slot, expected) in zip(server.state.currentSlots, state.slots) {
                        #expect(isEqual(slot.view[range], expected.view[range]), "step \(step)")
                    }
                    for piece in server.norms.pieces(in: range) {
                        #expect(server.norms[piece] == reference.norms[step][piece], "norms of step \(step)")
                    }
                    #expect(!harness.hasBrokenTokens && harness.outstandingTokens == 0)
                }
                #expect(fleet.servers[0].server.lastLoss.bitPattern == state.loss.bitPattern)
            }
        }
    }

    @Test func whatIsAnotherServersIsRefused() throws {
        let problem = try Problem(.adam(), shardCount: 2)
        let harness = try ServerHarness(problem, owned: 1..<2)
        let sums = StepSums(problem, step: 0)
        for chunk in [0, 2] {
            #expect(harness.offer(problem.tree.root, chunk, of: sums) == .refused("chunk \(chunk), which is another server's"))
        }
        #expect(harness.offer(problem.tree.root, 1, of: sums) == .accepted)
        harness.drain()
        #expect(harness.progress == [.chunkReady(1), .built])
        harness.drain()
        #expect(harness.progress.count == 2 && harness.server.version == 0)
    }

    @Test func aStepThatOneServerFindsNotFiniteIsSkippedByAll() throws {
        let problem = try Problem(.adam(), shardCount: 1, treatment: GradientTreatment(), policy: .skip)
        let servers = try [0..<1, 1..<3].map { try ServerHarness(problem, owned: $0) }
        let sums = StepSums(problem, step: 0)
        let start = FloatBlock(count: problem.layout.count)
        problem.fill(start.mutableView)
        servers[0].offer(problem.tree.root, 0, of: sums)
        for chunk in [1, 2] { servers[1].offer(problem.tree.root, chunk, of: sums) { if chunk == 2 { $0[5] = .nan } } }
        for harness in servers { harness.drain() }
        #expect(servers.map(\.server.foundFinite) == [true, false])
        let first = servers[0].server
        first.takeSquares(servers[1].server.ownSquares, of: 1..<3, isFinite: false)
        #expect(first.judgement == nil)
        for harness in servers {
            harness.server.judge(nil)
            harness.server.allAreBuilt()
            harness.drain { harness.server.version == 1 }
            let range = harness.server.ownedElements
            #expect(isEqual(harness.server.state.currentWeights.view[range], start.view[range]))
        }
        #expect(first.skippedSteps == 1)
    }
}

extension StepPlan {
    fileprivate func presentCount(step: UInt64) -> Int {
        (0..<shardCount).count { isPresent(shard: $0, step: step) }
    }
}
