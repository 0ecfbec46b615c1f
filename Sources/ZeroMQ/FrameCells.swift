internal import CZeroMQ
internal import Synchronization

typealias FrameCell = UnsafeMutablePointer<zmq_msg_t>

/// The cells of frames that come and go, kept for reuse: steady sending and receiving allocates nothing here.
///
/// Cells are never given back to the system; there are as many as frames lived at once.
enum FrameCells {
    /// The free cells, each holding the address of the next.
    private struct Free: ~Copyable, @unchecked Sendable {  // guarded by the mutex around it
        var first: UnsafeMutableRawPointer?
    }

    private static let free = Mutex(Free(first: nil))

    /// A cell with unspecified content, 64-byte-aligned.
    static func take() -> FrameCell {
        free.withLock { free in
            let cell = free.first ?? newSlab()
            free.first = cell.load(as: UnsafeMutableRawPointer?.self)
            return cell.assumingMemoryBound(to: zmq_msg_t.self)
        }
    }

    /// Takes a cell whose message has been closed or sent.
    static func giveBack(_ cell: FrameCell) {
        free.withLock { free in
            let raw = UnsafeMutableRawPointer(cell)
            raw.storeBytes(of: free.first, as: UnsafeMutableRawPointer?.self)
            free.first = raw
        }
    }

    private static func newSlab() -> UnsafeMutableRawPointer {
        let size = MemoryLayout<zmq_msg_t>.stride
        let slab = UnsafeMutableRawPointer.allocate(byteCount: size * Limits.cellsPerSlab, alignment: 64)
        for index in 0..<Limits.cellsPerSlab {
            let next = index + 1 < Limits.cellsPerSlab ? slab + (index + 1) * size : nil
            (slab + index * size).storeBytes(of: next, as: UnsafeMutableRawPointer?.self)
        }
        return slab
    }
}

/// Running out of memory ends the process, as it does everywhere in Swift.
func initialize(_ call: StaticString, _ body: () -> CInt) {
    precondition(body() == 0, "\(call): out of memory")
}

extension FrameCell {
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: zmq_msg_data(self), count: zmq_msg_size(self))
    }

    var hasMore: Bool { zmq_msg_more(self) == 1 }

    var sourceDescriptor: CInt? {
        let descriptor = zmq_msg_get(self, ZMQ_SRCFD)
        return descriptor >= 0 ? descriptor : nil
    }

    /// A property of the connection, such as "User-Id" or "Peer-Address".
    func property(_ name: String) -> String? {
        zmq_msg_gets(self, name).map { String(cString: $0) }
    }
}
