/// How contributions become steps, and with that what the resulting bits depend on.
public enum TrainingMode: Codable, Hashable, Sendable {
    /// A step's contributions are summed in the order of the tree: the same bits whoever computes them.
    case exact
    /// The same steps, contributions summed in the order in which they arrive.
    case fast
    /// Every contribution is an update of its own; no shard is more than `staleness` steps ahead of the slowest.
    ///
    /// - Source: Ho et al., "More Effective Distributed ML via a Stale Synchronous Parallel Parameter Server", NIPS 2013.
    case ssp(staleness: Int)
    /// The same without a bound.
    case async

    /// As the run file and the result name it.
    public var keyword: String {
        switch self {
        case .exact: "exact"
        case .fast: "fast"
        case .ssp: "ssp"
        case .async: "async"
        }
    }

    /// Whether contributions are updates of their own, computed with weights that others may have changed meanwhile.
    public var isStale: Bool {
        switch self {
        case .exact, .fast: false
        case .ssp, .async: true
        }
    }

    /// How many steps a shard may be ahead of the slowest one; nil: as many as there are before the next validation.
    public var staleness: Int? {
        switch self {
        case .exact, .fast: 0
        case .ssp(let staleness): staleness
        case .async: nil
        }
    }
}
