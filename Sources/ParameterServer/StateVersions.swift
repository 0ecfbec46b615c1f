public import Kernels

/// The whole state in two versions: t, complete, and t+1, being built out of place. Nothing but a complete version is ever shown.
///
/// Weights have a third block, since messages of version t may still lie unsent in libzmq when t+2 is begun.
public final class StateVersions {
    /// Of a slot.
    public let elementCount: Int
    /// Elements that weights have behind those that slots go with.
    private let tailCount: Int
    private var weightBlocks: [FloatBlock]
    private var slotBlocks: [[FloatBlock]]
    /// The block of the complete version, and of the one being built.
    public private(set) var currentWeights: FloatBlock
    public private(set) var nextWeights: FloatBlock
    private var slotSide = 0

    /// - Parameter weightBlocks: three blocks made elsewhere, such as in shared memory; nil: own ones.
    public init(elementCount: Int, tailCount: Int = 0, slotCount: Int, weightBlocks: [FloatBlock]? = nil) {
        let whole = elementCount + tailCount
        precondition(weightBlocks.map { $0.count == 3 && $0.allSatisfy { $0.count == whole } } ?? true, "three whole blocks")
        self.elementCount = elementCount
        self.tailCount = tailCount
        self.weightBlocks = weightBlocks ?? (0..<3).map { _ in FloatBlock(count: whole) }
        slotBlocks = (0..<2).map { _ in (0..<slotCount).map { _ in FloatBlock(count: elementCount) } }
        currentWeights = self.weightBlocks[0]
        nextWeights = self.weightBlocks[1]
    }

    public var currentSlots: [FloatBlock] { slotBlocks[slotSide] }
    public var nextSlots: [FloatBlock] { slotBlocks[1 - slotSide] }

    /// Makes the built version the complete one and finds a block for its successor.
    ///
    /// - Parameter isFree: whether nobody reads a block any more; one that stays pinned is left to its readers and replaced.
    public func advance(isFree: (FloatBlock) -> Bool) {
        currentWeights = nextWeights
        slotSide = 1 - slotSide
        if let free = weightBlocks.first(where: { $0 !== currentWeights && isFree($0) }) {
            nextWeights = free
            return
        }
        guard let pinned = weightBlocks.firstIndex(where: { $0 !== currentWeights }) else { return }
        weightBlocks[pinned] = FloatBlock(count: elementCount + tailCount)
        nextWeights = weightBlocks[pinned]
    }
}
