internal import Kernels

/// Sizes of the pieces in which products are computed. They decide speed, never bits.
enum Blocking {
    /// Input columns of one input-gradient task.
    static let gradientColumns = 128
    /// Units of weights packed at once for the input gradient: 128 × 256 floats are a quarter of a small second-level cache.
    static let gradientDepth = 256
    /// Weights of one group of units, after which the caller hears of progress: 512 KiB, half a chunk.
    static let groupWeights = 131_072

}

/// A run of a dense stage's units, in blocks of the forward kernel.
struct UnitGroup {
    var lowerBound: Int
    var upperBound: Int

    var blocks: Int { (upperBound - lowerBound + NetKernels.forwardUnits - 1) / NetKernels.forwardUnits }

    func block(_ index: Int) -> Range<Int> {
        let first = lowerBound + index * NetKernels.forwardUnits
        return first..<min(upperBound, first + NetKernels.forwardUnits)
    }
}

/// The units of a dense stage from the last to the first, as layouts finish in backward and arrive in forward.
///
/// Groups are whole forward blocks, at least two per thread; between two of them the caller hears of progress.
struct UnitGroups: Sequence, IteratorProtocol {
    private let size: Int
    private var end: Int

    init(_ dense: Stage.Dense, threads: Int) {
        let leastBlocks = threads == 1 ? 1 : 2 * threads
        size = Swift.max(Blocking.groupWeights / (dense.inputs * NetKernels.forwardUnits), leastBlocks) * NetKernels.forwardUnits
        end = dense.units
    }

    mutating func next() -> UnitGroup? {
        guard end > 0 else { return nil }
        let group = UnitGroup(lowerBound: (end - 1) / size * size, upperBound: end)
        end = group.lowerBound
        return group
    }
}
