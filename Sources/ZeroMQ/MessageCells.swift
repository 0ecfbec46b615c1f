internal import CZeroMQ

/// A fixed number of messages of libzmq, allocated once, each of them valid (possibly empty) at all times.
struct MessageCells: ~Copyable {
    let count: Int
    private let base: FrameCell

    init(count: Int) {
        self.count = count
        base = .allocate(capacity: max(count, 1))
        for index in 0..<count {
            zmq_msg_init(base + index)
        }
    }

    deinit {
        for index in 0..<count {
            zmq_msg_close(base + index)
        }
        base.deallocate()
    }

    subscript(index: Int) -> FrameCell {
        precondition(index >= 0 && index < count, "no such cell")
        return base + index
    }

    /// Frees the body in a cell, or gives it back to its lender.
    func clear(_ index: Int) {
        zmq_msg_close(self[index])
        zmq_msg_init(self[index])
    }
}

extension MessageCells {
    /// Leaves `source` empty; what was in the cell is released.
    func move(from source: FrameCell, to index: Int) {
        zmq_msg_move(self[index], source)
    }
}
