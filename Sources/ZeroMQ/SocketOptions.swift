/// Everything that is set on a socket, before it is bound or connected: no socket is ever half configured.
public struct SocketOptions: Sendable {
    /// ZMTP's own heartbeat, off unless set: a backstop only, since its timeout also fires while a big frame is on its way
    /// (zeromq/libzmq#2709). Liveness belongs to the application, on a socket without big frames.
    public struct Heartbeat: Sendable {
        public var interval: Duration
        /// A peer silent for so long is disconnected.
        public var timeout: Duration

        public init(interval: Duration = .seconds(30), timeout: Duration = .seconds(60)) {
            self.interval = interval
            self.timeout = timeout
        }
    }

    /// How long unsent messages outlive their socket. libzmq's own default, for ever, lets the end of a program hang.
    public var linger: Duration = .zero
    /// Messages, not bytes, queued per peer; then sending would block. Small, as bodies are large.
    public var sendHighWaterMark = 16
    /// As above, for receiving: a full queue stops reading from the peer.
    public var receiveHighWaterMark = 16
    /// A peer that sends a larger frame is disconnected, before memory is taken for it.
    public var maximumFrameByteCount = 16 << 20
    /// How long a call that waits (`dontWait: false`) waits, then it would block: nothing waits for ever.
    public var waitLimit: Duration = .seconds(30)
    /// From the first attempt to reconnect to the second; doubles up to `maximumReconnectInterval`.
    public var reconnectInterval: Duration = .milliseconds(100)
    public var maximumReconnectInterval: Duration = .seconds(5)
    /// An attempt to connect is given up after so long: the system's two minutes would outlast a cut network.
    public var connectTimeout: Duration = .seconds(5)
    /// A peer that has not finished its handshake by then is disconnected: libzmq's 30 s would let strangers hold connections.
    public var handshakeInterval: Duration = .seconds(5)
    /// Connections waiting to be accepted: at least twice the workers, which may all reconnect at once.
    public var backlog = 1024
    /// The system's keepalive, off: it takes hours, and the application has heartbeats.
    public var isTCPKeepAliveOn = false
    public var allowsIPv6 = false
    public var heartbeat: Heartbeat?
    /// Both sides must agree, otherwise the handshake fails.
    public var security = Security.none
    /// With a domain every handshake is put to the context's `Authenticator`, with `.none` as well.
    ///
    /// libzmq admits everybody while there is no authenticator: make it before the socket is bound.
    public var authenticationDomain: String?

    public init() {}
}
