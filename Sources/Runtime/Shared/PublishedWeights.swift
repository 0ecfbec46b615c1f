internal import Exactness
internal import Kernels
internal import NeuralNet
internal import ZeroMQ

/// What workers are given to compute with: the server's own weights or, with bf16 on the wire, what those are rounded to.
///
/// Rounded weights lie beside each block that the server builds versions in: as floats where workers share memory, as halves for
/// messages. The tail, running statistics in double, is never rounded.
///
/// Where several servers write their chunks into the same blocks, a version has to lie in the same one of them for all. They begin with
/// the same version and build each in a block that nobody reads, so that is so as long as none of them finds a block pinned: messages to
/// workers are copies there.
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

    /// Which of the server's blocks belong to the shared ones.
    enum Sharing {
        /// Workers of this host read what this server writes alone.
        case own
        /// Several servers write, each its chunks.
        case common
        /// As `common`, but the values are there before the server knows: a search writes them as a whole.
        case commonAndWritten
    }

    private let rounds: Bool
    private let chunks: ChunkMap
    private let shared: [FloatBlock]
    private let isCommon: Bool
    /// Where the shared blocks are common: the server's own blocks, each to the shared one of its number.
    private let commonBlocks: [FloatBlock]
    /// Who lends the blocks themselves, too, where their exact values travel.
    let lenders: LenderTable
    private var rounded: [Rounded] = []

    /// - Parameter shared: blocks that workers of this host read; empty where there are none.
    init(wire: Precision, chunks: ChunkMap, shared: [FloatBlock], sharing: Sharing = .own, lenders: LenderTable) {
        rounds = wire == .bf16
        self.chunks = chunks
        self.shared = shared
        self.lenders = lenders
        isCommon = sharing != .own && !shared.isEmpty
        let areApart = isCommon && (rounds || sharing == .commonAndWritten)
        commonBlocks = areApart ? shared.map { FloatBlock(count: $0.count) } : shared
    }

    /// Blocks for the server to build versions in, nil: its own.
    var serverBlocks: [FloatBlock]? {
        if isCommon { return commonBlocks }
        return rounds || shared.isEmpty ? nil : shared
    }

    /// Whether what servers send each other of their own weights can be read in the shared blocks: there they are exact.
    var sharesExactValues: Bool { isCommon && !rounds }

    /// Readies a chunk of one of the server's blocks, whose values are as they will stay; doing it again changes nothing.
    func publish(_ chunk: Int, of block: FloatBlock) {
        guard rounds else { return }
        let range = chunks.range(chunk), copy = copy(of: block), target = copy.floats.mutableView[range]
        guard !chunks.isTail(chunk) else { return target.copy(from: block.view[range]) }
        let halves = copy.halves.mutableView[Self.halves(range)]
        ElementwiseKernels.round(block.view[range], intoBF16: halves)
        guard copy.sharedIndex != nil else { return }
        // Never by way of values that are not rounded yet: while one worker pulls, others compute with the same memory.
        ElementwiseKernels.widen(bf16: UnsafeRawBufferPointer(rebasing: halves.view.bytes[..<(2 * range.count)]), into: target)
    }

    /// A body with the values of a published chunk, lent without a copy unless servers share the blocks.
    func body(_ chunk: Int, of block: FloatBlock) -> Frame {
        let range = chunks.range(chunk)
        guard rounds else { return body(block.view[range].bytes, of: block) }
        let copy = copy(of: block)
        guard !chunks.isTail(chunk) else { return body(copy.floats.view[range].bytes, of: copy.floats) }
        let bytes = copy.halves.view[Self.halves(range)].bytes
        return body(UnsafeRawBufferPointer(rebasing: bytes[..<(2 * range.count)]), of: copy.halves)
    }

    private func body(_ bytes: UnsafeRawBufferPointer, of block: FloatBlock) -> Frame {
        isCommon ? Frame(byteCount: bytes.count) { $0.copyMemory(from: bytes) } : Frame(lending: bytes, from: lenders.lender(of: block))
    }

    /// The number of the shared block that the published values of `block` lie in, nil if they have to travel.
    func sharedIndex(of block: FloatBlock) -> Int? {
        if isCommon { return commonBlocks.firstIndex { $0 === block } }
        return rounds ? copy(of: block).sharedIndex : shared.firstIndex { $0 === block }
    }

    /// The shared block of this number; nil if there is none.
    func sharedBlock(_ index: UInt64) -> FloatBlock? {
        index < UInt64(shared.count) ? shared[Int(index)] : nil
    }

    /// Whether no message in flight reads `block` or what was published of it.
    ///
    /// Where servers share the blocks only they lend them to each other, and none goes on to a version that is built there before the
    /// others have read it: a step needs everybody's word, and a search a round between three versions.
    func isFree(_ block: FloatBlock) -> Bool {
        guard !isCommon else { return true }
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
        let index =
            isCommon
            ? commonBlocks.firstIndex { $0 === block }
            : shared.indices.first { index in !rounded.contains { $0.sharedIndex == index } }
        let new = Rounded(of: block, floats: index.map { shared[$0] } ?? FloatBlock(count: block.count), sharedIndex: index)
        rounded.append(new)
        return new
    }
}
