internal import Exactness

/// The order in which a shard's rows are taken in an epoch, keyed (seed, epoch, shard).
public enum EpochOrder {
    /// A permutation of the shard's positions 0..<rowCount; the k-th batch takes the k-th run of batch/V of them.
    public static func positions(rowCount: Int, seed: UInt64, epoch: UInt64, shard: Int) -> [UInt32] {
        RandomStream(seed: seed, purpose: .epochShuffle, layer: shard, step: epoch).permutation(count: rowCount)
    }
}
