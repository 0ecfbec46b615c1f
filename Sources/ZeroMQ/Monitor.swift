internal import CZeroMQ
internal import Synchronization

/// Tells what happens to a socket's connections: for messages to people, and for the descriptor of a peer.
///
/// It stays on the socket's thread; start it before the socket is bound or connected. Read it: events queue up without a bound,
/// as libzmq's I/O thread would stop on a full queue.
public struct Monitor: ~Copyable {
    private static let serial = Atomic<Int>(0)

    let events: Socket
    private let monitored: SocketHandle
    private var message = Message(maximumParts: 2)

    public init(of socket: borrowing Socket) throws(ZMQError) {
        events = try Self.events(of: socket.handle)
        monitored = socket.handle
    }

    private static func events(of monitored: SocketHandle) throws(ZMQError) -> Socket {
        let endpoint = "inproc://monitor-\(serial.add(1, ordering: .relaxed).newValue)"
        var options = SocketOptions()
        options.sendHighWaterMark = 0
        options.receiveHighWaterMark = 0
        let events = try Socket(.pair, in: monitored.context, options: options)
        try check("zmq_socket_monitor", subject: endpoint) { zmq_socket_monitor(monitored.pointer, endpoint, ZMQ_EVENT_ALL) }
        try events.connect(endpoint)
        return events
    }

    deinit {
        if let pointer = monitored.pointer { zmq_socket_monitor(pointer, nil, 0) }
    }

    /// The next event, nil if there is none; never waits unless asked to.
    public mutating func next(dontWait: Bool = true) throws(ZMQError) -> MonitorEvent? {
        guard try events.receive(into: &message, dontWait: dontWait) == .received, message.count == 2 else { return nil }
        return MonitorEvent(message.bytes(at: 0), endpoint: String(decoding: message.bytes(at: 1), as: UTF8.self))
    }
}
