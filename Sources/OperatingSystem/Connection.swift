internal import CLinux
internal import Glibc

/// What the kernel knows of a connection that somebody else owns, such as libzmq.
public enum Connection {
    /// Who is at the other end: `ADDRESS:PORT` at TCP, `process N` at a Unix socket; nil if nobody is.
    public static func peer(of descriptor: CInt) -> String? {
        var name = [CChar](repeating: 0, count: 128)
        guard linux_peer_name(descriptor, &name, name.count) == 0 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Bytes that have come over a TCP connection, whether or not its owner has made messages of them; nil if it is none.
    public static func receivedByteCount(of descriptor: CInt) -> UInt64? {
        let count = linux_tcp_received(descriptor)
        return count < 0 ? nil : UInt64(count)
    }

    /// Ends the connection if `peer` is still at its other end: a descriptor's number can have come to mean another connection.
    @discardableResult
    public static func end(_ descriptor: CInt, to peer: String?) -> Bool {
        guard let peer, Self.peer(of: descriptor) == peer else { return false }
        return PeerShutdown.shutdown(descriptor)
    }
}
