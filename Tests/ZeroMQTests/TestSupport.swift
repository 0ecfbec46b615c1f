import OperatingSystem
import Synchronization
import Testing
import ZeroMQ

/// The longest that a test waits: only a failure takes so long.
let patience = Duration.seconds(30)

extension SocketOptions {
    /// As by default, but for what is named.
    static func with(_ change: (inout SocketOptions) -> Void = { _ in }) -> SocketOptions {
        var options = SocketOptions()
        options.waitLimit = patience
        change(&options)
        return options
    }
}

/// Two sockets that are connected.
struct Pair: ~Copyable {
    let server: Socket
    let client: Socket
    let endpoint: String

    /// - Parameter endpoint: with a free port at tcp.
    init(
        _ server: Socket.Kind = .router, _ client: Socket.Kind = .dealer, at endpoint: String = "inproc://test", in context: Context,
        serverOptions: SocketOptions = .with(), clientOptions: SocketOptions = .with()
    ) throws {
        let server = try Socket(server, in: context, options: serverOptions)
        let client = try Socket(client, in: context, options: clientOptions)
        let bound = try server.bind(endpoint)
        try client.connect(bound)
        self.server = server
        self.client = client
        self.endpoint = bound
    }
}

/// Where messages travel: every one of them is tried. The folder is for ipc.
func endpoints(in folder: TemporaryFolder) -> [String] {
    ["inproc://test", "ipc://\(folder.appending("socket"))", "tcp://127.0.0.1:*"]
}

extension Socket {
    /// Sends a message whose parts are texts, waiting.
    func send(texts: [String]) throws {
        for (index, text) in texts.enumerated() {
            let delivery = try send(Frame(copying: Array(text.utf8)), more: index + 1 < texts.count, dontWait: false)
            try #require(delivery == .sent)
        }
    }

    /// Sends a header and a body, waiting; the body is nil afterwards if it was sent.
    func send(header: [UInt8], body: inout Frame?, to peer: RoutingID? = nil) throws -> Delivery {
        try header.withUnsafeBytes { try send(to: peer, header: $0, body: &body, dontWait: false) }
    }

    func sendAll(header: [UInt8], to peer: RoutingID? = nil, dontWait: Bool = false) throws -> Delivery {
        try header.withUnsafeBytes { try send(to: peer, header: $0, dontWait: dontWait) }
    }
}

extension Message {
    func sender() throws -> RoutingID {
        let sender = routingID
        return try #require(sender)
    }

    func source() throws -> CInt {
        let source = sourceDescriptor
        return try #require(source)
    }

    var texts: [String] {
        (0..<count).map { String(decoding: bytes(at: $0), as: UTF8.self) }
    }
}

extension Frame {
    var text: String {
        withBytes { String(decoding: $0, as: UTF8.self) }
    }
}

/// Bytes that do not move, kept alive by the lender that refers to them.
final class Block: @unchecked Sendable {  // written only before it is shared
    let bytes: UnsafeMutableRawBufferPointer

    init(byteCount: Int) {
        bytes = .allocate(byteCount: byteCount, alignment: 64)
        for index in bytes.indices {
            bytes[index] = UInt8(truncatingIfNeeded: index &* 7)
        }
    }

    deinit {
        bytes.deallocate()
    }

    var view: UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes) }
}

/// Something that cannot be copied, shared by reference.
final class Box<Value: ~Copyable & Sendable>: Sendable {
    let value: Value

    init(_ value: consuming Value) {
        self.value = value
    }
}

/// Whether `event` is signalled within `patience`.
func isSignalled(_ event: EventDescriptor) throws -> Bool {
    var poller = Poller()
    let item = poller.add(descriptor: event.descriptor)
    try poller.wait(timeout: patience)
    return poller.isReadable(item) && event.drain()
}
