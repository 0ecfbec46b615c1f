internal import Kernels

/// Sizes of the pieces in which products are computed. They decide speed, never bits.
enum Blocking {
    /// Input columns of one input-gradient task.
    static let gradientColumns = 128
    /// Units of weights packed at once for the input gradient: 128 × 256 floats are a quarter of a small second-level cache.
    static let gradientDepth = 256
    /// Weights of one group of units, after which the caller hears of progress: 512 KiB, half a chunk.
    static let groupWeights = 131_072

    /// Units that are done between two calls to the caller: whole forward blocks, at least two per thread.
    static func groupUnits(inputs: Int, threads: Int) -> Int {
        let block = NetKernels.forwardUnits
        let leastBlocks = threads == 1 ? 1 : 2 * threads
        return max(groupWeights / (inputs * block), leastBlocks) * block
    }
}
