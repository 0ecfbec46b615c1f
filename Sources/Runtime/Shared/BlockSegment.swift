internal import Kernels
internal import OperatingSystem

/// A segment of shared memory cut into whole parameter blocks, each at a page of its own.
///
/// On one host gradients and weights lie in such segments and messages carry their order, ownership and completion. Weights are
/// written by the parameter servers alone, each its own chunks, and mapped read-only by local workers; each worker process has a
/// gradient segment of its own, in which a block is written again only when its step is over for every server.
final class BlockSegment: Sendable {
    private static let pageByteCount = 4_096

    let memory: SharedMemory
    let blockCount: Int
    let elementCount: Int
    private let blockByteCount: Int

    private init(_ memory: SharedMemory, blockCount: Int, elementCount: Int) {
        self.memory = memory
        self.blockCount = blockCount
        self.elementCount = elementCount
        blockByteCount = Self.blockByteCount(elementCount)
    }

    /// Memory is taken page by page when it is first written: blocks that are never used cost nothing.
    static func create(blockCount: Int, elementCount: Int, sharing: SharedMemory.Sharing, name: String) throws(SystemError) -> BlockSegment
    {
        let memory = try SharedMemory.create(byteCount: blockCount * blockByteCount(elementCount), sharing: sharing, name: name)
        return BlockSegment(memory, blockCount: blockCount, elementCount: elementCount)
    }

    /// A segment that another process made, under a descriptor that it has handed down.
    static func adopt(
        descriptor: Int32, blockCount: Int, elementCount: Int, access: SharedMemory.Access
    ) throws(SystemError) -> BlockSegment {
        let memory = try SharedMemory.adopt(
            descriptor: descriptor, byteCount: blockCount * blockByteCount(elementCount), access: access)
        return BlockSegment(memory, blockCount: blockCount, elementCount: elementCount)
    }

    private static func blockByteCount(_ elementCount: Int) -> Int {
        (elementCount * MemoryLayout<Float>.stride + pageByteCount - 1) / pageByteCount * pageByteCount
    }

    /// The block's floats; valid as long as the segment.
    func view(_ block: Int) -> FloatView {
        precondition(block >= 0 && block < blockCount, "a segment has no such block")
        guard let base = memory.bytes.baseAddress else { preconditionFailure("a segment is never empty") }
        return FloatView(base: base + block * blockByteCount, count: elementCount)
    }

    /// The block as one to write to, which keeps the segment alive.
    func writableBlock(_ block: Int) -> FloatBlock {
        precondition(block >= 0 && block < blockCount, "a segment has no such block")
        guard let base = memory.mutableBytes.baseAddress else { preconditionFailure("a segment is never empty") }
        let floats = (base + block * blockByteCount).bindMemory(to: Float.self, capacity: elementCount)
        return FloatBlock(adopting: MutableFloatView(base: floats, count: elementCount)) { [self] in withExtendedLifetime(self) {} }
    }
}

/// What a local worker is told of its segments on its command line.
public struct SharedSegmentsOption: Sendable {
    public var weightsDescriptor: Int32
    public var gradientsDescriptor: Int32
    public var gradientBlocks: Int

    /// Weights of version t, t+1 and, until every message of it is gone, t−1.
    static let weightBlocks = 3
    static let firstDescriptor: Int32 = 3

    init(gradientBlocks: Int) {
        weightsDescriptor = Self.firstDescriptor
        gradientsDescriptor = Self.firstDescriptor + 1
        self.gradientBlocks = gradientBlocks
    }

    /// From `WEIGHTS:GRADIENTS:BLOCKS`, two descriptors and a count.
    public init?(_ text: String) {
        let numbers = text.split(separator: ":", omittingEmptySubsequences: false).map { Int32($0) }
        guard numbers.count == 3, let weights = numbers[0], let gradients = numbers[1], let blocks = numbers[2],
            weights >= 3, gradients >= 3, weights != gradients, blocks > 0
        else { return nil }
        weightsDescriptor = weights
        gradientsDescriptor = gradients
        gradientBlocks = Int(blocks)
    }

    var text: String { "\(weightsDescriptor):\(gradientsDescriptor):\(gradientBlocks)" }
}
