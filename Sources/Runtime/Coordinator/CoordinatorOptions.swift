/// What the command line says of a run, beside its run file.
public struct CoordinatorOptions: Sendable {
    /// nil: as many as can share a step and have a core.
    public var workers: Int?
    /// Compute threads of each local worker.
    public var threads: Int
    /// A control endpoint for workers of other hosts.
    public var bind: String?
    /// How the endpoint of `bind` is protected.
    public var protection: LinkProtection
    public var isQuiet: Bool
    /// The cores to share out; nil: those this process may use.
    public var cores: Int?
    /// Parameter servers to start at once beside the own one; nil: all where nobody else can start any, else those that do not register
    /// in time.
    public var servers: Int?
    /// The share of leaves that a second worker computes, for comparison; 0…1.
    public var auditFraction = 0.0
    /// Whether the port of `bind` was the system's choice at an earlier start: then the one after it may be anybody's.
    var isPortChosen = false

    /// What is started as a local worker; nil: `dnn-worker` beside this program.
    public var workerProgram: WorkerProgram?

    /// `bind` with any port.
    var anyPort: String? {
        bind.map { bind in bind.lastIndex(of: ":").map { "\(bind[..<$0]):0" } ?? bind }
    }

    public init(
        workers: Int? = nil, threads: Int = 1, bind: String? = nil, protection: LinkProtection = .none, isQuiet: Bool = false,
        cores: Int? = nil, servers: Int? = nil, workerProgram: WorkerProgram? = nil
    ) {
        self.workers = workers
        self.threads = threads
        self.bind = bind
        self.protection = protection
        self.isQuiet = isQuiet
        self.cores = cores
        self.servers = servers
        self.workerProgram = workerProgram
    }
}
