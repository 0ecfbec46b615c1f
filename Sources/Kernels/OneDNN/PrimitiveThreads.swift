internal import COneDNN

/// What the threads of one pool need to run primitives: a stream and scratch memory each, shared by all primitives made for them.
///
/// Primitives are made while none of them runs; then every thread may run them with its own number.
package final class PrimitiveThreads: @unchecked Sendable {  // a thread touches only what has its number
    let streams: [OpaquePointer]
    private(set) var scratch: [AlignedBlock<UInt8>]

    package var count: Int { streams.count }

    package init(count: Int = 1) {
        precondition(count >= 1, "primitives need a thread")
        streams = (0..<count).map { _ in
            var stream: dnnl_stream_t?
            OneDNN.check(dnnl_stream_create(&stream, OneDNN.engine, UInt32(dnnl_stream_default_flags.rawValue)), "dnnl_stream_create")
            guard let stream else { preconditionFailure("oneDNN gave no stream") }
            return stream
        }
        scratch = streams.map { _ in AlignedBlock(count: 0) }
    }

    deinit {
        for stream in streams { dnnl_stream_destroy(stream) }
    }

    /// Makes sure that every thread has `byteCount` bytes of scratch.
    func reserve(_ byteCount: Int) {
        guard byteCount > scratch[0].count else { return }
        scratch = streams.map { _ in AlignedBlock(count: byteCount) }
    }
}
