/// Which chunks each parameter server owns: contiguous ranges in ascending order, of about equally many elements.
///
/// - Note: which server a chunk belongs to never touches the bits: the update is element by element, figures of the whole block are
///   joined by the tree over figure blocks, and a row whose length is bounded lies within one server.
public struct ServerRanges: Hashable, Sendable {
    /// By server; the first one is the coordinator's own and holds chunk 0. Fewer than were asked for where there are too few places
    /// to cut at.
    public let ranges: [Range<Int>]

    /// - Parameters:
    ///   - serverCount: how many servers are wanted.
    ///   - mayBegin: whether a server may begin with this chunk, 1 or more.
    public init(chunks: ChunkMap, serverCount: Int, mayBegin: (_ chunk: Int) -> Bool = { _ in true }) {
        let places = (0..<chunks.count).filter { $0 > 0 && mayBegin($0) }
        let borderCount = min(serverCount - 1, places.count)
        var borders: [Int] = []
        var first = 0
        for border in 0..<max(borderCount, 0) {
            let target = chunks.elementCount * (border + 1) / (borderCount + 1)
            func distance(_ place: Int) -> Int { abs(chunks.range(places[place]).lowerBound - target) }
            // As many places must be left as there are borders still to come.
            let allowed = first..<places.count - (borderCount - 1 - border)
            guard let nearest = allowed.min(by: { distance($0) < distance($1) }) else { break }
            borders.append(places[nearest])
            first = nearest + 1
        }
        let edges = [0] + borders + [chunks.count]
        ranges = zip(edges, edges.dropFirst()).map { $0..<$1 }
    }

    public var count: Int { ranges.count }

    /// The server that owns a chunk.
    public func owner(of chunk: Int) -> Int {
        var owner = ranges.count - 1
        while owner > 0, ranges[owner].lowerBound > chunk { owner -= 1 }
        return owner
    }
}
