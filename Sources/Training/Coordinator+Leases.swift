internal import Exactness
internal import Wire

/// Who computes what, and what happens to those who are late.
extension Coordinator {
    private var eligibleWorkers: [WorkerID] {
        members.filter { $0.value.state == .admitted && !$0.value.isSuspect }.map(\.key).sorted()
    }

    /// Deals the shards evenly, moving as few as possible, and tells everybody whose lease changes.
    mutating func rebalance(now: Duration) -> [Effect] {
        wantsRebalance = false
        let changed = leases.rebalance(among: eligibleWorkers)
        return changed.sorted().flatMap { issueLease(to: $0, now: now) }
    }

    /// Gives shards that nobody holds to whoever is there, in mid-step.
    mutating func reissueOrphans(now: Duration) -> [Effect] {
        let orphans = leases.orphans
        guard !orphans.isEmpty else { return [] }
        let workers = eligibleWorkers.isEmpty ? members.filter { $0.value.state == .admitted }.map(\.key).sorted() : eligibleWorkers
        let changed = leases.assignOrphans(to: workers)
        guard !changed.isEmpty else { return [] }
        events.leasesReissued += 1
        wantsRebalance = true
        let names = changed.sorted().map { name(of: $0) }.joined(separator: ", ")
        let list = orphans.map(String.init).joined(separator: ", ")
        return [Notice.info("shards \(list) go to \(names)")] + changed.sorted().flatMap { issueLease(to: $0, now: now) }
    }

    /// Sends a worker its lease as it stands, and its part of an evaluation that is under way.
    mutating func issueLease(to worker: WorkerID, now: Duration) -> [Effect] {
        guard var member = members[worker] else { return [] }
        member.leaseSequence += 1
        member.graceUntil = now + CoordinatorLimits.newLeaseGrace + (clock.median ?? .zero) * CoordinatorLimits.leaseFactor
        member.hasWarned = false
        members[worker] = member
        let shards = leases.shards(of: worker)
        var effects: [Effect] = [.lease(worker, Lease(sequence: member.leaseSequence, shards: shards, step: version, until: horizon))]
        if shards.isEmpty { effects.append(.unsubscribe(worker)) }
        if case .evaluating(let round) = phase {
            let due = shards.filter { round.pendingShards.contains($0) }
            if !due.isEmpty { effects.append(.evaluate(worker, round.order(for: due))) }
        }
        return effects
    }

    /// Everybody's lease with a new horizon, rebalanced where somebody has come or gone.
    mutating func releaseSteps(now: Duration) -> [Effect] {
        clock.restart(at: now)
        let changed = wantsRebalance ? leases.rebalance(among: eligibleWorkers) : []
        wantsRebalance = false
        return members.keys.sorted().flatMap { worker -> [Effect] in
            changed.contains(worker) || !leases.shards(of: worker).isEmpty ? issueLease(to: worker, now: now) : []
        }
    }

    mutating func leaseTaken(by worker: WorkerID, sequence: UInt64, now: Duration) -> [Effect] {
        guard var member = members[worker] else { return [] }
        member.lastHeard = now
        member.leaseTaken = max(member.leaseTaken, min(sequence, member.leaseSequence))
        if member.isSuspect, member.leaseTaken == member.leaseSequence {
            member.isSuspect = false
            wantsRebalance = true
            members[worker] = member
            return [Notice.info("\(member.label) answers again")] + reissueOrphans(now: now)
        }
        members[worker] = member
        return []
    }

    /// Moves the leases of those who are late to others: deadlines are the leases' own, a heartbeat does not excuse.
    mutating func overdue(shards: ShardSet, now: Duration) -> [Effect] {
        var effects: [Effect] = []
        let late = Set(shards.elements.compactMap { leases.holder(of: $0) }).sorted()
        for worker in late {
            guard var member = members[worker], let begin = clock.lastCompletion else { continue }
            let allowance = leaseAllowance
            let due = max(begin + allowance, member.graceUntil)
            guard now >= due else { continue }
            let others = eligibleWorkers.filter { $0 != worker }
            let wait = "\(member.label) is late with step \(version) (shards "
                + leases.shards(of: worker).map(String.init).joined(separator: ", ") + ")"
            if others.isEmpty {
                if now >= due + allowance * CoordinatorLimits.hopelessFactor {
                    effects += departed(worker, reason: "its lease is overdue and it is the only worker", kind: .lost, now: now)
                } else if !member.hasWarned {
                    member.hasWarned = true
                    members[worker] = member
                    effects.append(Notice.warning("\(wait); no other worker is there to take over"))
                }
                continue
            }
            member.isSuspect = true
            members[worker] = member
            leases.release(worker)
            effects.append(Notice.warning("\(wait); its lease is given to others"))
            effects += issueLease(to: worker, now: now)
            effects += reissueOrphans(now: now)
        }
        return effects
    }

    private var leaseAllowance: Duration {
        if case .evaluating(let round) = phase {
            let last = evaluationDurations[round.purpose] ?? .zero
            return max(CoordinatorLimits.evaluationMinimum, last * CoordinatorLimits.leaseFactor)
        }
        return max(CoordinatorLimits.leaseMinimum, (clock.median ?? .zero) * CoordinatorLimits.leaseFactor)
    }
}
