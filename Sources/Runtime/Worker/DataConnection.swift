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

/// A worker's data sockets, one per parameter server, owned by its compute thread. The first is the coordinator's.
final class DataConnection {
    /// Where a server's socket is, and how it is protected.
    struct End {
        var endpoint: String
        var security: ZeroMQ.Security
    }

    private final class Channel {
        let socket: Socket
        /// Over ipc bytes do not change on their way.
        let usesChecksums: Bool
        var message = Message(maximumParts: 2)
        let item: Poller.Item

        init(context: Context, end: End, options: SocketOptions, poller: inout Poller) throws(ZMQError) {
            var options = options
            options.security = end.security
            socket = try Socket(.dealer, in: context, options: options)
            usesChecksums = !end.endpoint.hasPrefix("ipc:")
            item = poller.add(socket)
            try socket.connect(end.endpoint)
        }
    }

    private let channels: [Channel]
    private let link: ComputeLink
    private let session: UInt64
    private let incarnation: UInt32
    private var poller: Poller

    init(context: Context, ends: [End], options: SocketOptions, welcome: Welcome, link: ComputeLink) throws(ZMQError) {
        var poller = Poller()
        var channels: [Channel] = []
        for end in ends { channels.append(try Channel(context: context, end: end, options: options, poller: &poller)) }
        _ = poller.add(descriptor: link.commandEvent.descriptor)
        self.poller = poller
        self.channels = channels
        self.link = link
        session = welcome.session
        incarnation = welcome.incarnation
    }

    var serverCount: Int { channels.count }

    /// Sends a message, waiting while the connection is not there or full; a command ends the wait.
    func send(_ header: DataHeader, body: consuming Frame? = nil, to server: Int = 0) throws {
        let channel = channels[server]
        var header = header
        header.session = session
        header.incarnation = incarnation
        var body = body
        if body != nil {
            header.bodyByteCount = UInt64(body?.byteCount ?? 0)
            if channel.usesChecksums { header.checksum = body?.withBytes { checksum($0) } ?? 0 }
        }
        while true {
            let delivery = try withUnsafeTemporaryAllocation(byteCount: DataHeader.byteCount, alignment: 8) { buffer in
                header.encode(into: buffer)
                return try channel.socket.send(header: UnsafeRawBufferPointer(buffer), body: &body)
            }
            if delivery == .sent { return }
            poller.setEvents([.readable, .writable], of: channel.item)
            defer { poller.setEvents(.readable, of: channel.item) }
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

    /// Hands every message that is here to `take`, with the number of the server it is from; never waits.
    func drain(_ take: (DataHeader, UnsafeRawBufferPointer, Int) throws -> Void) throws {
        for server in channels.indices { try drain(server, take) }
    }

    private func drain(_ server: Int, _ take: (DataHeader, UnsafeRawBufferPointer, Int) throws -> Void) throws {
        let channel = channels[server]
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        while true {
            switch try channel.socket.receive(into: &channel.message) {
            case .nothing:
                return
            case .tooManyParts(let count):
                throw WireError.malformed("a data message of \(count) parts from the \(Self.name(of: server))")
            case .received:
                let header = try DataHeader(decoding: channel.message.bytes(at: 0))
                let body = channel.message.count > 1 ? channel.message.bytes(at: 1) : none
                guard header.bodyByteCount == UInt64(body.count) else {
                    throw WireError.bodyLength(body.count, expected: Int(clamping: header.bodyByteCount))
                }
                guard header.incarnation == incarnation else { continue }
                if channel.usesChecksums, body.count > 0, header.checksum != checksum(body) { throw WireError.checksum }
                try take(header, body, server)
            }
        }
    }

    static func name(of server: Int) -> String {
        server == 0 ? "coordinator" : "parameter server \(server)"
    }
}
