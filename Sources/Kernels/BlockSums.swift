internal import Exactness

/// One double per figure block of the layout, filled by whoever works on the block, joined by the tree over the block index.
///
/// Threads may set different blocks at a time; the sum is formed when all are set. Nothing is allocated after it is made.
public final class BlockSums: @unchecked Sendable {  // each block's sum is written by the one thread that works on it
    private let count: Int
    private let sums: UnsafeMutablePointer<Double>
    private let row: UnsafeMutablePointer<Double>

    /// For a layout of so many elements.
    public init(elementCount: Int) {
        count = (elementCount + figureBlockLength - 1) / figureBlockLength
        sums = .allocate(capacity: max(count, 1))
        row = .allocate(capacity: max(count, 1))
        sums.initialize(repeating: 0, count: max(count, 1))
        row.initialize(repeating: 0, count: max(count, 1))
    }

    deinit {
        sums.deallocate()
        row.deallocate()
    }

    package func set(_ sum: Double, block: Int) {
        precondition(block >= 0 && block < count, "a block of the layout")
        sums[block] = sum
    }

    /// The sums of some blocks, to be joined elsewhere.
    public func sums(of blocks: Range<Int>) -> [Double] {
        precondition(blocks.lowerBound >= 0 && blocks.upperBound <= count, "blocks of the layout")
        return blocks.map { sums[$0] }
    }

    /// Puts in sums that were formed elsewhere, from this block on.
    public func set(_ values: [Double], from block: Int) {
        precondition(block >= 0 && block + values.count <= count, "blocks of the layout")
        for (index, value) in values.enumerated() { sums[block + index] = value }
    }

    /// The bits of `treeSum`.
    public var total: Double {
        row.update(from: sums, count: count)
        var width = count
        while width > 1 {
            for index in 0..<(width + 1) / 2 {
                row[index] = 2 * index + 1 < width ? row[2 * index] + row[2 * index + 1] : row[2 * index]
            }
            width = (width + 1) / 2
        }
        return row[0]
    }
}
