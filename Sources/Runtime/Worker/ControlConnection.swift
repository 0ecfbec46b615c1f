internal import OperatingSystem
internal import Wire
internal import ZeroMQ

/// A worker's control socket, and what its main thread waits for beside it.
final class ControlConnection {
    private let socket: Socket
    private var message = Message(maximumParts: 1)
    private var poller = Poller()
    private let item: Poller.Item

    init(context: Context, endpoint: String, wakers: [CInt]) throws(ZMQError) {
        socket = try Socket(.dealer, in: context, options: .control)
        item = poller.add(socket)
        for descriptor in wakers { _ = poller.add(descriptor: descriptor) }
        try socket.connect(endpoint)
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

    /// The next message from the coordinator, nil if there is none.
    func receive() throws -> CoordinatorMessage? {
        guard try socket.receive(into: &message) == .received else { return nil }
        return try ControlCodec.decode(CoordinatorMessage.self, from: message.bytes(at: 0))
    }
}
