internal import CZeroMQ
internal import Glibc

/// libzmq's I/O threads and everything that sockets share; one per process.
///
/// A socket keeps its context alive. So when the last owner is gone all sockets are closed, and as every socket has a
/// bounded linger the end cannot block for longer than that. Never fork while one exists.
public final class Context: @unchecked Sendable {  // zmq_ctx_* may be called from any thread
    let pointer: UnsafeMutableRawPointer

    /// - Parameters:
    ///   - ioThreads: one for about 1 GB/s; more when encrypted, since encryption runs in them.
    ///   - maximumSockets: libzmq's own included, one or two for a monitor.
    public init(ioThreads: Int = 1, maximumSockets: Int = 1023) throws(ZMQError) {
        guard let pointer = zmq_ctx_new() else {
            throw ZMQError(code: .init(rawValue: zmq_errno()), call: "zmq_ctx_new")
        }
        self.pointer = pointer
        let settings = [
            (ZMQ_IO_THREADS, "ZMQ_IO_THREADS", ioThreads),
            (ZMQ_MAX_SOCKETS, "ZMQ_MAX_SOCKETS", maximumSockets),
            (ZMQ_BLOCKY, "ZMQ_BLOCKY", 0),  // no endless linger by default, not even of libzmq's own sockets
        ]
        for (option, name, value) in settings {
            try check("zmq_ctx_set", subject: "\(name)=\(value)") { zmq_ctx_set(pointer, option, CInt(clamping: value)) }
        }
    }

    deinit {
        _ = callRetrying { zmq_ctx_term(pointer) }
    }

    /// Makes every waiting and every later call on this context's sockets throw `.terminated`. From any thread.
    public func shutdown() {
        _ = callRetrying { zmq_ctx_shutdown(pointer) }
    }
}
