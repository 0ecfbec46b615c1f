import Exactness
import Kernels
import Testing

@testable import ParameterServer

/// Several servers of a rule that searches, joined as the coordinator joins them, with workers that answer in any order.
final class SearchFleet {
    let setting: ClosureSetting
    let first: ClosureServer
    let others: [RoundServer]
    private var disorder: Disorder
    private var lent: Set<Int> = []
    private var nextToken = 1
    private let given: GivenBack
    /// What the others have found and the first one does not know yet.
    private var underway: [(server: Int, progress: RoundServer.Progress)] = []
    private var reduced: Set<Int> = []

    private final class GivenBack {
        var tokens: [Int] = []
    }

    init(_ setting: ClosureSetting, count: Int, seed: UInt64, start: ClosureServer? = nil) throws {
        self.setting = setting
        disorder = Disorder(seed: seed)
        let given = GivenBack()
        self.given = given
        let chunks = ChunkMap(elementCount: ClosureSetting.elementCount, chunkByteCount: 65_536)
        let ranges = ServerRanges(chunks: chunks, serverCount: count).ranges
        let first = try ClosureServer(
            elementCount: ClosureSetting.elementCount, rule: setting.rule, objective: ClosureSetting.objective, passes: setting.passes,
            tree: setting.tree, chunkByteCount: 65_536, owned: ranges[0], isSteady: setting.isSteady, isFree: { _ in true },
            release: { given.tokens.append($0) })
        self.first = first
        if let start {
            first.restore(version: start.version, weights: start.completeWeights, slots: start.completeSlots, scalars: start.scalars)
        } else {
            first.initializeWeights(ClosureSetting.fill)
        }
        others = ranges.dropFirst().map { owned in
            let server = RoundServer(
                chunks: chunks, owned: owned, plan: setting.passes.plan, tree: setting.tree, round: first.round, isFree: { _ in true },
                release: { given.tokens.append($0) })
            for range in owned.map(chunks.range) { server.openWeights.mutableView[range].copy(from: first.openWeights.view[range]) }
            return server
        }
    }

    var hasBrokenTokens: Bool { Set(given.tokens).count != given.tokens.count || !lent.isSuperset(of: given.tokens) }
    var outstandingTokens: Set<Int> { lent.subtracting(given.tokens) }

    /// Tells the others what the first one says; true if a step is complete.
    private func relay() -> Bool {
        var isComplete = false
        while let progress = first.nextProgress() {
            switch progress {
            case .weights(let isNew, _):
                for server in others {
                    guard isNew else {
                        #expect(server.renumber(to: first.round))
                        continue
                    }
                    for chunk in server.owned {
                        let values = first.openWeights.view[first.chunks.range(chunk)]
                        #expect(server.takeWeights(values, ofChunk: chunk, round: first.round) != nil)
                    }
                }
            case .roundOpened(let round):
                reduced = []
                for server in others {
                    #expect(server.mayOpen(round.number))
                    #expect(server.open(round, isFirst: first.beginsPass, isLast: first.endsPass))
                }
            case .reduced: break
            case .stepCompleted: isComplete = true
            case .notFinite: preconditionFailure("the function is finite")
            }
        }
        return isComplete
    }

    /// Tells the first one some of what the others have found, in the order in which each has found it.
    private func report(all: Bool) {
        while !underway.isEmpty, all || disorder.below(2) == 0 {
            let index = underway[disorder.below(underway.count)].server
            guard let place = underway.firstIndex(where: { $0.server == index }) else { return }
            switch underway.remove(at: place).progress {
            case .reduced: break
            case .summed(let chunk):
                let values = others[index].sum.view[first.chunks.range(chunk)]
                #expect(first.takeSum(values, ofChunk: chunk, round: others[index].round))
            case .roundCompleted(let number):
                #expect(first.openRound?.number == number)
                reduced.insert(index)
                if reduced.count == others.count { first.othersHaveReduced() }
            }
        }
    }

    func step() {
        first.beginStep()
        while !relay() {
            guard let round = first.openRound else { preconditionFailure("a step without a round") }
            for server in others {
                #expect(server.openRound == round)
                for range in server.owned.map(first.chunks.range) {
                    #expect(isEqual(server.openWeights.view[range], first.openWeights.view[range]))
                }
            }
            let present = { [setting] (node: TreeNode) in setting.tree.shards(of: node).contains { setting.rows(round, shard: $0) > 0 } }
            var sums: [TreeNode: (gradient: FloatBlock, loss: Double)] = [:]
            for (node, chunk) in disorder.schedule(tree: setting.tree, chunkCount: first.chunks.count, isPresent: present) {
                guard let sum = sums[node] ?? setting.node(node, round, weights: first.openWeights.view) else { continue }
                sums[node] = sum
                offer(node, chunk, of: round, sum)
                report(all: false)
            }
            report(all: true)
            #expect(first.openRound != round, "every leaf has come")
        }
    }

    private func offer(_ node: TreeNode, _ chunk: Int, of round: GradientRound, _ sum: (gradient: FloatBlock, loss: Double)) {
        let owner: any ChunkServer = others.first { $0.owned.contains(chunk) } ?? first
        let samples = setting.tree.shards(of: node).reduce(0) { $0 + setting.rows(round, shard: $1) }
        let token = nextToken
        nextToken += 1
        lent.insert(token)
        let offer = owner.offer(
            step: round.number, node: node, chunk: chunk, samples: samples, loss: chunk == 0 ? sum.loss : 0,
            body: sum.gradient.view[first.chunks.range(chunk)], token: token)
        #expect(offer == .accepted || offer == .ignored)
        if offer == .ignored { lent.remove(token) }
        for (index, server) in others.enumerated() {
            while let progress = server.nextProgress() { underway.append((index, progress)) }
        }
    }
}
