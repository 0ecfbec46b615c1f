internal import Hashing
internal import Kernels
internal import OperatingSystem
internal import Wire
internal import ZeroMQ

/// Why a step or a pass was left.
enum Interruption: Error {
    /// A command waits.
    case command
    /// The step is over: somebody else's answer came first.
    case stepOver
}

/// A worker's data socket, owned by its compute thread.
final class DataConnection {
    private let socket: Socket
    private let link: ComputeLink
    private let session: UInt64
    private let incarnation: UInt32
    /// Over ipc bytes do not change on their way.
    private let usesChecksums: Bool
    private var message = Message(maximumParts: 2)
    private var poller = Poller()
    private let socketItem: Poller.Item

    init(context: Context, endpoint: String, options: SocketOptions, welcome: Welcome, link: ComputeLink) throws(ZMQError) {
        socket = try Socket(.dealer, in: context, options: options)
        self.link = link
        session = welcome.session
        incarnation = welcome.incarnation
        usesChecksums = !endpoint.hasPrefix("ipc:")
        socketItem = poller.add(socket)
        _ = poller.add(descriptor: link.commandEvent.descriptor)
        try socket.connect(endpoint)
    }

    /// Sends a message, waiting while the connection is not there or full; a command ends the wait.
    func send(_ header: DataHeader, body: consuming Frame? = nil) throws {
        var header = header
        header.session = session
        header.incarnation = incarnation
        var body = body
        if body != nil {
            header.bodyByteCount = UInt64(body?.byteCount ?? 0)
            if usesChecksums { header.checksum = body?.withBytes { checksum($0) } ?? 0 }
        }
        while true {
            let delivery = try withUnsafeTemporaryAllocation(byteCount: DataHeader.byteCount, alignment: 8) { buffer in
                header.encode(into: buffer)
                return try socket.send(header: UnsafeRawBufferPointer(buffer), body: &body)
            }
            if delivery == .sent { return }
            poller.setEvents([.readable, .writable], of: socketItem)
            defer { poller.setEvents(.readable, of: socketItem) }
            try wait()
            if link.hasCommand { throw Interruption.command }
        }
    }

    /// Waits until something can be read or a command comes. Every wait is to be preceded by a look at `link.hasCommand`.
    func wait(timeout: Duration? = nil) throws {
        try poller.wait(timeout: timeout)
        // The word to retire wakes without a command; it must not do so over and over.
        if !link.hasCommand { link.commandEvent.drain() }
    }

    /// Hands every message that is here to `take`; never waits.
    func drain(_ take: (DataHeader, UnsafeRawBufferPointer) throws -> Void) throws {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        while true {
            switch try socket.receive(into: &message) {
            case .nothing:
                return
            case .tooManyParts(let count):
                throw WireError.malformed("a data message of \(count) parts from the coordinator")
            case .received:
                let header = try DataHeader(decoding: message.bytes(at: 0))
                let body = message.count > 1 ? message.bytes(at: 1) : none
                guard header.bodyByteCount == UInt64(body.count) else {
                    throw WireError.bodyLength(body.count, expected: Int(clamping: header.bodyByteCount))
                }
                guard header.incarnation == incarnation else { continue }
                if usesChecksums, body.count > 0, header.checksum != checksum(body) { throw WireError.checksum }
                try take(header, body)
            }
        }
    }
}
