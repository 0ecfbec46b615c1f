/// What a step is predicted to take, and what is busy for which share of it.
public struct Prediction: Equatable, Sendable {
    public var secondsPerStep: Double
    /// Of the busiest worker's compute thread.
    public var computing: Double
    /// Of the busiest thread of a server.
    public var serverThreads: Double
    /// Of the busiest server's network card, in its busier direction.
    public var serverNetwork: Double
    /// The same of the busiest worker's.
    public var workerNetwork: Double
    /// Of all cores of the busiest host.
    public var cores: Double

    /// What a step waits for.
    public enum Bottleneck: String, Equatable, Sendable {
        case computing = "the workers' computing"
        case serverThreads = "the server's processor"
        case serverNetwork = "the server's network card"
        case workerNetwork = "the workers' network cards"
        case cores = "the cores of this host, which everybody shares"
        case latency = "waiting: messages and wake-ups, nothing is busy most of the time"
    }

    public init(_ model: ClusterModel, costs: Costs) {
        self = StepSimulation(model, costs: costs).run()
    }

    init(
        secondsPerStep: Double, computing: Double, serverThreads: Double, serverNetwork: Double, workerNetwork: Double, cores: Double
    ) {
        self.secondsPerStep = secondsPerStep
        self.computing = computing
        self.serverThreads = serverThreads
        self.serverNetwork = serverNetwork
        self.workerNetwork = workerNetwork
        self.cores = cores
    }

    /// Below this share nothing counts as busy most of the time.
    private static let busy = 0.55

    public var bottleneck: Bottleneck {
        let shares: [(Bottleneck, Double)] = [
            (.serverNetwork, serverNetwork), (.serverThreads, serverThreads), (.workerNetwork, workerNetwork), (.computing, computing),
        ]
        // A thread that waits for a core looks idle: the host is what is busy.
        if cores > 0.9, !shares.contains(where: { $0.1 > 0.9 }) { return .cores }
        guard let most = shares.max(by: { $0.1 < $1.1 }), most.1 >= Self.busy else { return .latency }
        return most.0
    }
}
