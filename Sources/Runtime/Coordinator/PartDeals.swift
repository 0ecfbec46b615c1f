internal import Datasets
internal import RunConfiguration
internal import Wire

/// The rows of every part as they are dealt to the shards; with `redeal_every` the last dealing of the training rows that was asked for
/// is kept beside the first.
final class PartDeals {
    private let first: [PartID: ShardedPart]
    private let shardCount: Int
    private let seed: UInt64
    private let dealCount: UInt64
    private var latest: (deal: UInt64, rows: ShardedPart)?

    /// - Parameter dealCount: dealings from this number on are refused.
    init(_ parts: [PartID: ShardedPart], shardCount: Int, seed: UInt64, dealCount: UInt64) {
        first = parts
        self.shardCount = shardCount
        self.seed = seed
        self.dealCount = dealCount
    }

    convenience init(_ run: PreparedRun) {
        let epochs = run.configuration.training.epochs
        // One more than is trained on: a lease taken at the end starts at the step behind the last.
        let dealCount = run.description.redealEvery.map { UInt64(epochs / $0 + 1) } ?? 1
        self.init(run.parts, shardCount: run.description.shardCount, seed: run.configuration.seed, dealCount: dealCount)
    }

    /// nil if there is no such part or no such dealing of it.
    func rows(of part: PartID, deal: UInt64) -> ShardedPart? {
        guard let rows = first[part], deal < (part == .train ? dealCount : 1) else { return nil }
        if deal == 0 { return rows }
        if let latest, latest.deal == deal { return latest.rows }
        let dealt = ShardedPart(rows.part, shardCount: shardCount, seed: seed, deal: deal)
        latest = (deal, dealt)
        return dealt
    }
}
