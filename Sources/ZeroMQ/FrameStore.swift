/// A fixed number of places for frames, allocated once: storing a frame neither copies its body nor allocates.
public struct FrameStore: ~Copyable, @unchecked Sendable {  // as Frame
    private let cells: MessageCells

    public init(count: Int) {
        cells = MessageCells(count: count)
    }

    public var count: Int { cells.count }

    /// Puts a frame into a place; one that was there is released.
    public mutating func store(_ frame: consuming Frame, at index: Int) {
        cells.move(from: frame.cell, to: index)
    }

    /// Moves part `part` of a message into a place, where its bytes can stay while the message is received into again.
    public mutating func store(part: Int, of message: inout Message, at index: Int) {
        cells.move(from: message.cell(part), to: index)
    }

    /// The bytes in a place, none if it is clear; valid until it is cleared, stored into, or taken from.
    public func bytes(at index: Int) -> UnsafeRawBufferPointer {
        cells[index].bytes
    }

    public func withBytes<R: ~Copyable, E: Error>(
        at index: Int, _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(bytes(at: index))
    }

    /// Takes a frame out; an empty one from a clear place.
    public mutating func take(at index: Int) -> Frame {
        Frame(movingFrom: cells[index])
    }

    public mutating func clear(at index: Int) {
        cells.clear(index)
    }

    public mutating func clearAll() {
        for index in 0..<count {
            cells.clear(index)
        }
    }
}
