internal import Exactness
internal import Wire

/// Which chunks each parameter server of a run owns, as a worker is told.
struct ServerShares {
    /// By server; the coordinator is the first.
    let owned: [Range<Int>]
    /// By server: whether values lie in memory that it shares with this worker, if it shares any.
    let sharesMemory: [Bool]
    /// How many chunks of a step's gradient each is done with before there are new weights; in order of travel.
    private var reduced: [(step: UInt64, count: Int)]

    /// - Throws: where the shares do not make up the whole.
    init(_ servers: [ServerAddress], chunks: ChunkMap) throws(WireError) {
        var owned: [Range<Int>] = []
        for server in servers {
            let first = owned.last?.upperBound ?? server.firstChunk
            guard server.firstChunk == first, server.firstChunk > 0, server.chunkCount > 0, server.chunkCount <= chunks.count - first else {
                throw .malformed("a parameter server with \(server.chunkCount) chunks from \(server.firstChunk) of \(chunks.count)")
            }
            owned.append(first..<first + server.chunkCount)
        }
        if let last = owned.last, last.upperBound != chunks.count {
            throw .malformed("parameter servers for \(last.upperBound) of \(chunks.count) chunks")
        }
        self.owned = [0..<(owned.first?.lowerBound ?? chunks.count)] + owned
        sharesMemory = [true] + servers.map { $0.sharesMemory ?? false }
        reduced = Array(repeating: (0, 0), count: self.owned.count)
    }

    var count: Int { owned.count }

    mutating func noteReduced(_ count: Int, step: UInt64, by server: Int) throws(WireError) {
        guard count <= owned[server].count else { throw .malformed("\(count) reduced chunks of \(owned[server].count)") }
        reduced[server] = (step, count)
    }

    func reduced(step: UInt64, by server: Int) -> Int {
        reduced[server].step == step ? reduced[server].count : 0
    }
}
