internal import CZeroMQ

/// A ZeroMQ socket. It belongs to the thread that made it: make it there, from the context, which is Sendable.
///
/// It can neither be copied nor captured by a `@Sendable` closure, so that sharing one between threads does not compile.
/// (A `sending` hand-over of one that nobody else refers to does compile; libzmq allows just that.) Closed when its owner is gone.
public struct Socket: ~Copyable {
    public enum Kind: Sendable {
        /// Many peers, each message goes to or comes from a named one. Whatever cannot be delivered is reported.
        case router
        /// One or more servers. Would block, rather than queue, while there is no connection.
        case dealer
        /// Exactly one peer: between the threads of a process.
        case pair

        var code: CInt {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .pair: ZMQ_PAIR
            }
        }
    }

    public let kind: Kind
    let handle: SocketHandle

    var pointer: UnsafeMutableRawPointer? { handle.pointer }

    /// An option that libzmq refuses, such as a length out of range, throws, naming it.
    public init(_ kind: Kind, in context: Context, options: SocketOptions = SocketOptions()) throws(ZMQError) {
        let handle = try SocketHandle(context: context, kind: kind)
        try handle.apply(options, kind: kind)
        self.kind = kind
        self.handle = handle
    }

    deinit {
        handle.close()
    }

    /// Listens at `endpoint`, such as `tcp://127.0.0.1:*`, `ipc:///path`, `inproc://name`.
    /// - Returns: the endpoint to connect to, with the port that was chosen.
    @discardableResult
    public func bind(_ endpoint: String) throws(ZMQError) -> String {
        try checkPort("zmq_bind", endpoint)
        try check("zmq_bind", subject: endpoint) { zmq_bind(pointer, endpoint) }
        return try lastEndpoint()
    }

    /// Connects, and reconnects whenever the connection is lost, until `disconnect`.
    public func connect(_ endpoint: String) throws(ZMQError) {
        try checkPort("zmq_connect", endpoint)
        try check("zmq_connect", subject: endpoint) { zmq_connect(pointer, endpoint) }
    }

    /// libzmq itself takes a port that is too large modulo 65,536.
    private func checkPort(_ call: String, _ endpoint: String) throws(ZMQError) {
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else { return }
        let port = endpoint[endpoint.index(after: colon)...]
        if port.allSatisfy(\.isNumber), UInt16(port) == nil { throw ZMQError(code: .invalid, call: call, subject: endpoint) }
    }

    /// Stops listening, and drops every connection that came from there; the address is free when the monitor says `.closed`.
    public func unbind(_ endpoint: String) throws(ZMQError) {
        try check("zmq_unbind", subject: endpoint) { zmq_unbind(pointer, endpoint) }
    }

    /// Drops the connection made by `connect`, and its unsent messages after the linger.
    public func disconnect(_ endpoint: String) throws(ZMQError) {
        try check("zmq_disconnect", subject: endpoint) { zmq_disconnect(pointer, endpoint) }
    }

    /// What was bound or connected last, as libzmq resolved it.
    public func lastEndpoint() throws(ZMQError) -> String {
        var characters = [CChar](repeating: 0, count: 1024)
        var count = characters.count
        try check("zmq_getsockopt", subject: "ZMQ_LAST_ENDPOINT") {
            zmq_getsockopt(pointer, ZMQ_LAST_ENDPOINT, &characters, &count)
        }
        return text(characters)
    }
}

@available(*, unavailable, message: "a socket belongs to one thread; hand over the Context and make the socket there")
extension Socket: Sendable {}
