internal import Kernels
internal import ZeroMQ

/// A whole gradient block that messages are sent from without a copy.
final class GradientBlock {
    let floats: FloatBlock
    private let lender: Lender
    /// Where bfloat16 numbers are made of the floats; comes with the first that are sent.
    private lazy var halves = FloatBlock(count: (floats.count + 1) / 2)
    private lazy var halvesLender = Lender(keeping: halves)
    private var sendsHalves = false
    /// Its number in the shared segment, nil if its values travel in messages.
    let sharedIndex: Int?
    /// The step that it was last filled for.
    fileprivate(set) var step: UInt64?
    /// The one before: its sum lies in the block until the new one is written.
    fileprivate var formerStep: UInt64?

    init(_ floats: FloatBlock, sharedIndex: Int? = nil) {
        self.floats = floats
        self.sharedIndex = sharedIndex
        lender = Lender(keeping: floats)
    }

    /// Whether messages still read from it.
    var isLent: Bool { lender.outstanding > 0 || sendsHalves && halvesLender.outstanding > 0 }

    /// A body with the values of `range`.
    func body(_ range: Range<Int>) -> Frame {
        Frame(lending: floats.view[range].bytes, from: lender)
    }

    /// A body with the values of `range`, which begins at an even element and is rounded already, as bfloat16 numbers.
    func halvedBody(_ range: Range<Int>) -> Frame {
        sendsHalves = true
        let target = halves.mutableView[range.lowerBound / 2..<(range.upperBound + 1) / 2]
        ElementwiseKernels.round(floats.view[range], intoBF16: target)
        return Frame(lending: UnsafeRawBufferPointer(rebasing: target.view.bytes[..<(2 * range.count)]), from: halvesLender)
    }
}

/// The blocks that a worker's gradients are written to: up to 3 for every node it sends.
///
/// A block is free again when libzmq has given back every body sent from it and its step is over for every server, so that a message
/// that is still on its way is never written into, nor values that a server is to read.
final class GradientPool {
    private static let blocksPerNode = 3
    /// For steps that are interrupted after some chunks have left, and computed again with other nodes.
    private static let spareBlocks = 3
    private let elementCount: Int
    private let shared: BlockSegment?
    private var blocks: [GradientBlock] = []

    /// - Parameter shared: where blocks are taken from as long as there are any.
    init(elementCount: Int, shared: BlockSegment? = nil) {
        self.elementCount = elementCount
        self.shared = shared
    }

    /// A block for `step`, nil while all are in use.
    ///
    /// - Parameter over: every server has read what was shared for the steps below this one; nil: for those below `step`.
    func take(step: UInt64, over: UInt64? = nil, nodeCount: Int) -> GradientBlock? {
        let shared = over ?? step
        for block in blocks where block.step.map({ $0 < (block.sharedIndex == nil ? step : shared) }) ?? true {
            if !block.isLent {
                block.formerStep = block.step
                block.step = step
                return block
            }
        }
        guard blocks.count < Self.blocksPerNode * max(nodeCount, 1) + Self.spareBlocks else { return nil }
        let block = makeBlock()
        block.step = step
        blocks.append(block)
        return block
    }

    private func makeBlock() -> GradientBlock {
        let used = Set(blocks.compactMap(\.sharedIndex))
        if let shared, let free = (0..<shared.blockCount).first(where: { !used.contains($0) }) {
            return GradientBlock(shared.writableBlock(free), sharedIndex: free)
        }
        return GradientBlock(FloatBlock(count: elementCount))
    }

    /// Gives back a block that was taken and not sent from.
    ///
    /// What it held before counts again: the step before may be open still, and read from a shared block, when the weights of the
    /// next one begin to come.
    func putBack(_ block: GradientBlock) {
        block.step = block.formerStep
    }

    /// Lets go of blocks beyond what so many nodes need, but for those that the open step may still be read from.
    func trim(nodeCount: Int, openStep: UInt64) {
        let most = Self.blocksPerNode * max(nodeCount, 1)
        func isSurplus(_ block: GradientBlock) -> Bool {
            !block.isLent && (block.step.map { $0 < openStep } ?? true)
        }
        while blocks.count > most, let surplus = blocks.lastIndex(where: isSurplus) {
            blocks.remove(at: surplus)
        }
    }
}
