public import Exactness
public import Kernels

/// What the coordinator's shell asks of a server, whatever its rule: contributions in, a complete state to keep and to report.
public protocol GradientServer: AnyObject {
    var chunks: ChunkMap { get }
    /// The last complete step.
    var version: UInt64 { get }
    /// The number that contributions and weights carry: of steps or, with a closure rule, of rounds.
    var round: UInt64 { get }
    /// Of the last complete step, as are the slots.
    var completeWeights: FloatBlock { get }
    var completeSlots: [FloatBlock] { get }
    /// The weights that contributions to `round` are computed with.
    var openWeights: FloatBlock { get }
    var lastLoss: Double { get }
    /// How many chunks past the lowest incomplete one are let in.
    var window: Int { get set }
    /// The position in the order of travel below which nothing more is wanted of the present gradient.
    var lowestIncomplete: Int { get }
    /// The shards without which nothing goes on.
    var uncoveredShards: ShardSet { get }
    /// The version whose step's norms are known.
    var normsVersion: UInt64? { get }
    /// The rate that made the complete version; nil at first.
    var lastLearningRate: Double? { get }
    /// Steps that were skipped since their gradient was not finite.
    var skippedSteps: Int { get }
    /// Passes over a batch or over all rows so far.
    var evaluations: UInt64 { get }

    func squareSums(of segments: Range<Int>) -> SquareSums

    /// Sets the weights of version 0, before anything is offered.
    func initializeWeights(_ fill: (FloatBlock) -> Void)

    /// Takes the sum of `node` over one chunk; an accepted `token` is given back through `release`, once.
    func offer(step: UInt64, node: TreeNode, chunk: Int, samples: Int, loss: Double, body: FloatView, token: Int) -> ParameterServer.Offer
}

extension ParameterServer: GradientServer {
    public var round: UInt64 { version }
    public var completeWeights: FloatBlock { state.currentWeights }
    public var completeSlots: [FloatBlock] { state.currentSlots }
    public var openWeights: FloatBlock { state.currentWeights }
    public var evaluations: UInt64 { version }

    public func squareSums(of segments: Range<Int>) -> SquareSums { norms.sums(of: segments) }

    public func initializeWeights(_ fill: (FloatBlock) -> Void) { fill(state.currentWeights) }
}
