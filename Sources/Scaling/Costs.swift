/// What work costs on one machine, measured there. Times in seconds.
public struct Costs: Codable, Equatable, Sendable {
    /// One thread's gradients of a set of leaves: so much, and so much more for every leaf.
    public var leavesFixed: Double
    public var perLeaf: Double
    /// How much longer computing takes with every core busy than alone; 1: cores do not disturb each other.
    public var crowding: Double
    /// Reduction and update of one element: so much, and so much more for every sum that is joined.
    public var updatePerElement: Double
    public var updatePerElementAndSum: Double
    /// Of a message in every thread that it passes, whatever its size: the call, the queue.
    public var perMessage: Double
    /// Of a byte of payload in a message at either end: copies, the kernel, checksums.
    public var perByte: Double
    /// Between the arrival of a message and the thread that waited for it, which sleeps meanwhile.
    public var wakeUp: Double
    /// What a core does for a thread that wakes up, and then goes to sleep again.
    public var perWakeUp: Double
    /// Of a step in a worker, whatever its size: rows, nodes, figures; before it computes.
    public var perStepOfWorker: Double
    /// Of a step in the server, whatever its size: the verdict, the loss; when the weights are out.
    public var perStepOfServer: Double

    public init(
        leavesFixed: Double, perLeaf: Double, crowding: Double, updatePerElement: Double, updatePerElementAndSum: Double,
        perMessage: Double, perByte: Double, wakeUp: Double, perWakeUp: Double = 0, perStepOfWorker: Double = 0,
        perStepOfServer: Double = 0
    ) {
        self.leavesFixed = leavesFixed
        self.perLeaf = perLeaf
        self.crowding = crowding
        self.updatePerElement = updatePerElement
        self.updatePerElementAndSum = updatePerElementAndSum
        self.perMessage = perMessage
        self.perByte = perByte
        self.wakeUp = wakeUp
        self.perWakeUp = perWakeUp
        self.perStepOfWorker = perStepOfWorker
        self.perStepOfServer = perStepOfServer
    }

    /// One thread's gradients of so many leaves.
    public func compute(leaves: Int) -> Double {
        leaves == 0 ? 0 : leavesFixed + perLeaf * Double(leaves)
    }
}

/// A run on a cluster, as far as its speed depends on it.
public struct ClusterModel: Equatable, Sendable {
    public enum Placement: Equatable, Sendable {
        /// Everybody on one host; payload in shared memory.
        case oneHost
        /// Everybody on one host, but what they say travels over networks, as in a laboratory of namespaces.
        case oneHostWithNetwork(Network)
        /// Every worker and every server on a host of its own.
        case hosts(Network)
    }

    /// Between hosts: every network card sends and receives so much at the same time.
    public struct Network: Equatable, Sendable {
        /// Bytes per second.
        public var bandwidth: Double
        /// One way, in seconds.
        public var latency: Double

        public init(bandwidth: Double, latency: Double = 50e-6) {
            self.bandwidth = bandwidth
            self.latency = latency
        }
    }

    /// Parameters that are needed together in forward, and whose gradient is finished as a whole in backward.
    public struct Layer: Equatable, Sendable {
        public var parameters: Int
        /// Its shares of a leaf's work, in any unit.
        public var forward, backward: Double

        public init(parameters: Int, forward: Double, backward: Double) {
            self.parameters = parameters
            self.forward = forward
            self.backward = backward
        }
    }

    public var workers: Int
    public var threadsPerWorker: Int
    public var servers: Int
    public var virtualShards: Int
    public var parameters: Int
    /// Parameters of a chunk.
    public var chunkLength: Int
    /// Of a parameter or of its gradient on the wire: 4, or 2 in bf16.
    public var bytesPerElement: Int
    public var coresPerHost: Int
    public var placement: Placement
    /// From the input on, together all parameters; empty: every chunk is a layer, with as much work as the others.
    public var layers: [Layer] = []

    public init(
        workers: Int, threadsPerWorker: Int = 1, servers: Int = 1, virtualShards: Int, parameters: Int, chunkLength: Int = 262_144,
        bytesPerElement: Int = 4, coresPerHost: Int, placement: Placement
    ) {
        self.workers = workers
        self.threadsPerWorker = threadsPerWorker
        self.servers = servers
        self.virtualShards = virtualShards
        self.parameters = parameters
        self.chunkLength = chunkLength
        self.bytesPerElement = bytesPerElement
        self.coresPerHost = coresPerHost
        self.placement = placement
    }

    /// Threads of every server that update chunks; 0: the one that takes messages does it, too.
    ///
    /// Of the cores that the workers leave as far as a server knows of them: those that it has started.
    var updateThreads: Int {
        guard parameters >= Self.smallestSharedUpdate else { return 0 }
        let taken = if case .oneHost = placement { workers * threadsPerWorker } else { 0 }
        return min(Self.mostUpdateThreads, max(0, coresPerHost - taken) / servers)
    }

    /// Smaller nets are updated by the thread that takes messages.
    public static let smallestSharedUpdate = 262_144
    public static let mostUpdateThreads = 8

    /// Workers who can share a step.
    public var activeWorkers: Int { min(workers, virtualShards) }

    /// The core that each active worker is kept on; nil: any, or several. Local workers that fill the machine share its cores in turn.
    var workerCores: [Int?] {
        guard case .oneHost = placement, workers > 1, threadsPerWorker == 1, workers >= coresPerHost else {
            return Array(repeating: nil, count: activeWorkers)
        }
        return (0..<activeWorkers).map { $0 % coresPerHost }
    }

    /// Leaves of each active worker: in proportion to speed, which is less where several are kept on a core.
    public var leaves: [Int] {
        let cores = workerCores
        let sharing = cores.map { core in core.map { core in cores.count { $0 == core } } ?? 1 }
        var leaves = Array(repeating: 0, count: activeWorkers)
        for _ in 0..<virtualShards {
            // Whoever would be done first with one more.
            let next = leaves.indices.min { ((leaves[$0] + 1) * sharing[$0], $0) < ((leaves[$1] + 1) * sharing[$1], $1) }
            if let next { leaves[next] += 1 }
        }
        return leaves
    }

    /// Subtree sums that so many leaves in a row come to, at best.
    public func sums(leaves: Int) -> Int { leaves.nonzeroBitCount }

    var network: Network? {
        switch placement {
        case .oneHost: nil
        case .oneHostWithNetwork(let network), .hosts(let network): network
        }
    }
}
