internal import CZeroMQ

/// Decides which public keys may connect to the sockets of a context that have an authentication domain (ZAP, ZeroMQ RFC 27).
///
/// Make it before the first such socket is bound, since libzmq admits everybody while there is none; at most one per context.
/// Poll it and call `answer` in the loop: handshakes wait for it.
public struct Authenticator: ~Copyable {
    /// One handshake that was judged.
    public struct Decision: Equatable, Sendable {
        /// Nil if the peer does not use CURVE; such a peer is refused.
        public let key: CurvePublicKey?
        /// As `Frame.peerAddress`.
        public let address: String
        public let domain: String
        public let isAllowed: Bool
    }

    /// Who may connect. Removing a key does not end its connections.
    public var allowed: Set<CurvePublicKey>
    let requests: Socket
    private var message = Message(maximumParts: Limits.authenticationParts)

    public init(in context: Context, allowed: Set<CurvePublicKey>) throws(ZMQError) {
        requests = try Self.socket(in: context)
        self.allowed = allowed
    }

    private static func socket(in context: Context) throws(ZMQError) -> Socket {
        let socket = try Socket(.router, in: context)
        try socket.bind("inproc://zeromq.zap.01")
        return socket
    }

    /// Answers the next waiting handshake, nil if there is none; never waits unless asked to.
    public mutating func answer(dontWait: Bool = true) throws(ZMQError) -> Decision? {
        try takeRequest(dontWait: dontWait) ? try decide() : nil
    }

    /// Whether a handshake waits; `decide` answers it, by what `allowed` is by then.
    public mutating func takeRequest(dontWait: Bool = true) throws(ZMQError) -> Bool {
        try requests.receive(into: &message, dontWait: dontWait) == .received && message.count >= 8
    }

    /// Answers the handshake that was taken.
    public mutating func decide() throws(ZMQError) -> Decision {
        precondition(message.count >= 8, "a decision without a request")
        let key = text(at: 7) == "CURVE" && message.count == 9 ? CurvePublicKey(bytes: message.bytes(at: 8)) : nil
        let isAllowed = key.map { allowed.contains($0) } ?? false
        let decision = Decision(key: key, address: text(at: 5), domain: text(at: 4), isAllowed: isAllowed)
        try reply(status: isAllowed ? "200" : "400", text: isAllowed ? "OK" : "key not allowed", userID: key?.z85 ?? "")
        return decision
    }

    private func text(at part: Int) -> String {
        String(decoding: message.bytes(at: part), as: UTF8.self)
    }

    /// The sender's name, delimiter, version and request number go back as they came.
    private func reply(status: String, text: String, userID: String) throws(ZMQError) {
        for part in 0...3 {
            // A peer that is gone needs no answer.
            guard try requests.send(copying: message.bytes(at: part), more: true) == .sent else { return }
        }
        for (field, more) in [(status, true), (text, true), (userID, true), ("", false)] {
            _ = try requests.send(Frame(copying: Array(field.utf8)), more: more)
        }
    }
}
