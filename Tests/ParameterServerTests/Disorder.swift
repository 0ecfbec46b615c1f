import Exactness
import ParameterServer
import Testing

/// Workers come and go, messages overtake each other: a schedule of contributions that is complete, with more than is needed.
struct Disorder {
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
        schedule(tree: sums.problem.tree, chunkCount: chunkCount) { sums.problem.samples(of: $0, step: sums.step) > 0 }
    }

    /// - Parameter isPresent: whether a node has rows.
    mutating func schedule(tree: ShardTree, chunkCount: Int, isPresent: (TreeNode) -> Bool) -> [(TreeNode, Int)] {
        let present = (1..<UInt32(tree.shardCount * 2)).map(TreeNode.init).filter(isPresent)
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

    /// Offers everything, taking what is ready at odd moments, and checks what was reported of the step.
    mutating func play(_ sums: StepSums, on harness: ServerHarness, change: ((TreeNode, Int, inout [Float]) -> Void)? = nil) {
        let before = harness.progress.count
        for (node, chunk) in schedule(of: sums, chunkCount: harness.server.chunks.count) {
            let offer = harness.offer(node, chunk, of: sums, change: change.map { change in { change(node, chunk, &$0) } })
            #expect(offer == .accepted || offer == .ignored)
            if below(3) == 0 { harness.drain() }
        }
        harness.drain { harness.server.version == sums.step + 1 }
        let progress = harness.progress[before...]
        #expect(progress.last == .stepCompleted(version: sums.step + 1))
        let ready = progress.compactMap { if case .chunkReady(let chunk) = $0 { chunk } else { nil } }
        #expect(ready.sorted() == Array(0..<harness.server.chunks.count))
    }
}
