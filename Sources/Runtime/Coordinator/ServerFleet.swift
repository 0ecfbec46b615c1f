internal import Exactness
internal import Training
internal import Wire

/// The other parameter servers of a run, and what is known of them in the open step. Belongs to the coordinator's one thread.
final class ServerFleet {
    let ranges: ServerRanges
    let locals: LocalServers
    /// By place among the servers, 1 and up.
    private(set) var links: [ServerLink] = []
    /// Until then servers that somebody else starts are waited for.
    let registrationEnd: Duration
    /// The version that was released last; nil before the first.
    var released: UInt64?
    /// When servers were last looked at.
    var lastLook: Duration?
    /// What of the complete version is here as a whole.
    var gathered: (version: UInt64, withSlots: Bool)
    /// Contributions to the next step, whose senders know before us that this one is complete.
    var parked: [Parked] = []
    /// What the state machine is to be told.
    var events: [Event] = []
    /// Whether sockets have come or what is waited for is another thing.
    var isPollerStale = false
    /// Whether the second phase waits for the other servers.
    var awaitsJudgement = false

    struct Parked {
        var header: DataHeader
        /// Whose shared segment its values lie in, if they do not lie in `place`.
        var worker: WorkerID
        var place: Int
    }

    /// Servers that somebody else starts have so long to register.
    static let registrationTime = Duration.seconds(10)

    init(ranges: ServerRanges, locals: LocalServers, version: UInt64, registrationEnd: Duration) {
        self.ranges = ranges
        self.locals = locals
        self.registrationEnd = registrationEnd
        gathered = (version, true)
    }

    /// How many there are beside the coordinator's own.
    var count: Int { ranges.count - 1 }

    var areReady: Bool { links.count == count && links.allSatisfy(\.isReady) }

    func add(_ link: ServerLink) {
        links.append(link)
        links.sort { $0.index < $1.index }
    }

    func link(at control: Address) -> ServerLink? {
        links.first { $0.control == control }
    }

    /// The places that nobody has taken.
    var openPlaces: [Int] { (1..<ranges.count).filter { place in !links.contains { $0.index == place } } }

    /// Where a worker finds the servers; nil if one of them can't be reached from there.
    ///
    /// - Parameter sharesMemory: whether it has a segment, which the servers of this host know.
    func addresses(isLocal: Bool, sharesMemory: Bool) -> [ServerAddress]? {
        var found: [ServerAddress] = []
        for link in links {
            guard let endpoint = link.endpoint(isLocal: isLocal) else { return nil }
            found.append(
                ServerAddress(
                    endpoint: endpoint, publicKey: endpoint.hasPrefix("tcp:") ? link.publicKey : nil, firstChunk: link.owned.lowerBound,
                    chunkCount: link.owned.count, sharesMemory: link.isLocal && sharesMemory ? true : nil))
        }
        return found
    }

    /// The shards that some server waits for in the step that begins with `version`.
    func uncoveredShards(version: UInt64) -> ShardSet {
        var all = ShardSet()
        for link in links where link.built == version {
            if let uncovered = link.uncovered, uncovered.step == version { all.formUnion(uncovered.shards) }
        }
        return all
    }

    /// As `uncoveredShards(version:)`, in a round of a rule that searches.
    func uncoveredShards(round: UInt64) -> ShardSet {
        var all = ShardSet()
        for link in links where link.reducedRound != round {
            if let uncovered = link.uncovered, uncovered.step == round { all.formUnion(uncovered.shards) }
        }
        return all
    }
}
