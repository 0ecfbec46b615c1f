internal import Exactness
internal import Wire
internal import ZeroMQ

extension SocketOptions {
    /// Control messages are small and rare; a peer that can't take a few hundred is gone.
    static var control: SocketOptions {
        var options = SocketOptions()
        options.sendHighWaterMark = 1024
        options.receiveHighWaterMark = 1024
        options.maximumFrameByteCount = WireProtocol.maximumControlBytes
        options.linger = .milliseconds(500)
        options.maximumReconnectInterval = .seconds(2)
        return options
    }

    /// Bodies are chunks, packets of rows, positions or figures. Flow is bounded by the protocol (window, credit, one version per
    /// pull); the high-water mark only has to stand above it.
    static func data(_ chunks: ChunkMap) -> SocketOptions {
        var options = SocketOptions()
        let messages = max(1024, 4 * chunks.count)
        options.sendHighWaterMark = messages
        options.receiveHighWaterMark = messages
        options.maximumFrameByteCount = max(chunks.largestByteCount, 16 << 20)
        options.maximumReconnectInterval = .seconds(2)
        return options
    }
}

/// Where the data socket of a control endpoint is.
enum Endpoints {
    /// tcp: the same host and the port that the welcome names; ipc: the same path with `.data`.
    static func data(control: String, port: UInt16?) -> String {
        guard let port, let colon = control.lastIndex(of: ":") else { return control + ".data" }
        return "\(control[..<colon]):\(port)"
    }
}
