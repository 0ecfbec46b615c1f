internal import Exactness
internal import Wire
internal import ZeroMQ

/// A pair of sockets, control and data, for one transport; the coordinator's thread owns them all.
final class Lane {
    let control: Socket
    let data: Socket
    /// What workers connect to.
    let endpoint: String
    /// What the welcome tells; nil over ipc.
    let dataPort: UInt16?
    /// Over ipc bytes do not change on their way.
    var usesChecksums: Bool { dataPort != nil }
    var isLocal: Bool { dataPort == nil }
    var message = Message(maximumParts: 3)
    /// Where strangers can reach the sockets; nil in a folder of our own.
    let watches: (control: SocketWatch, data: SocketWatch)?

    /// - Parameters:
    ///   - endpoint: the control endpoint; data is the next port (any, for port 0) or the name with `.data`.
    ///   - gatekeeper: nil where nothing is encrypted.
    ///   - anyDataPort: whether the system chooses the data port: that of `endpoint` was its choice before.
    init(
        context: Context, endpoint: String, largestBody: Int, chunkCount: Int, gatekeeper: Gatekeeper? = nil, isWatched: Bool = false,
        anyDataPort: Bool = false
    ) throws {
        guard endpoint.hasPrefix("tcp://") || endpoint.hasPrefix("ipc://") else { throw EndpointError(endpoint: endpoint) }
        var options = (
            control: SocketOptions.controlOfCoordinator, data: SocketOptions.data(largestBody: largestBody, chunkCount: chunkCount)
        )
        if endpoint.hasPrefix("tcp://"), let gatekeeper {
            (options.control.security, options.data.security) = (gatekeeper.security, gatekeeper.security)
            (options.control.authenticationDomain, options.data.authenticationDomain) = ("control", "data")
        }
        control = try Socket(.router, in: context, options: options.control)
        data = try Socket(.router, in: context, options: options.data)
        watches =
            isWatched
            ? (
                try SocketWatch(control, maximumFrameByteCount: options.control.maximumFrameByteCount),
                try SocketWatch(data, maximumFrameByteCount: options.data.maximumFrameByteCount)
            ) : nil
        guard endpoint.hasPrefix("tcp://") else {
            self.endpoint = try control.bind(endpoint)
            try data.bind(endpoint + ".data")
            dataPort = nil
            return
        }
        let (host, port) = try Self.split(endpoint)
        self.endpoint = try control.bind(port == 0 ? "\(host):*" : endpoint)
        let bound = try data.bind(port == 0 || anyDataPort ? "\(host):*" : "\(host):\(port + 1)")
        dataPort = try Self.split(bound).port
    }

    /// - Returns: everything before the last colon, and the port.
    private static func split(_ endpoint: String) throws -> (host: Substring, port: UInt16) {
        guard let colon = endpoint.lastIndex(of: ":"), let port = UInt16(endpoint[endpoint.index(after: colon)...]), port < .max else {
            throw EndpointError(endpoint: endpoint)
        }
        return (endpoint[..<colon], port)
    }
}

/// An endpoint that is none.
struct EndpointError: Error, CustomStringConvertible {
    var endpoint: String

    var description: String {
        "--bind \(endpoint): expected tcp://ADDRESS:PORT (port 0 chooses one; the port after it carries data) or ipc:///PATH"
    }
}

/// A peer of a socket of ours.
struct Address: Hashable {
    var lane: Int
    var name: RoutingID
}

/// A worker's session as the shell knows it.
struct Peer {
    let token: UInt64
    let control: Address
    let processID: Int32
    /// The key that its connections were let in with, as Z85; nil where there are none.
    let userID: String?
    var data: Address?
    /// The descriptors of its connections where they are watched.
    var descriptors = Descriptors()

    struct Descriptors {
        var control: Int32?
        var data: Int32?
    }
    /// Whether new weights are pushed to it.
    var isSubscribed = false
}
