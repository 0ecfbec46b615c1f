/// The one parameter block cut into chunks, the unit of transport and of the update.
///
/// Chunk boundaries are multiples of a figure block. Chunks travel in descending order, as backward finishes them.
/// A block may have a tail that the update does not touch: it is a chunk of its own behind the others.
/// - Note: the chunk size never touches the bits: the update is element by element, figures keep to their own blocks.
public struct ChunkMap: Hashable, Sendable {
    /// Elements of the block, the tail included.
    public var elementCount: Int { updatedCount + tailCount }
    /// Elements before the tail.
    public let updatedCount: Int
    public let tailCount: Int
    /// Elements of every chunk but the last of those before the tail, and the tail.
    public let chunkLength: Int

    /// - Parameter elementCount: without the tail.
    /// - Precondition: `chunkByteCount` is a positive multiple of 65,536.
    public init(elementCount: Int, tailCount: Int = 0, chunkByteCount: Int) {
        precondition(chunkByteCount > 0 && chunkByteCount % (figureBlockLength * 4) == 0, "a chunk is a multiple of 65,536 bytes")
        updatedCount = elementCount
        self.tailCount = tailCount
        self.chunkLength = chunkByteCount / 4
    }

    private var updatedChunks: Int { (updatedCount + chunkLength - 1) / chunkLength }

    public var count: Int { updatedChunks + (tailCount > 0 ? 1 : 0) }

    public func isTail(_ chunk: Int) -> Bool { chunk == updatedChunks }

    public func range(_ chunk: Int) -> Range<Int> {
        isTail(chunk) ? updatedCount..<elementCount : chunk * chunkLength..<min((chunk + 1) * chunkLength, updatedCount)
    }

    public var largestByteCount: Int { 4 * max(min(chunkLength, updatedCount), tailCount) }

    /// The place of a chunk in the order in which backward finishes them.
    public func position(_ chunk: Int) -> Int {
        count - 1 - chunk
    }

    /// The chunks that hold elements of `range`.
    public func chunks(covering range: Range<Int>) -> Range<Int> {
        range.isEmpty ? 0..<0 : chunk(of: range.lowerBound)..<chunk(of: range.upperBound - 1) + 1
    }

    private func chunk(of element: Int) -> Int {
        element < updatedCount ? element / chunkLength : updatedChunks
    }
}
