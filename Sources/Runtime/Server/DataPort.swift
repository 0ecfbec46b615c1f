internal import Exactness
internal import Hashing
internal import Wire
internal import ZeroMQ

/// A socket of a parameter server that workers and the coordinator connect to.
final class DataPort {
    let socket: Socket
    let endpoint: String
    var message = Message(maximumParts: 3)
    /// Where strangers can reach it; nil over ipc.
    let watch: SocketWatch?
    /// Over ipc bytes do not change on their way.
    var usesChecksums: Bool { !isLocal }
    var isLocal: Bool { !endpoint.hasPrefix("tcp:") }

    /// - Parameters:
    ///   - endpoint: port 0 chooses one.
    ///   - security: of a tcp socket; nil: whoever reaches it is let in.
    init(context: Context, endpoint: String, chunks: ChunkMap, security: ZeroMQ.Security?) throws {
        // The state of a run travels in one go: weights and slots, chunk by chunk.
        var options = SocketOptions.data(largestBody: chunks.largestByteCount, chunkCount: Self.statesPerChunk * chunks.count)
        let isTCP = endpoint.hasPrefix("tcp://")
        if isTCP, let security {
            options.security = security
            options.authenticationDomain = "data"
        }
        socket = try Socket(.router, in: context, options: options)
        watch = isTCP ? try SocketWatch(socket, maximumFrameByteCount: options.maximumFrameByteCount) : nil
        self.endpoint = try socket.bind(endpoint.hasSuffix(":0") ? endpoint.dropLast(1) + "*" : endpoint)
    }

    private static let statesPerChunk = 2

    /// Sends a message to a peer; false if it is gone or does not take it.
    func send(_ header: DataHeader, body: consuming Frame?, to name: RoutingID) -> Bool {
        var header = header
        var frame: Frame? = body
        if frame != nil {
            header.bodyByteCount = UInt64(frame?.byteCount ?? 0)
            if usesChecksums { header.checksum = frame?.withBytes { checksum($0) } ?? 0 }
        }
        let delivery = withUnsafeTemporaryAllocation(byteCount: DataHeader.byteCount, alignment: 8) { buffer in
            header.encode(into: buffer)
            return try? socket.send(to: name, header: UnsafeRawBufferPointer(buffer), body: &frame)
        }
        return delivery == .sent
    }
}
