internal import Exactness
internal import Kernels
internal import Optimization

/// The gradient of a pass: round after round of batches, each reduced by its tree, folded from the left into one sum, chunk by chunk.
final class PassSum {
    /// Of the chunks that are taken in; the others are whoever's who puts them here.
    let sum: FloatBlock
    private let chunks: ChunkMap
    private let intake: RoundIntake
    private let partial: FloatBlock
    private let scratch: UpdateScratch
    private var isFirst = true

    init(chunks: ChunkMap, owned: Range<Int>, plan: StepPlan, tree: ShardTree) {
        self.chunks = chunks
        intake = RoundIntake(chunks: chunks, owned: owned, plan: plan, tree: tree)
        sum = FloatBlock(count: chunks.elementCount)
        partial = FloatBlock(count: chunks.count == 0 ? 0 : chunks.range(0).count)
        scratch = UpdateScratch(shardCount: tree.shardCount)
    }

    /// - Parameter isFirst: whether a pass begins with this round.
    func open(planStep: UInt64, isFirst: Bool) {
        self.isFirst = isFirst
        intake.open(planStep: planStep)
    }

    /// Takes a contribution to the open round.
    ///
    /// - Returns: what became of it, and whether its chunk is in the sum with that.
    func offer(
        _ contribution: Contribution, chunk: Int, window: Int, release: (Int) -> Void
    ) -> (offer: ParameterServer.Offer, isReduced: Bool) {
        let offer = intake.offer(contribution, chunk: chunk, window: window, release: release)
        guard offer == .accepted, intake.isComplete(chunk) else { return (offer, false) }
        let range = chunks.range(chunk)
        let target = isFirst ? sum.mutableView[range] : partial.mutableView[0..<range.count]
        intake.reduce(chunk, into: target, scratch: scratch, release: release)
        if !isFirst { VectorKernels.add(target.view, to: sum.mutableView[range]) }
        return (offer, true)
    }

    var isRoundComplete: Bool { intake.isRoundComplete }
    /// Chunks that have been taken without a gap, in the order of travel.
    var takenInOrder: Int { intake.takenInOrder }
    var sampleCount: Int { intake.sampleCount }
    /// The round's loss, which travels with chunk 0.
    var lossSum: Double { intake.lossSum }
    func uncoveredShards(window: Int) -> ShardSet { intake.uncoveredShards(window: window) }
}
