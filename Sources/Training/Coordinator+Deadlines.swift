internal import Exactness
internal import Wire

/// What happens to those who are late: deadlines are the leases' own, a heartbeat does not excuse.
extension Coordinator {
    /// Moves the leases of those who are late with one of `shards` to others.
    mutating func overdue(_ shards: ShardSet, now: Duration) -> [Effect] {
        let late = Set(shards.elements.compactMap { leases.holder(of: $0) }).filter { now >= due(of: $0) }.sorted()
        guard !late.isEmpty else { return [] }
        guard !takers(without: Set(late)).isEmpty else { return overdueAlone(late, now: now) }
        var effects: [Effect] = []
        for worker in late {
            effects.append(Notice.warning("\(lateness(of: worker)); its lease is given to others"))
            members[worker]?.standing = .suspect(since: now)
            members[worker]?.lapses += 1
            leases.release(worker)
            forgetMoves()
            effects += issueLease(to: worker, now: now)
        }
        effects += reissueOrphans(now: now)
        doublings += 1
        return effects
    }

    /// Nobody can take over: after a warning they get more time, then they are given up.
    private mutating func overdueAlone(_ late: [WorkerID], now: Duration) -> [Effect] {
        var effects: [Effect] = []
        var hopeless: [(worker: WorkerID, reason: String)] = []
        for worker in late {
            if now >= due(of: worker) + hopelessAllowance {
                hopeless.append((worker, "its lease is long overdue and nobody can take over"))
            } else if members[worker]?.warnedStep != wireStep {
                members[worker]?.warnedStep = wireStep
                effects.append(Notice.warning("\(lateness(of: worker)); no other worker is there to take over"))
            }
        }
        guard !hopeless.isEmpty else { return effects }
        doublings += 1
        return effects + departed(hopeless, kind: .lost, now: now)
    }

    /// A worker whose compute thread shows no life holds a core and memory for nothing.
    mutating func dropHopelessSuspects(now: Duration) -> [Effect] {
        var hopeless: [(worker: WorkerID, reason: String)] = []
        for (worker, member) in members {
            guard case .suspect(let since) = member.standing, leases.shards(of: worker).isEmpty, now >= since + hopelessAllowance else {
                continue
            }
            hopeless.append((worker, "its compute thread has not answered for \(Wording.seconds(now - since))"))
        }
        return departed(hopeless.sorted { $0.worker < $1.worker }, kind: .lost, now: now)
    }

    private func lateness(of worker: WorkerID) -> String {
        let task = round.map { $0.purpose == .final ? "the final figures" : "the validation at step \(version)" } ?? "step \(version)"
        return "\(name(of: worker)) is late with \(task) (\(Wording.shards(leases.shards(of: worker))))"
    }

    // MARK: Deadlines

    /// When `worker` is late with what is under way.
    private func due(of worker: WorkerID) -> Duration {
        guard let member = members[worker] else { return .zero }
        var due = clock.stepBegan + stepAllowance
        if let round {
            due = max(round.began, member.lastFigures, member.leasedAt) + evaluationAllowance(shardCount: leases.shards(of: worker).count)
        }
        guard member.leasedStep == wireStep else { return due }
        return max(due, member.leasedAt + CoordinatorLimits.newLeaseGrace + stepAllowance)
    }

    private var stepAllowance: Duration {
        lengthened(max(CoordinatorLimits.leaseMinimum, (clock.median ?? .zero) * CoordinatorLimits.leaseFactor))
    }

    /// A step trains on one block of each shard, so a median step per block and shard held is more than inference takes.
    private func evaluationAllowance(shardCount: Int) -> Duration {
        let blocks = round?.parts.map { plan.plan(of: $0).blockCount(ofShard: 0) }.max() ?? 0
        let expected = (clock.median ?? .zero) * blocks / max(shardCount, 1)
        return lengthened(max(CoordinatorLimits.evaluationMinimum, expected * CoordinatorLimits.leaseFactor))
    }

    private var hopelessAllowance: Duration {
        max(lengthened(CoordinatorLimits.hopelessMinimum), stepAllowance * CoordinatorLimits.hopelessFactor)
    }

    private func lengthened(_ allowance: Duration) -> Duration {
        allowance * (1 << min(doublings, CoordinatorLimits.mostDoublings))
    }
}
