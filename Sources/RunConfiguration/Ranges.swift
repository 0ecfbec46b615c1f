/// The largest values that are taken for meant; beyond them lies a typing error or what no machine holds.
enum Ranges {
    static let rows = 1 << 40
    /// Columns named in `categorical`.
    static let columns = 65_536
    static let units = 1 << 20
    /// Of a maxout unit.
    static let pieces = 1_024
    static let layers = 10_000
    /// Elements of one row.
    static let rowElements = 1 << 28
    static let batchSize = 1 << 24
    static let epochs = 1_000_000
    /// Pairs of vectors of L-BFGS: each is twice the weights.
    static let history = 1_000
    /// Evaluations of a step.
    static let evaluations = 1_000_000
    static let virtualShards = 1 << 16
    static let keptCheckpoints = 1_000
    /// A little over three years.
    static let seconds = 1e8
    /// Shorter than a thread may be kept waiting on a busy host: live workers would be taken for dead.
    static let heartbeatMilliseconds = 50...60_000
    /// Chunk boundaries are multiples of this many bytes: a block of 16,384 floats.
    static let chunkMultiple = 65_536
    static let chunkBytes = 1 << 30
    static let parameterServers = 1_024
    /// Bytes: what Linux file systems allow, less room for a suffix.
    static let nameByteCount = 200
}
