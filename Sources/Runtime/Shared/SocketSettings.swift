internal import Exactness
internal import Wire
internal import ZeroMQ

extension SocketOptions {
    /// What CurveZMQ adds to a frame, with room to spare (RFC 26: 33 bytes).
    private static var encryptionOverhead: Int { 64 }

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

    /// What workers say on it is short: a larger frame is refused before memory is taken for it.
    static var controlOfCoordinator: SocketOptions {
        var options = control
        options.maximumFrameByteCount = WireProtocol.maximumWorkerControlBytes
        return options
    }

    /// Bodies are chunks, packets of rows, positions or figures. Flow is bounded by the protocol (window, credit, one version per
    /// pull); the high-water mark only has to stand above it.
    ///
    /// - Parameter largestBody: in bytes, of what is received.
    static func data(largestBody: Int, chunkCount: Int) -> SocketOptions {
        var options = SocketOptions()
        let messages = max(1024, 4 * chunkCount)
        options.sendHighWaterMark = messages
        options.receiveHighWaterMark = messages
        options.maximumFrameByteCount = max(largestBody, DataHeader.byteCount) + encryptionOverhead
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

    /// Where a parameter server is, for somebody who reaches its coordinator at `coordinator`: one that listens at every address of its
    /// host is on the coordinator's.
    static func server(_ endpoint: String, coordinator: String) -> String {
        let everywhere = ["tcp://0.0.0.0:", "tcp://*:"]
        guard let prefix = everywhere.first(where: { endpoint.hasPrefix($0) }), let colon = coordinator.lastIndex(of: ":"),
            coordinator.hasPrefix("tcp://")
        else { return endpoint }
        return "\(coordinator[..<colon]):\(endpoint.dropFirst(prefix.count))"
    }
}
