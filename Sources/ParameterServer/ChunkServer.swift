public import Exactness
public import Kernels

/// What workers see of any server: weights of its chunks, and contributions to them taken in.
public protocol ChunkServer: AnyObject {
    var chunks: ChunkMap { get }
    /// The chunks that are this server's: all of them where it is the only one.
    var owned: Range<Int> { get }
    /// The number that contributions and weights carry: of steps or, with a closure rule, of rounds.
    var round: UInt64 { get }
    /// The weights that contributions to `round` are computed with.
    var openWeights: FloatBlock { get }
    /// The weights of the number behind it, of which `isReady` says what is there.
    var nextWeights: FloatBlock { get }
    /// How many chunks past the lowest incomplete one are let in.
    var window: Int { get set }
    /// The position, among this server's chunks in the order of travel, below which nothing more is wanted of the present gradient.
    var lowestIncomplete: Int { get }
    /// The shards without which nothing goes on.
    var uncoveredShards: ShardSet { get }

    /// Whether `chunk` of `nextWeights` is ready.
    func isReady(_ chunk: Int) -> Bool

    /// Takes the sum of `node` over one chunk; an accepted `token` is given back through `release`, once.
    func offer(step: UInt64, node: TreeNode, chunk: Int, samples: Int, loss: Double, body: FloatView, token: Int) -> ParameterServer.Offer
}
