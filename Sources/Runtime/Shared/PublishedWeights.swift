internal import Exactness
internal import Kernels
internal import NeuralNet
internal import ZeroMQ

/// What workers are given to compute with: the server's own weights or, with bf16 on the wire, what those are rounded to.
///
/// Rounded weights lie beside each block that the server builds versions in: as floats where workers share memory, as halves for
/// messages. The tail, running statistics in double, is never rounded.
final class PublishedWeights {
    /// The rounded values of one of the server's blocks.
    private final class Rounded {
        weak var master: FloatBlock?
        /// In shared memory if it has an index, else only the tail is used.
        let floats: FloatBlock
        let sharedIndex: Int?
        let halves: FloatBlock

        init(of master: FloatBlock, floats: FloatBlock, sharedIndex: Int?) {
            self.master = master
            self.floats = floats
            self.sharedIndex = sharedIndex
            halves = FloatBlock(count: (master.count + 1) / 2)
        }
    }

    private let rounds: Bool
    private let chunks: ChunkMap
    private let shared: [FloatBlock]
    /// Who lends the blocks themselves, too, where their exact values travel.
    let lenders: LenderTable
    private var rounded: [Rounded] = []

    /// - Parameter shared: blocks that workers of this host read; empty where there are none.
    init(wire: Precision, chunks: ChunkMap, shared: [FloatBlock], lenders: LenderTable) {
        rounds = wire == .bf16
        self.chunks = chunks
        self.shared = shared
        self.lenders = lenders
    }

    /// Blocks for the server to build versions in, nil: its own.
    var serverBlocks: [FloatBlock]? { rounds || shared.isEmpty ? nil : shared }

    /// Readies a chunk of one of the server's blocks, whose values are as they will stay; doing it again changes nothing.
    func publish(_ chunk: Int, of block: FloatBlock) {
        guard rounds else { return }
        let range = chunks.range(chunk), copy = copy(of: block), target = copy.floats.mutableView[range]
        if copy.sharedIndex != nil || chunks.isTail(chunk) { target.copy(from: block.view[range]) }
        guard !chunks.isTail(chunk) else { return }
        ElementwiseKernels.round(block.view[range], intoBF16: copy.halves.mutableView[Self.halves(range)])
        if copy.sharedIndex != nil { ElementwiseKernels.roundToBF16(target) }
    }

    /// A body with the values of a published chunk, lent without a copy.
    func body(_ chunk: Int, of block: FloatBlock) -> Frame {
        let range = chunks.range(chunk)
        guard rounds else { return Frame(lending: block.view[range].bytes, from: lenders.lender(of: block)) }
        let copy = copy(of: block)
        guard !chunks.isTail(chunk) else { return Frame(lending: copy.floats.view[range].bytes, from: lenders.lender(of: copy.floats)) }
        let bytes = copy.halves.view[Self.halves(range)].bytes
        return Frame(lending: UnsafeRawBufferPointer(rebasing: bytes[..<(2 * range.count)]), from: lenders.lender(of: copy.halves))
    }

    /// The number of the shared block that the published values of `block` lie in, nil if they have to travel.
    func sharedIndex(of block: FloatBlock) -> Int? {
        rounds ? copy(of: block).sharedIndex : shared.firstIndex { $0 === block }
    }

    /// Whether no message in flight reads `block` or what was published of it.
    func isFree(_ block: FloatBlock) -> Bool {
        guard lenders.isFree(block) else { return false }
        return rounded.first { $0.master === block }.map { lenders.isFree($0.halves) && lenders.isFree($0.floats) } ?? true
    }

    /// Chunks begin at even elements, so that their halves begin at a whole Float's room.
    private static func halves(_ range: Range<Int>) -> Range<Int> {
        range.lowerBound / 2..<(range.upperBound + 1) / 2
    }

    /// What belongs to a block of the server's, or to one that was copied from it.
    private func copy(of block: FloatBlock) -> Rounded {
        if let known = rounded.first(where: { $0.master === block }) { return known }
        rounded.removeAll { $0.master == nil && lenders.isFree($0.halves) && lenders.isFree($0.floats) }
        let index = shared.indices.first { index in !rounded.contains { $0.sharedIndex == index } }
        let new = Rounded(of: block, floats: index.map { shared[$0] } ?? FloatBlock(count: block.count), sharedIndex: index)
        rounded.append(new)
        return new
    }
}
