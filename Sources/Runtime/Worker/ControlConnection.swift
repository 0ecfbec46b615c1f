internal import OperatingSystem
internal import Wire
internal import ZeroMQ

/// A worker's control socket, and what its main thread waits for beside it.
final class ControlConnection {
    private let socket: Socket
    private var monitor: Monitor
    private var message = Message(maximumParts: 1)
    private var poller = Poller()
    private let item: Poller.Item

    init(context: Context, endpoint: String, wakers: [CInt], security: ZeroMQ.Security) throws(ZMQError) {
        var options = SocketOptions.control
        options.security = security
        socket = try Socket(.dealer, in: context, options: options)
        monitor = try Monitor(of: socket)
        item = poller.add(socket)
        for descriptor in wakers { _ = poller.add(descriptor: descriptor) }
        try socket.connect(endpoint)
    }

    /// For a loop that waits for more than this connection.
    func add(to poller: inout Poller) {
        _ = poller.add(socket)
    }

    /// Whether it was sent; it is not while there is no connection.
    func send(_ message: WorkerMessage) throws -> Bool {
        let bytes = ControlCodec.encode(message)
        return try bytes.withUnsafeBytes { try socket.send(copying: $0) } == .sent
    }

    /// Waits until something can be read or sent, a waker wakes, or the time is over.
    func wait(toSend: Bool, timeout: Duration) throws {
        poller.setEvents(toSend ? [.readable, .writable] : .readable, of: item)
        try poller.wait(timeout: timeout)
    }

    /// Why the newest handshake failed, nil if none did since the last call.
    func handshakeFailure() throws(ZMQError) -> HandshakeFailure? {
        var newest: HandshakeFailure?
        while let event = try monitor.next() {
            if case .handshakeFailed(let failure) = event.kind { newest = failure }
        }
        return newest
    }

    /// The next message from the coordinator, nil if there is none.
    func receive() throws -> CoordinatorMessage? {
        guard try socket.receive(into: &message) == .received else { return nil }
        return try ControlCodec.decode(CoordinatorMessage.self, from: message.bytes(at: 0))
    }
}
