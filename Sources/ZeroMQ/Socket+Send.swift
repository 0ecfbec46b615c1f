internal import CZeroMQ
internal import Glibc

/// What became of a message to be sent.
public enum Delivery: Equatable, Sendable {
    /// It belongs to libzmq now.
    case sent
    /// The peer's queue is full, or there is no connection yet. Without waiting libzmq may notice new room a millisecond late.
    case wouldBlock
    /// A ROUTER has no such peer; or the peer went away between two parts.
    ///
    /// A peer that left with its queue full would block until the ROUTER has tried to receive.
    case unroutable
}

extension Socket {
    /// Sends one part. `frame` is nil afterwards if it was sent, otherwise untouched.
    ///
    /// libzmq delivers the parts of a message together: after `more` the others must follow.
    public func send(_ frame: inout Frame?, more: Bool = false, dontWait: Bool = true) throws(ZMQError) -> Delivery {
        guard let cell = frame?.cell else { preconditionFailure("there is no frame to send") }
        let delivery = try deliver("zmq_msg_send", more: more, dontWait: dontWait) { flags in zmq_msg_send(cell, pointer, flags) }
        if delivery == .sent { frame = nil }
        return delivery
    }

    /// As above; a frame that could not be sent is released.
    public func send(_ frame: consuming Frame, more: Bool = false, dontWait: Bool = true) throws(ZMQError) -> Delivery {
        var frame: Frame? = frame
        return try send(&frame, more: more, dontWait: dontWait)
    }

    /// Sends a copy of `bytes` as one part; for headers, which need no frame of ours.
    public func send(copying bytes: UnsafeRawBufferPointer, more: Bool = false, dontWait: Bool = true) throws(ZMQError) -> Delivery {
        try deliver("zmq_send", more: more, dontWait: dontWait) { flags in zmq_send(pointer, bytes.baseAddress, bytes.count, flags) }
    }

    /// Sends a whole message: header and, unless nil, body. Both are sent or neither is; `body` is nil afterwards if it was sent.
    /// - Parameter peer: where a ROUTER sends it, nil for other kinds.
    public func send(
        to peer: RoutingID? = nil, header: UnsafeRawBufferPointer, body: inout Frame?, dontWait: Bool = true
    ) throws(ZMQError) -> Delivery {
        precondition((peer != nil) == (kind == .router), "a ROUTER needs the peer's name, other sockets have none")
        if let peer {
            let delivery = try peer.withBytes { (bytes) throws(ZMQError) in try send(copying: bytes, more: true, dontWait: dontWait) }
            if delivery != .sent { return delivery }
        }
        let delivery = try send(copying: header, more: body != nil, dontWait: dontWait)
        guard delivery == .sent else { return peer == nil ? delivery : .unroutable }
        if body == nil { return .sent }
        // With the first part accepted only a peer's end can stop the last; libzmq has then dropped the first.
        return try send(&body, dontWait: dontWait) == .sent ? .sent : .unroutable
    }

    /// As above, without a body.
    public func send(to peer: RoutingID? = nil, header: UnsafeRawBufferPointer, dontWait: Bool = true) throws(ZMQError) -> Delivery {
        var none: Frame?
        return try send(to: peer, header: header, body: &none, dontWait: dontWait)
    }

    /// As above; a body that could not be sent is released.
    public func send(
        to peer: RoutingID? = nil, header: UnsafeRawBufferPointer, body: consuming Frame, dontWait: Bool = true
    ) throws(ZMQError) -> Delivery {
        var body: Frame? = body
        return try send(to: peer, header: header, body: &body, dontWait: dontWait)
    }

    private func deliver(_ call: String, more: Bool, dontWait: Bool, _ body: (CInt) -> CInt) throws(ZMQError) -> Delivery {
        let flags = (more ? ZMQ_SNDMORE : 0) | (dontWait ? ZMQ_DONTWAIT : 0)
        let result = callRetrying { body(flags) }
        return switch -result {
        case EAGAIN: .wouldBlock
        case EHOSTUNREACH: .unroutable
        case 1...: throw ZMQError(code: .init(rawValue: -result), call: call)
        default: .sent
        }
    }
}
