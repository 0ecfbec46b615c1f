internal import Exactness
internal import Wire

/// Shards that are to go to another worker at a step boundary, once their rows are with it.
struct PlannedMove: Equatable, Sendable {
    var shards: [Int]
    /// Of the lease that has announced them.
    var sequence: UInt64
    var isReady = false
}

/// Leases follow measured speed and who is there; rows travel ahead of them, so that no step waits for any.
extension Coordinator {
    /// Announces what a better deal would give to whom; leases stay as they are until the rows are there.
    mutating func planMoves(now: Duration) -> [Effect] {
        wantsRebalance = false
        guard phase == .training || phase == .evaluating else { return [] }
        var target = leases
        _ = target.rebalance(among: takers(), leafTimes: leafTimes)
        var gains: [WorkerID: [Int]] = [:]
        for shard in 0..<plan.tree.shardCount {
            guard let taker = target.holder(of: shard), taker != leases.holder(of: shard) else { continue }
            gains[taker, default: []].append(shard)
        }
        let told = Set(gains.keys).union(moves.keys).filter { gains[$0] != moves[$0]?.shards && members[$0] != nil }
        moves = moves.filter { gains[$0.key] == $0.value.shards }
        var effects: [Effect] = []
        for worker in told.sorted() {
            let sequence = (members[worker]?.leaseSequence ?? 0) + 1
            moves[worker] = gains[worker].map { PlannedMove(shards: $0, sequence: sequence) }
            effects += sendLease(to: worker)
        }
        return effects
    }

    /// At a step boundary: carries out the moves whose rows are there, and plans others where something has changed.
    mutating func moveLeases(now: Duration) -> [Effect] {
        var changed: Set<WorkerID> = []
        let before = leases.workers.count
        for (worker, move) in moves where move.isReady {
            changed.formUnion(leases.move(move.shards, to: worker))
            moves[worker] = nil
        }
        var effects: [Effect] = []
        if !changed.isEmpty {
            clock.disturb()
            watchJoins(before: before)
            lastMove = now
            effects = changed.sorted().flatMap { issueLease(to: $0, now: now) }
        }
        return effects + (wantsRebalance ? planMoves(now: now) : [])
    }

    /// Shards have been dealt anew where `before` workers held them: with more of them steps should become shorter.
    mutating func watchJoins(before: Int) {
        let after = leases.workers.count
        if after > before { joins.grew(from: before, to: after) } else { joins.changed() }
    }

    /// Shards have changed hands out of turn: what was planned for them may be wrong.
    mutating func forgetMoves() {
        moves = [:]
        wantsRebalance = true
    }

    mutating func fetched(by worker: WorkerID, sequence: UInt64, now: Duration) -> [Effect] {
        members[worker]?.lastHeard = now
        guard let move = moves[worker], sequence >= move.sequence, sequence <= members[worker]?.leaseSequence ?? 0 else { return [] }
        moves[worker]?.isReady = true
        return []
    }

    // MARK: Speed

    /// Of those who have been measured.
    var leafTimes: [WorkerID: Duration] { members.compactMapValues(\.leafTime) }

    /// Wants another deal where the slowest share of a step would be notably shorter with it.
    mutating func weighSpeeds(now: Duration) {
        guard phase == .training, moves.isEmpty, !wantsRebalance, now - lastWeighing >= CoordinatorLimits.weighingInterval else { return }
        lastWeighing = now
        guard now - lastMove >= CoordinatorLimits.moveRest else { return }
        let takers = takers()
        for worker in takers where leases.shards(of: worker).isEmpty {
            if now - (members[worker]?.leasedAt ?? now) >= CoordinatorLimits.speedMemory { members[worker]?.forgetSpeed() }
        }
        let times = leafTimes
        guard takers.count > 1, leases.workers.allSatisfy({ times[$0] != nil }) else { return }
        var target = leases
        guard !target.rebalance(among: takers, leafTimes: times).isEmpty else { return }
        if target.longestShare(leafTimes: times) < leases.longestShare(leafTimes: times) * CoordinatorLimits.worthwhileShare {
            wantsRebalance = true
        }
    }
}

extension Member {
    /// Takes a measurement into the running mean.
    mutating func measured(_ time: Duration) {
        measurements += 1
        leafTimeMean = leafTimeMean.map { $0 + (time - $0) / Self.meanSpan } ?? time
        guard measurements >= Self.leastMeasurements, let mean = leafTimeMean else { return }
        // Sticky: small differences are noise, and rows move with leases.
        if let leafTime, mean < leafTime * 5 / 4, leafTime < mean * 5 / 4 { return }
        leafTime = mean
    }

    /// It is taken for an average worker again, and so tried.
    mutating func forgetSpeed() {
        leafTime = nil
        leafTimeMean = nil
        measurements = 0
    }

    /// Of the running mean, in measurements.
    private static let meanSpan = 4
    private static let leastMeasurements = 3
}
