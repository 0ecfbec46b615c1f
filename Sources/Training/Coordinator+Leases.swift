internal import Exactness
internal import Wire

/// Who computes what.
extension Coordinator {
    /// Those who may be given shards, without `late`: the ones in good standing, or else those that rest.
    func takers(without late: Set<WorkerID> = []) -> [WorkerID] {
        var good: [WorkerID] = []
        var resting: [WorkerID] = []
        for (worker, member) in members where member.state == .admitted && member.isConnected && !late.contains(worker) {
            switch member.standing {
            case .good: good.append(worker)
            case .resting: resting.append(worker)
            case .suspect: break
            }
        }
        return good.isEmpty ? resting : good
    }

    /// The first deal: nobody holds any rows, so nothing is gained by waiting for them.
    mutating func deal(now: Duration) -> [Effect] {
        wantsRebalance = false
        let before = leases.workers.count
        let changed = leases.rebalance(among: takers(), leafTimes: leafTimes)
        if !changed.isEmpty { watchJoins(before: before) }
        return changed.sorted().flatMap { issueLease(to: $0, now: now) }
    }

    /// Gives shards that nobody holds to whoever is there, in mid-step; a suspect is better than nobody.
    mutating func reissueOrphans(now: Duration) -> [Effect] {
        guard leases.orphanCount > 0 else { return [] }
        let orphans = leases.orphans
        let able = takers()
        let workers = able.isEmpty ? members.filter { $0.value.state == .admitted && $0.value.isConnected }.map(\.key) : able
        let changed = leases.assignOrphans(to: workers).sorted()
        guard !changed.isEmpty else { return [] }
        events.leasesReissued += 1
        forgetMoves()
        clock.disturb()
        joins.changed()
        let text = "\(Wording.shards(orphans)) \(orphans.count == 1 ? "goes" : "go") to \(Wording.abridged(changed.map(name(of:))))"
        return [Notice.info(text)] + changed.flatMap { issueLease(to: $0, now: now) }
    }

    /// Sends a worker its lease, whose shards have changed, and its part of an evaluation that is under way.
    ///
    /// - Parameter recomputing: shards whose part of the open step is to be computed again, even by who has done it.
    mutating func issueLease(to worker: WorkerID, recomputing: ShardSet = ShardSet(), now: Duration) -> [Effect] {
        members[worker]?.leasedAt = now
        members[worker]?.leasedStep = wireStep
        if case .resting = members[worker]?.standing, !leases.shards(of: worker).isEmpty { members[worker]?.standing = .good }
        let orders = round?.orders(for: leases.shards(of: worker)) ?? []
        return sendLease(to: worker, recomputing: recomputing) + orders.map { .evaluate(worker, $0) }
    }

    mutating func sendLease(to worker: WorkerID, recomputing: ShardSet = ShardSet()) -> [Effect] {
        guard members[worker] != nil else { return [] }
        members[worker]?.leaseSequence += 1
        let shards = leases.shards(of: worker)
        let again = shards.filter { recomputing.contains($0) }
        let lease = Lease(
            sequence: members[worker]?.leaseSequence ?? 0, shards: shards, step: wireStep, until: leaseEnd,
            recompute: again.isEmpty ? nil : again, fetch: moves[worker]?.shards, audits: audits[worker])
        return [.lease(worker, lease)] + (shards.isEmpty ? [.unsubscribe(worker)] : [])
    }

    /// How many rounds there are to a barrier is the search's to say; none is opened at one.
    private var leaseEnd: UInt64 {
        guard plan.countsRounds else { return horizon }
        return version == horizon ? wireStep : .max
    }

    /// Everybody's lease with a new horizon, moved where that is due.
    mutating func releaseSteps(now: Duration) -> [Effect] {
        clock.restart(at: now)
        var effects = moveLeases(now: now)
        var told = Set<WorkerID>()
        for case .lease(let worker, _) in effects { told.insert(worker) }
        for worker in leases.workers where !told.contains(worker) { effects += sendLease(to: worker) }
        return effects
    }

    mutating func leaseTaken(by worker: WorkerID, sequence: UInt64, now: Duration) -> [Effect] {
        guard var member = members[worker] else { return [] }
        member.lastHeard = now
        member.leaseTaken = max(member.leaseTaken, min(sequence, member.leaseSequence))
        defer { members[worker] = member }
        guard member.standing.isSuspect, member.leaseTaken == member.leaseSequence else { return [] }
        let rest = CoordinatorLimits.rest(afterLapses: member.lapses)
        guard rest > .zero, leases.shards(of: worker).isEmpty else {
            member.standing = .good
            wantsRebalance = true
            return [Notice.info("\(member.label) answers again")]
        }
        member.standing = .resting(until: now + rest)
        return [Notice.info("\(member.label) answers again; it was late \(member.lapses) times and rests for \(Wording.seconds(rest))")]
    }

    mutating func endRests(now: Duration) {
        for (worker, member) in members {
            guard case .resting(let until) = member.standing, now >= until else { continue }
            members[worker]?.standing = .good
            wantsRebalance = true
        }
    }
}
