internal import Kernels

/// Blocks of one length that are used again as soon as nobody but the pool holds them.
struct BlockPool {
    let elementCount: Int
    private var blocks: [FloatBlock] = []

    init(elementCount: Int) {
        self.elementCount = elementCount
    }

    /// A block of unknown content; allocates only while more are in use than ever before.
    mutating func take() -> FloatBlock {
        for index in blocks.indices where isKnownUniquelyReferenced(&blocks[index]) { return blocks[index] }
        let block = FloatBlock(count: elementCount)
        blocks.append(block)
        return block
    }
}
