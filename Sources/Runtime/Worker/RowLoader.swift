internal import Datasets
internal import Exactness
internal import Wire

/// A shard of a part of the data.
struct ShardKey: Hashable {
    var part: PartID
    var shard: Int
    /// Of the training rows.
    var deal: UInt64 = 0
}

/// A request for rows under way.
struct RowRequest {
    var key: ShardKey
    var positions: [UInt32]
}

/// The rows that a worker holds, and the order in which it asks for the others: those of the current step first.
///
/// Rows survive the session: a worker that comes back to the same run does not get them again.
final class RowLoader {
    let run: RunDescription
    private var stores: [ShardKey: ShardStore] = [:]
    /// `isAhead`: no step waits for them.
    private var wanted: [(key: ShardKey, isAhead: Bool, positions: [UInt32], next: Int)] = []
    private var turn = 0
    private var underWay: [UInt32: RowRequest] = [:]
    private var nextRequest: UInt32 = 0
    /// The dealing of training rows that was planned for last.
    private(set) var deal: UInt64 = 0

    init(run: RunDescription) {
        self.run = run
    }

    func store(_ key: ShardKey) throws -> ShardStore {
        if let store = stores[key] { return store }
        let capacity = run.plan(of: key.part).rows(ofShard: key.shard)
        let store = try ShardStore(
            format: run.rowFormat, capacity: capacity, preprocessing: run.preprocessing, targetScaling: run.targetScaling)
        stores[key] = store
        return store
    }

    /// Whether the rows at `positions` are here.
    func holds(_ key: ShardKey, _ positions: ArraySlice<UInt32>) throws -> Bool {
        let store = try store(key)
        return store.isComplete || store.missing(in: positions).isEmpty
    }

    /// Asks anew for what `shards` lack, in the order in which training from `step` on needs it; forgets shards of other workers.
    ///
    /// - Parameters:
    ///   - fetch: shards that it is about to get, after those.
    ///   - audits: shards of which only the training rows are wanted, last.
    func plan(shards: [Int], fetch: [Int] = [], audits: [Int] = [], step: UInt64) throws {
        underWay.removeAll()
        wanted.removeAll()
        turn = 0
        let kept = Set(shards + fetch + audits)
        deal = run.deal(ofStep: step)
        stores = stores.filter { kept.contains($0.key.shard) && ($0.key.deal == 0 || $0.key.deal == deal) }
        try want(shards, step: step)
        try wantHeldOut(shards)
        try want(fetch, step: step, isAhead: true)
        try wantHeldOut(fetch, isAhead: true)
        try want(audits, step: step, isAhead: true)
    }

    /// Rows that are trained on, and of the sample.
    private func want(_ shards: [Int], step: UInt64, isAhead: Bool = false) throws {
        let train = run.plan(of: .train)
        let epoch = train.epoch(ofStep: step)
        for shard in shards {
            let order = EpochOrder.positions(rowCount: train.rows(ofShard: shard), seed: run.seed, epoch: epoch, shard: shard)
            let first = min(train.stepInEpoch(step) * train.leafRows, order.count)
            try want(ShardKey(part: .train, shard: shard, deal: deal), Array(order[first...] + order[..<first]), isAhead: isAhead)
        }
        if deal > 0 {
            let sample = run.plan(of: .sample)
            for shard in shards {
                try want(ShardKey(part: .train, shard: shard), Array(0..<UInt32(sample.rows(ofShard: shard))), isAhead: isAhead)
            }
        }
    }

    private func wantHeldOut(_ shards: [Int], isAhead: Bool = false) throws {
        for part in [PartID.validation, .test] {
            let plan = run.plan(of: part)
            for shard in shards where plan.rows(ofShard: shard) > 0 {
                try want(ShardKey(part: part, shard: shard), Array(0..<UInt32(plan.rows(ofShard: shard))), isAhead: isAhead)
            }
        }
    }

    /// Asks for rows of a long pass that no step needs, unless rows of the shard are on their way.
    func request(_ key: ShardKey, _ positions: ArraySlice<UInt32>) throws {
        let isUnderWay = underWay.values.contains { $0.key == key } || wanted.contains { $0.key == key && $0.next < $0.positions.count }
        if !isUnderWay { try want(key, Array(positions)) }
    }

    private func want(_ key: ShardKey, _ positions: [UInt32], isAhead: Bool = false) throws {
        let missing = try store(key).missing(in: positions[...])
        if !missing.isEmpty { wanted.append((key, isAhead, missing, 0)) }
    }

    /// Whether everything that was planned is here.
    var isIdle: Bool { underWay.isEmpty && wanted.allSatisfy { $0.next == $0.positions.count } }

    /// The next request to send, nil while enough are under way or nothing is missing.
    ///
    /// Shards of a part take turns, and a first request is a single leaf, so that training can begin before everything is here.
    func nextRequest(limit: Int = WireProtocol.rowRequestsUnderWay) -> (number: UInt32, request: RowRequest)? {
        guard underWay.count < limit else { return nil }
        let first = wanted.first { $0.next < $0.positions.count }
        let candidates = wanted.indices.filter {
            wanted[$0].next < wanted[$0].positions.count && wanted[$0].key.part == first?.key.part && wanted[$0].isAhead == first?.isAhead
        }
        guard let index = candidates.first(where: { $0 >= turn }) ?? candidates.first else { return nil }
        turn = index + 1
        let entry = wanted[index]
        let most = max(1, min(WireProtocol.maximumRowsPerRequest, WireProtocol.rowPacketBytes / run.rowFormat.bytesPerRow))
        let count = entry.next == 0 ? min(most, run.leafRows) : most
        let end = min(entry.next + count, entry.positions.count)
        wanted[index].next = end
        nextRequest &+= 1
        let request = RowRequest(key: entry.key, positions: Array(entry.positions[entry.next..<end]))
        underWay[nextRequest] = request
        return (nextRequest, request)
    }

    /// Stores what came for a request; an answer to a forgotten one is dropped.
    func arrived(_ number: UInt32, packet: UnsafeRawBufferPointer) throws {
        guard let request = underWay.removeValue(forKey: number) else { return }
        try store(request.key).store(packet, at: request.positions[...])
    }
}
