internal import CZeroMQ
internal import Glibc

/// What a call to receive a message found.
public enum Reception: Equatable, Sendable {
    case received
    case nothing
    /// A message of so many parts, more than allowed: dropped but for its first part, which a ROUTER's sender is in.
    case tooManyParts(Int)
}

extension Socket {
    /// The next part, nil if there is none.
    public func receive(dontWait: Bool = true) throws(ZMQError) -> Frame? {
        let frame = Frame()
        guard try receive(into: frame.cell, dontWait: dontWait) else { return nil }
        return consume frame
    }

    /// The next whole message, into a holder that is used again and again. What was in it is released.
    ///
    /// libzmq holds a message back until its last part has come. Surplus parts are released one by one.
    public func receive(into message: inout Message, dontWait: Bool = true) throws(ZMQError) -> Reception {
        message.clear()
        guard try receive(into: message.slot(0), dontWait: dontWait) else { return .nothing }
        message.count = 1
        var parts = 1
        var last = message.slot(0)
        while last.hasMore {
            last = parts < message.maximumParts ? message.slot(parts) : message.spare
            guard try receive(into: last, dontWait: true) else {
                throw ZMQError(code: .init(rawValue: EPROTO), call: "zmq_msg_recv", subject: "the rest of a message")
            }
            parts += 1
            message.count = min(parts, message.maximumParts)
        }
        if parts <= message.maximumParts { return .received }
        zmq_msg_close(message.spare)
        zmq_msg_init(message.spare)
        message.keep(1)
        return .tooManyParts(parts)
    }

    /// What was in the cell is released. False if there is nothing to receive.
    private func receive(into cell: FrameCell, dontWait: Bool) throws(ZMQError) -> Bool {
        let result = callRetrying { zmq_msg_recv(cell, pointer, dontWait ? ZMQ_DONTWAIT : 0) }
        if result >= 0 { return true }
        if result == -EAGAIN { return false }
        throw ZMQError(code: .init(rawValue: -result), call: "zmq_msg_recv")
    }
}
