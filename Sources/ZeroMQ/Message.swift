/// A whole received message; used again and again, it allocates nothing.
///
/// Its bytes are valid until the next `receive(into:)` or `clear`.
public struct Message: ~Copyable, @unchecked Sendable {  // as Frame
    /// A message of more parts is not kept.
    public let maximumParts: Int
    public internal(set) var count = 0
    private let cells: MessageCells

    public init(maximumParts: Int) {
        precondition(maximumParts >= 1, "a message has at least one part")
        self.maximumParts = maximumParts
        cells = MessageCells(count: maximumParts + 1)
    }

    /// Where surplus parts pass through.
    var spare: FrameCell { cells[maximumParts] }

    /// Where a part lies or is to be received.
    func slot(_ part: Int) -> FrameCell {
        cells[part]
    }

    func cell(_ part: Int) -> FrameCell {
        precondition(part < count, "the message has no such part")
        return cells[part]
    }

    /// For a part below `count`.
    public func byteCount(at part: Int) -> Int {
        bytes(at: part).count
    }

    public func bytes(at part: Int) -> UnsafeRawBufferPointer {
        cell(part).bytes
    }

    public func withBytes<R: ~Copyable, E: Error>(at part: Int, _ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(bytes(at: part))
    }

    /// Takes a part out, without copying its body; the part is empty afterwards.
    public mutating func take(at part: Int) -> Frame {
        Frame(movingFrom: cell(part))
    }

    /// The sender of a message that came to a ROUTER, which puts it first.
    public var routingID: RoutingID? {
        count > 0 ? RoutingID(bytes(at: 0)) : nil
    }

    /// As `Frame.sourceDescriptor`.
    public var sourceDescriptor: CInt? { count > 0 ? cells[count - 1].sourceDescriptor : nil }

    /// As `Frame.userID`.
    public var userID: String? { count > 0 ? cells[count - 1].property("User-Id") : nil }

    /// As `Frame.peerAddress`.
    public var peerAddress: String? { count > 0 ? cells[count - 1].property("Peer-Address") : nil }

    /// Releases every part.
    public mutating func clear() {
        keep(0)
    }

    /// Releases all parts but the first `kept`.
    mutating func keep(_ kept: Int) {
        for part in kept..<max(kept, count) {
            cells.clear(part)
        }
        count = min(count, kept)
    }
}
