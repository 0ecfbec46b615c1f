internal import OperatingSystem

/// What a parameter server is told on its command line.
public struct ServerOptions: Sendable {
    /// The coordinator's control endpoint.
    public var endpoint: String
    /// Where its own data sockets listen.
    public var binds: [String]
    /// Update threads; nil: one per core, at most 8.
    public var threads: Int?
    public var name: String?
    public var patience: Duration
    /// The coordinator that started this server: it dies with it.
    public var parent: Int32?
    /// nil: the connection to the coordinator is not protected.
    public var keys: WorkerKeys?
    /// Whether workers are asked for their keys at its tcp socket.
    public var isProtected: Bool

    public init(
        endpoint: String, binds: [String], threads: Int?, name: String?, patience: Duration, parent: Int32?, keys: WorkerKeys?,
        isProtected: Bool
    ) {
        self.endpoint = endpoint
        self.binds = binds
        self.threads = threads
        self.name = name
        self.patience = patience
        self.parent = parent
        self.keys = keys
        self.isProtected = isProtected
    }
}
