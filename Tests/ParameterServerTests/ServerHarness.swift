import Exactness
import Glibc
import Kernels
import OperatingSystem
import Optimization
import ParameterServer

/// A server with the lender of its contributions' memory, which keeps account of every token.
final class ServerHarness {
    let problem: Problem
    let server: ParameterServer
    private let ledger: TokenLedger
    private let completion: EventDescriptor?
    /// Everything that became ready, in order.
    private(set) var progress: [ParameterServer.Progress] = []
    /// The versions for which norms were asked.
    private(set) var askedForNorms: [UInt64] = []
    var wantsNorms: (UInt64) -> Bool = { _ in false }

    init(
        _ problem: Problem, chunkByteCount: Int = 65_536, threads: Int = 0, owned: Range<Int>? = nil,
        isFree: @escaping (FloatBlock) -> Bool = { _ in true }
    ) throws {
        self.problem = problem
        let ledger = TokenLedger()
        self.ledger = ledger
        completion = threads > 0 ? try EventDescriptor() : nil
        server = try ParameterServer(
            layout: problem.layout, updater: problem.updater, plan: problem.plan, tree: problem.tree, chunkByteCount: chunkByteCount,
            threads: threads, owned: owned, completion: completion, policy: problem.policy, learningRate: Problem.learningRate,
            isFree: isFree,
            release: { ledger.release($0) })
        problem.fill(server.state.currentWeights.mutableView)
    }

    /// Tokens that were accepted and not given back.
    var outstandingTokens: Int { ledger.lent.count }
    /// Whether a token was given back that was not lent: twice, or not accepted.
    var hasBrokenTokens: Bool { ledger.hasFailed }

    /// Offers a node's sum over a chunk as a worker would; the loss travels with chunk 0.
    @discardableResult
    func offer(
        _ node: TreeNode, _ chunk: Int, of sums: StepSums, samples: Int? = nil, change: ((inout [Float]) -> Void)? = nil
    ) -> ParameterServer.Offer {
        guard let gradient = sums.gradient(node) else { preconditionFailure("\(node) has no rows") }
        let range = server.chunks.range(chunk)
        var body = Body(gradient.view[range])
        if let change {
            var values = range.map { gradient.view[$0] }
            change(&values)
            let block = FloatBlock(count: values.count)
            for (index, value) in values.enumerated() { block.mutableView[index] = value }
            body = Body(block.view)
        }
        return offer(
            step: sums.step, node, chunk, samples: samples ?? problem.samples(of: node, step: sums.step),
            loss: chunk == 0 ? sums.loss(node) ?? .nan : 0, body: body)
    }

    @discardableResult
    func offer(step: UInt64, _ node: TreeNode, _ chunk: Int, samples: Int, loss: Double, body: Body) -> ParameterServer.Offer {
        let token = ledger.lend(body)
        let offer = server.offer(step: step, node: node, chunk: chunk, samples: samples, loss: loss, body: body.view, token: token)
        if offer != .accepted { ledger.takeBack(token) }
        return offer
    }

    /// Takes whatever is ready; never waits.
    func drain() {
        func isAsked(_ version: UInt64) -> Bool {
            askedForNorms.append(version)
            return wantsNorms(version)
        }
        while let next = server.nextProgress(wantsNorms: isAsked) { progress.append(next) }
    }

    /// Takes what is ready until `isDone`, waiting for the update threads.
    func drain(until isDone: () -> Bool) {
        drain()
        while !isDone() {
            guard let completion else { preconditionFailure("nothing more can become ready without threads") }
            var entry = pollfd(fd: completion.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&entry, 1, -1)
            completion.drain()
            drain()
        }
    }
}

/// Memory lent to a server: every token goes back exactly once, and nobody reads it after that.
private final class TokenLedger {
    private(set) var lent: [Int: Body] = [:]
    private(set) var hasFailed = false
    /// Poisoned bodies stay allocated, so that a late read is a wrong number rather than a crash.
    private var retired: [Body] = []
    private var next = 1

    func lend(_ body: Body) -> Int {
        defer { next += 1 }
        lent[next] = body
        return next
    }

    func takeBack(_ token: Int) {
        if lent.removeValue(forKey: token) == nil { hasFailed = true }
    }

    func release(_ token: Int) {
        guard let body = lent.removeValue(forKey: token) else {
            hasFailed = true
            return
        }
        body.poison()
        retired.append(body)
    }
}
