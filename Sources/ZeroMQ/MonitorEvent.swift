internal import CZeroMQ
internal import Glibc

/// Something that happened to a connection of a socket.
public struct MonitorEvent: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        case listening
        case bindFailed(errno: CInt)
        case connected
        case accepted
        case acceptFailed(errno: CInt)
        /// The connection is ready for messages.
        case handshakeSucceeded
        case handshakeFailed(HandshakeFailure)
        case disconnected
        /// A connection or listener was closed by this side.
        case closed
        /// The socket is gone; nothing comes after.
        case monitorStopped
        /// One that libzmq has and this module has no use for.
        case other(UInt16)
    }

    public let kind: Kind
    /// The connection's descriptor, where the event has one: it is the same as `Frame.sourceDescriptor`.
    public let descriptor: CInt?
    public let endpoint: String
}

/// Why a handshake failed.
public enum HandshakeFailure: Equatable, Sendable, CustomStringConvertible {
    /// The authenticator said no: 300, 400 or 500.
    case refused(status: CInt)
    /// One side encrypts, the other does not.
    case mechanismMismatch
    /// A key does not fit.
    case wrongKey
    /// Another violation of the protocol, as a ZMQ_PROTOCOL_ERROR number.
    case protocolError(CInt)
    /// The connection broke, or the peer took too long.
    case system(errno: CInt)

    init(protocolError number: CInt) {
        switch number {
        case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH: self = .mechanismMismatch
        case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC: self = .wrongKey
        default: self = .protocolError(number)
        }
    }

    public var description: String {
        switch self {
        case .refused(let status): "the peer's key is not on the list (status \(status))"
        case .mechanismMismatch: "one side encrypts, the other does not"
        case .wrongKey: "the key does not fit"
        case .protocolError(let number): "the peer violated the protocol (0x\(String(number, radix: 16)))"
        case .system(let number): String(cString: strerror(number))
        }
    }
}

extension MonitorEvent {
    /// - Parameter bytes: event (2 bytes) and value (4 bytes), in the order of this machine; nil unless 6 bytes.
    init?(_ bytes: UnsafeRawBufferPointer, endpoint: String) {
        guard bytes.count == 6 else { return nil }
        let number = bytes.loadUnaligned(as: UInt16.self)
        let value = bytes.loadUnaligned(fromByteOffset: 2, as: CInt.self)
        var hasDescriptor = true
        switch CInt(number) {
        case ZMQ_EVENT_LISTENING: kind = .listening
        case ZMQ_EVENT_CONNECTED: kind = .connected
        case ZMQ_EVENT_ACCEPTED: kind = .accepted
        case ZMQ_EVENT_DISCONNECTED: kind = .disconnected
        case ZMQ_EVENT_CLOSED: kind = .closed
        default:
            hasDescriptor = false
            kind =
                switch CInt(number) {
                case ZMQ_EVENT_BIND_FAILED: .bindFailed(errno: value)
                case ZMQ_EVENT_ACCEPT_FAILED: .acceptFailed(errno: value)
                case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: .handshakeSucceeded
                case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: .handshakeFailed(.refused(status: value))
                case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: .handshakeFailed(HandshakeFailure(protocolError: value))
                case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: .handshakeFailed(.system(errno: value))
                case ZMQ_EVENT_MONITOR_STOPPED: .monitorStopped
                default: .other(number)
                }
        }
        descriptor = hasDescriptor ? value : nil
        self.endpoint = endpoint
    }
}
