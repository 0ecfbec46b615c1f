/// The one parameter block cut into chunks, the unit of transport and of the update.
///
/// Chunk boundaries are multiples of a figure block. Chunks travel in descending order, as backward finishes them.
/// - Note: the chunk size never touches the bits: the update is element by element, figures keep to their own blocks.
public struct ChunkMap: Hashable, Sendable {
    /// Elements of the block.
    public let elementCount: Int
    /// Elements of every chunk but the last.
    public let chunkLength: Int

    /// - Precondition: `chunkByteCount` is a positive multiple of 65,536.
    public init(elementCount: Int, chunkByteCount: Int) {
        precondition(chunkByteCount > 0 && chunkByteCount % (figureBlockLength * 4) == 0, "a chunk is a multiple of 65,536 bytes")
        self.elementCount = elementCount
        self.chunkLength = chunkByteCount / 4
    }

    public var count: Int { (elementCount + chunkLength - 1) / chunkLength }

    public func range(_ chunk: Int) -> Range<Int> {
        chunk * chunkLength..<min((chunk + 1) * chunkLength, elementCount)
    }

    /// The place of a chunk in the order in which backward finishes them.
    public func position(_ chunk: Int) -> Int {
        count - 1 - chunk
    }

    /// The chunks that hold elements of `range`.
    public func chunks(covering range: Range<Int>) -> Range<Int> {
        range.isEmpty ? 0..<0 : range.lowerBound / chunkLength..<(range.upperBound - 1) / chunkLength + 1
    }
}
