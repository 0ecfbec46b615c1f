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
    /// The segments that its parent shares with it; nil: payload travels in messages.
    public var shared: ServerSegmentsOption?

    public init(
        endpoint: String, binds: [String], threads: Int?, name: String?, patience: Duration, parent: Int32?, keys: WorkerKeys?,
        isProtected: Bool, shared: ServerSegmentsOption? = nil
    ) {
        self.endpoint = endpoint
        self.binds = binds
        self.threads = threads
        self.name = name
        self.patience = patience
        self.parent = parent
        self.keys = keys
        self.isProtected = isProtected
        self.shared = shared
    }
}
