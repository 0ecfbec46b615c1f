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

/// A run of a dense stage's units, in blocks.
struct UnitGroup {
    var lowerBound: Int
    var upperBound: Int
    var blockUnits: Int

    var blocks: Int { (upperBound - lowerBound + blockUnits - 1) / blockUnits }

    func block(_ index: Int) -> Range<Int> {
        let first = lowerBound + index * blockUnits
        return first..<min(upperBound, first + blockUnits)
    }
}

/// The units of a dense stage from the last to the first, as layouts finish in backward and arrive in forward.
///
/// Groups are whole blocks, at least two per thread; between two of them the caller hears of progress.
struct UnitGroups: Sequence, IteratorProtocol {
    private let blockUnits, size: Int
    private var end: Int

    /// - Parameter blockUnits: of one task.
    init(_ dense: Stage.Dense, threads: Int, blockUnits: Int = NetKernels.forwardUnits) {
        let leastBlocks = threads == 1 ? 1 : 2 * threads
        self.blockUnits = blockUnits
        size = Swift.max(Blocking.groupWeights / (dense.inputs * blockUnits), leastBlocks) * blockUnits
        end = dense.units
    }

    mutating func next() -> UnitGroup? {
        guard end > 0 else { return nil }
        let group = UnitGroup(lowerBound: (end - 1) / size * size, upperBound: end, blockUnits: blockUnits)
        end = group.lowerBound
        return group
    }
}
