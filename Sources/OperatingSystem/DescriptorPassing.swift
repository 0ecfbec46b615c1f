internal import CLinux
internal import Glibc

/// Hands descriptors to another process over a Unix socket (SCM_RIGHTS), one per message.
public enum DescriptorPassing {
    /// Two connected stream sockets, both close-on-exec.
    public static func makePair() throws(SystemError) -> (CInt, CInt) {
        var ends: (CInt, CInt) = (-1, -1)
        try check("socketpair") {
            withUnsafeMutablePointer(to: &ends) {
                $0.withMemoryRebound(to: CInt.self, capacity: 2) { linux_socket_pair($0) }
            }
        }
        return ends
    }

    /// Sends a copy of `descriptor`; ours stays open.
    public static func send(_ descriptor: CInt, over socket: CInt) throws(SystemError) {
        try check("sendmsg") { linux_send_descriptor(socket, descriptor) }
    }

    /// The next descriptor, ours to close; nil if the other end is closed or the message held none.
    public static func receive(over socket: CInt) throws(SystemError) -> CInt? {
        var descriptor: CInt = -1
        try check("recvmsg") { linux_receive_descriptor(socket, &descriptor) }
        return descriptor < 0 ? nil : descriptor
    }
}

/// Cuts a single peer.
public enum PeerShutdown {
    /// Ends the connection behind `descriptor`, which stays open: its owner sees the end and closes it.
    ///
    /// libzmq has no call for one peer; its messages and the monitor's events carry the descriptor.
    /// False if there was no connection.
    @discardableResult
    public static func shutdown(_ descriptor: CInt) -> Bool {
        Glibc.shutdown(descriptor, CInt(SHUT_RDWR)) == 0
    }
}
