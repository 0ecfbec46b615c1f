internal import Exactness
internal import Kernels
internal import NeuralNet
internal import ParameterServer
internal import RunConfiguration
internal import Training

/// Modes ssp and async again: the same server gets the same contributions, each computed with the version that the log names.
///
/// A version is kept as long as a later update reads it: as many as the run had workers at most.
final class StaleReplay {
    private let run: PreparedRun
    private let leaves: ReplayedLeaves
    private let log: OrderLogReader
    private let server: StaleServer
    private let rate = ReplayedRate()
    private let gradient: FloatBlock
    /// By version, the last update that reads it.
    private var lastReader: [UInt64]
    private var kept: [UInt64: FloatBlock] = [:]
    private var spare: [FloatBlock] = []

    init(_ run: PreparedRun, leaves: ReplayedLeaves, log: OrderLogReader) throws {
        self.run = run
        self.leaves = leaves
        self.log = log
        let training = run.configuration.training
        server = StaleServer(
            layout: run.network.layout, updater: run.updater, plan: run.plan.train, tree: run.plan.tree,
            chunkByteCount: run.description.chunkByteCount, staleness: training.mode.staleness, policy: training.nonFinite,
            learningRate: { [rate] _ in rate.value }, wantsNorms: { _ in false }, isFree: { _ in true })
        server.initializeWeights { run.initialize($0) }
        server.open(until: run.plan.totalSteps)
        gradient = FloatBlock(count: run.network.layout.blockLength)
        lastReader = try Self.lastReaders(log)
    }

    private static func lastReaders(_ log: OrderLogReader) throws -> [UInt64] {
        var log = log
        var readers: [UInt64] = []
        while let entry = try log.next() {
            guard case .update(let update, _) = entry else { continue }
            guard update.number == UInt64(readers.count) else {
                throw log.failure("update \(update.number) follows update \(readers.count)")
            }
            readers.append(0)
            readers[Int(update.read)] = update.number
        }
        return readers
    }

    /// Follows the log to its end.
    ///
    /// - Parameter observe: called whenever a step of the plan is complete in all shards; ends the replay by returning false.
    /// - Returns: the updates that the log has reached.
    func follow(_ observe: (_ steps: UInt64, _ weights: FloatBlock) throws -> Bool) throws -> UInt64 {
        var log = log
        var reached: UInt64 = 0
        while let entry = try log.next() {
            switch entry {
            case .start(let mode, let at, _):
                guard mode == run.configuration.training.mode.keyword else { throw log.failure("is of a run in mode \(mode)") }
                guard at == server.updates else {
                    throw log.failure("the run went on at update \(at), and the log ends at update \(server.updates): some of it is lost")
                }
            case .update(let update, let rate):
                if let rate { self.rate.value = rate }
                try apply(update, log)
                while let progress = server.nextProgress() {
                    switch progress {
                    case .stepCompleted(let version):
                        guard try observe(version, server.completeWeights) else { return reached }
                    case .notFinite: throw log.failure("the gradient is not finite, which it was not in the run")
                    case .updated, .limitRaised, .dropped: break
                    }
                }
            case .reached(let updates):
                guard updates == server.updates else {
                    throw log.failure("\(updates) updates are told of, and \(server.updates) are there")
                }
                reached = updates
            case .step: throw log.failure("is an entry of another mode")
            }
        }
        return reached
    }

    var finalWeights: FloatBlock { server.completeWeights }

    private func apply(_ update: OrderLogEntry.Update, _ log: OrderLogReader) throws {
        let (shardCount, current) = (run.plan.tree.shardCount, server.updates)
        let isAscending = zip(update.shards, update.shards.dropFirst()).allSatisfy { $0 < $1 }
        guard isAscending, update.shards.allSatisfy({ (0..<shardCount).contains($0) }) else {
            throw log.failure("there are no such shards among \(shardCount)")
        }
        guard let read = update.read == current ? server.completeWeights : kept[update.read] else {
            throw log.failure("version \(update.read) is none that the run has had")
        }
        let part = ReplayedLeaves.Part(node: run.plan.tree.root, shards: update.shards, gradient: gradient)
        guard let figures = try leaves.compute([part], step: update.clock, weights: read.view)?.first else {
            throw log.failure("its shards have no rows in step \(update.clock)")
        }
        keep(current)
        func check(_ offer: ParameterServer.Offer) throws {
            if offer != .accepted { throw log.failure("update \(update.number) can't be applied: \(offer)") }
        }
        try check(server.begin(from: 0, shards: update.shards, clock: update.clock, read: update.read))
        for chunk in 0..<server.chunks.count {
            let body = gradient.view[server.chunks.range(chunk)]
            try check(server.take(from: 0, chunk: chunk, samples: figures.samples, loss: figures.lossSum, body: body))
        }
        for (version, block) in kept where lastReader[Int(version)] <= update.number {
            spare.append(block)
            kept[version] = nil
        }
    }

    /// Copies the complete version if an update after the one that is about to be applied reads it.
    private func keep(_ version: UInt64) {
        guard lastReader[Int(version)] > version else { return }
        let block = spare.popLast() ?? FloatBlock(count: run.network.layout.blockLength)
        block.mutableView.copy(from: server.completeWeights.view)
        kept[version] = block
    }
}
