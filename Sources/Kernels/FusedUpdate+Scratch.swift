internal import CKernels

/// One thread's working memory for updates: a cache block of mean gradient, one per level of the reduction, sums of squares.
public final class UpdateScratch: @unchecked Sendable {  // used by one thread at a time
    /// Elements that go through all loops before the next ones: few enough to stay in the first cache.
    package static let blockLength = 4_096

    /// Levels of the reduction there is room for.
    public let levelCount: Int
    private let block: FloatBlock
    let lanes: UnsafeMutablePointer<Double>

    /// Room for the reductions of up to `shardCount` shards.
    public init(shardCount: Int) {
        precondition(shardCount > 0, "a reduction needs a shard")
        levelCount = Int.bitWidth - (shardCount - 1).leadingZeroBitCount
        block = FloatBlock(count: (levelCount + 1) * Self.blockLength)
        lanes = .allocate(capacity: 3 * NormAccumulator.laneCount)
    }

    deinit {
        lanes.deallocate()
    }

    var mean: UnsafeMutablePointer<Float> { block.mutableView.base }

    func level(_ index: Int) -> UnsafeMutablePointer<Float> {
        block.mutableView.base + (index + 1) * Self.blockLength
    }

    /// The first element that is NaN or infinite.
    public func firstNotFinite(in values: FloatView) -> Int? {
        let table = UpdateKernels.best.table
        for start in stride(from: 0, to: values.count, by: Self.blockLength) {
            let block = values[start..<min(start + Self.blockLength, values.count)]
            if !table.mean(mean, dnn_sum(a: block.base, b: nil), block.count, 1) {
                return (0..<block.count).first { !block[$0].isFinite }.map { start + $0 }
            }
        }
        return nil
    }
}
