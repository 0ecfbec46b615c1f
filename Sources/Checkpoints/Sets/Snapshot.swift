/// One whole version of a run's state, to be committed as a checkpoint set. The tensors' memory is borrowed for the call.
public struct Snapshot<State: Codable & Sendable> {
    public var step: Int
    public var epoch: Int
    public var identity: RunIdentity
    /// Rises at every start of the coordinator.
    public var incarnation: Int
    /// The effective configuration's text.
    public var configuration: String
    /// What the coordinator needs to go on: early stopping, schedules, data cursor.
    public var coordinator: State
    /// Parameters and running statistics.
    public var weights: [NamedTensor]
    public var slots: [NamedTensor]
    public var best: Best?
    /// Written into the files of weights, so that they can be used without the run.
    public var metadata: [String: String]

    /// The best weights so far. A step's best weights never change: what is already on disk is not written again.
    public struct Best {
        public var step: Int
        public var value: Double
        public var weights: [NamedTensor]

        public init(step: Int, value: Double, weights: [NamedTensor]) {
            self.step = step
            self.value = value
            self.weights = weights
        }
    }

    public init(
        step: Int, epoch: Int, identity: RunIdentity, incarnation: Int, configuration: String, coordinator: State,
        weights: [NamedTensor], slots: [NamedTensor], best: Best? = nil, metadata: [String: String] = [:]
    ) {
        self.step = step
        self.epoch = epoch
        self.identity = identity
        self.incarnation = incarnation
        self.configuration = configuration
        self.coordinator = coordinator
        self.weights = weights
        self.slots = slots
        self.best = best
        self.metadata = metadata
    }
}
