internal import CZeroMQ

/// The C socket behind a `Socket`, which alone closes it; pollers and monitors see that it is closed instead of using it.
///
/// Not Sendable: everything that refers to a socket stays on the socket's thread.
final class SocketHandle {
    private(set) var pointer: UnsafeMutableRawPointer?
    let context: Context

    init(context: Context, kind: Socket.Kind) throws(ZMQError) {
        guard let pointer = zmq_socket(context.pointer, kind.code) else {
            throw ZMQError(code: .init(rawValue: zmq_errno()), call: "zmq_socket", subject: "\(kind)")
        }
        self.pointer = pointer
        self.context = context
    }

    deinit {
        close()
    }

    func close() {
        guard let pointer else { return }
        // libzmq's I/O thread goes on telling the monitor of a closed socket, and blocks for ever once nobody is there to be told.
        zmq_socket_monitor(pointer, nil, 0)
        zmq_close(pointer)
        self.pointer = nil
    }

    func set(_ option: CInt, _ name: String, _ value: CInt) throws(ZMQError) {
        try check("zmq_setsockopt", subject: "\(name)=\(value)") {
            withUnsafePointer(to: value) { zmq_setsockopt(pointer, option, $0, MemoryLayout<CInt>.size) }
        }
    }

    func setWide(_ option: CInt, _ name: String, _ value: Int64) throws(ZMQError) {
        try check("zmq_setsockopt", subject: "\(name)=\(value)") {
            withUnsafePointer(to: value) { zmq_setsockopt(pointer, option, $0, MemoryLayout<Int64>.size) }
        }
    }

    /// The value is not named in errors: it may be a secret key.
    func set(_ option: CInt, _ name: String, bytes: UnsafeRawBufferPointer) throws(ZMQError) {
        try check("zmq_setsockopt", subject: name) { zmq_setsockopt(pointer, option, bytes.baseAddress, bytes.count) }
    }
}

extension SocketHandle {
    func apply(_ options: SocketOptions, kind: Socket.Kind) throws(ZMQError) {
        try set(ZMQ_LINGER, "ZMQ_LINGER", options.linger.milliseconds)
        try set(ZMQ_SNDHWM, "ZMQ_SNDHWM", CInt(clamping: options.sendHighWaterMark))
        try set(ZMQ_RCVHWM, "ZMQ_RCVHWM", CInt(clamping: options.receiveHighWaterMark))
        try setWide(ZMQ_MAXMSGSIZE, "ZMQ_MAXMSGSIZE", Int64(options.maximumFrameByteCount))
        try set(ZMQ_SNDTIMEO, "ZMQ_SNDTIMEO", options.waitLimit.milliseconds)
        try set(ZMQ_RCVTIMEO, "ZMQ_RCVTIMEO", options.waitLimit.milliseconds)
        try set(ZMQ_RECONNECT_IVL, "ZMQ_RECONNECT_IVL", options.reconnectInterval.milliseconds)
        try set(ZMQ_RECONNECT_IVL_MAX, "ZMQ_RECONNECT_IVL_MAX", options.maximumReconnectInterval.milliseconds)
        try set(ZMQ_CONNECT_TIMEOUT, "ZMQ_CONNECT_TIMEOUT", options.connectTimeout.milliseconds)
        try set(ZMQ_HANDSHAKE_IVL, "ZMQ_HANDSHAKE_IVL", options.handshakeInterval.milliseconds)
        try set(ZMQ_BACKLOG, "ZMQ_BACKLOG", CInt(clamping: options.backlog))
        try set(ZMQ_TCP_KEEPALIVE, "ZMQ_TCP_KEEPALIVE", options.isTCPKeepAliveOn ? 1 : 0)
        try set(ZMQ_IPV6, "ZMQ_IPV6", options.allowsIPv6 ? 1 : 0)
        if let heartbeat = options.heartbeat {
            try set(ZMQ_HEARTBEAT_IVL, "ZMQ_HEARTBEAT_IVL", heartbeat.interval.milliseconds)
            try set(ZMQ_HEARTBEAT_TIMEOUT, "ZMQ_HEARTBEAT_TIMEOUT", heartbeat.timeout.milliseconds)
        }
        switch kind {
        case .router:  // otherwise it drops, without a word, what it cannot deliver
            try set(ZMQ_ROUTER_MANDATORY, "ZMQ_ROUTER_MANDATORY", 1)
        case .dealer:  // otherwise it queues for connections that do not exist yet and may never
            try set(ZMQ_IMMEDIATE, "ZMQ_IMMEDIATE", 1)
        case .pair: break
        }
        try apply(options.security)
        if let domain = options.authenticationDomain {
            try setText(ZMQ_ZAP_DOMAIN, "ZMQ_ZAP_DOMAIN", domain)
        }
    }

    private func apply(_ security: Security) throws(ZMQError) {
        switch security {
        case .none: break
        case .curveServer(let secret):
            try set(ZMQ_CURVE_SERVER, "ZMQ_CURVE_SERVER", 1)
            try setKey(ZMQ_CURVE_SECRETKEY, "ZMQ_CURVE_SECRETKEY", secret.storage)
        case .curveClient(let pair, let server):
            try setKey(ZMQ_CURVE_SERVERKEY, "ZMQ_CURVE_SERVERKEY", server.storage)
            try setKey(ZMQ_CURVE_PUBLICKEY, "ZMQ_CURVE_PUBLICKEY", pair.publicKey.storage)
            try setKey(ZMQ_CURVE_SECRETKEY, "ZMQ_CURVE_SECRETKEY", pair.secretKey.storage)
        }
    }

    private func setKey(_ option: CInt, _ name: String, _ key: SIMD32<UInt8>) throws(ZMQError) {
        try withUnsafeBytes(of: key) { (bytes) throws(ZMQError) in
            try set(option, name, bytes: bytes)
        }
    }

    private func setText(_ option: CInt, _ name: String, _ text: String) throws(ZMQError) {
        try check("zmq_setsockopt", subject: "\(name)=\(text)") { zmq_setsockopt(pointer, option, text, text.utf8.count) }
    }
}

extension Duration {
    /// Rounded up, so that no wait is shorter than asked for; clamped to what C's int holds.
    var milliseconds: CInt {
        let (seconds, attoseconds) = components
        let part = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? (seconds > 0 ? CInt.max : CInt.min) : CInt(clamping: whole + part)
    }
}
