internal import CZeroMQ

/// One part of a message: some bytes with one owner. May move between threads.
///
/// The bytes of a received frame may start at any address: load them unaligned.
public struct Frame: ~Copyable, @unchecked Sendable {  // a zmq_msg_t is tied to no thread; the sole owner is
    let cell: FrameCell

    /// An empty frame.
    public init() {
        cell = FrameCells.take()
        zmq_msg_init(cell)
    }

    /// `byteCount` bytes, which `fill` must all write.
    public init<E: Error>(byteCount: Int, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void) throws(E) {
        let cell = FrameCells.take()
        initialize("zmq_msg_init_size") { zmq_msg_init_size(cell, byteCount) }
        do throws(E) {
            try fill(UnsafeMutableRawBufferPointer(start: zmq_msg_data(cell), count: byteCount))
        } catch {
            zmq_msg_close(cell)
            FrameCells.giveBack(cell)
            throw error
        }
        self.cell = cell
    }

    public init(copying bytes: UnsafeRawBufferPointer) {
        self.init(byteCount: bytes.count) { $0.copyMemory(from: bytes) }
    }

    public init(copying bytes: [UInt8]) {
        self.init(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
    }

    /// Refers to `memory` without copying it; small bodies (`Limits.smallestLentBody`) are copied all the same, and not counted.
    ///
    /// The memory must stay valid and unchanged until `lender.outstanding` is 0.
    public init(lending memory: UnsafeRawBufferPointer, from lender: Lender) {
        guard memory.count >= Limits.smallestLentBody else {
            self.init(copying: memory)
            return
        }
        self.init(cell: FrameCells.take())
        let start = UnsafeMutableRawPointer(mutating: memory.baseAddress)
        initialize("zmq_msg_init_data") { zmq_msg_init_data(cell, start, memory.count, Lender.takeBack, lender.lend()) }
    }

    /// A second frame with the same body, which exists once: for a fan-out.
    ///
    /// `inout`, as libzmq marks the original as shared, which no second thread may do at the same time.
    public init(sharing other: inout Frame) {
        cell = FrameCells.take()
        zmq_msg_init(cell)
        initialize("zmq_msg_copy") { zmq_msg_copy(cell, other.cell) }
    }

    private init(cell: FrameCell) {
        self.cell = cell
    }

    /// Takes the message out of `source`, which is empty afterwards.
    init(movingFrom source: FrameCell) {
        cell = FrameCells.take()
        zmq_msg_init(cell)
        zmq_msg_move(cell, source)
    }

    deinit {
        zmq_msg_close(cell)
        FrameCells.giveBack(cell)
    }

    public var byteCount: Int { zmq_msg_size(cell) }

    /// Whether another part of the same message follows.
    public var more: Bool { cell.hasMore }

    public func withBytes<R: ~Copyable, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(cell.bytes)
    }

    /// The descriptor of the connection that a received frame came over (tcp and ipc), otherwise nil.
    ///
    /// Good for shutting down that one peer, at once: when the connection is gone the number can come to mean another.
    public var sourceDescriptor: CInt? { cell.sourceDescriptor }

    /// Who the `Authenticator` said has sent a received frame: the public key as Z85. Nil on sockets without one.
    public var userID: String? { cell.property("User-Id") }

    /// The network address a received frame came from, at ipc ":user:group:process", at inproc nil.
    public var peerAddress: String? { cell.property("Peer-Address") }
}
