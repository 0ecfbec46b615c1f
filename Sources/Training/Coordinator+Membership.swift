internal import Exactness
internal import Wire

/// A worker as the coordinator knows it.
struct Member: Sendable {
    enum State: Equatable, Sendable {
        /// Welcomed; builds its net and runs the probe.
        case greeted
        case admitted
    }

    var name: String
    var isLocal: Bool
    var label: String
    var state = State.greeted
    var greetedAt: Duration
    var lastHeard: Duration
    /// The sequence number of its newest lease, and of the newest that its compute thread has taken.
    var leaseSequence: UInt64 = 0
    var leaseTaken: UInt64 = 0
    /// Its first contribution to a new lease may take until then.
    var graceUntil = Duration.zero
    /// It lost a lease by being late and has not shown that its compute thread lives.
    var isSuspect = false
    var hasWarned = false
}

/// Who comes and who goes.
extension Coordinator {
    enum Departure { case polite, lost }

    mutating func greeted(_ worker: WorkerID, _ hello: Hello, isLocal: Bool, now: Duration) -> [Effect] {
        if let refusal = refusal(of: hello) {
            return [.refuse(worker, refusal), Notice.warning("worker \(hello.name)@\(hello.host) refused: \(refusal)")]
        }
        let isNamesake = members.values.contains { $0.name == hello.name }
        let label = isNamesake ? "\(hello.name)#\(worker)" : hello.name
        members[worker] = Member(name: hello.name, isLocal: isLocal, label: label, greetedAt: now, lastHeard: now)
        return [.welcome(worker)]
    }

    private func refusal(of hello: Hello) -> Refusal? {
        if hello.protocolVersion != WireProtocol.version {
            return Refusal(
                subject: "protocol version", theirs: "\(hello.protocolVersion)", ours: "\(WireProtocol.version)",
                advice: "run dnn-worker and dnn-coord of the same release")
        }
        if hello.numericsVersion != rules.numericsVersion {
            return Refusal(
                subject: "numerics version", theirs: "\(hello.numericsVersion)", ours: "\(rules.numericsVersion)",
                advice: "run dnn-worker and dnn-coord of the same release")
        }
        return nil
    }

    mutating func becameReady(_ worker: WorkerID, leafClass: String, now: Duration) -> [Effect] {
        guard var member = members[worker], member.state == .greeted else { return [] }
        if let expected = rules.leafClass, expected != leafClass {
            members[worker] = nil
            let refusal = Refusal(
                subject: "leaf class", theirs: leafClass, ours: expected,
                advice: "its kernels give other bits; set cluster.instruction_set to what all workers have (avx2), "
                    + "and use the same oneDNN version everywhere")
            return [.refuse(worker, refusal), Notice.warning("\(member.label) refused: \(refusal)")]
        }
        rules.leafClass = leafClass
        member.state = .admitted
        member.lastHeard = now
        members[worker] = member
        events.workersSeen += 1
        aloneSince = nil
        var effects = [Notice.info("\(member.label) joined, \(admittedWorkers) there")]
        if admittedWorkers > plan.tree.shardCount, !hasWarnedOfSpareWorkers {
            hasWarnedOfSpareWorkers = true
            effects.append(
                Notice.warning(
                    "\(admittedWorkers) workers are there, but training.virtual_shards is \(plan.tree.shardCount): "
                        + "only so many can share a step, the others stand by"))
        }
        switch phase {
        case .gathering:
            if admittedWorkers >= limits.minimumWorkers {
                phase = .training
                clock.restart(at: now)
                effects += rebalance(now: now)
            }
        case .training, .evaluating:
            wantsRebalance = true
            effects += reissueOrphans(now: now)
        case .finished: break
        }
        return effects
    }

    mutating func heard(from worker: WorkerID, now: Duration) -> [Effect] {
        members[worker]?.lastHeard = now
        return []
    }

    mutating func departed(_ worker: WorkerID, reason: String, kind: Departure, now: Duration) -> [Effect] {
        guard let member = members.removeValue(forKey: worker) else { return [] }
        guard member.state == .admitted else { return [.cut(worker, reason: reason)] }
        let held = leases.shards(of: worker).count
        leases.release(worker)
        var effects: [Effect] = [.cut(worker, reason: reason)]
        switch kind {
        case .polite:
            effects.append(Notice.info("\(member.label) left: \(reason)"))
        case .lost:
            events.workersLost += 1
            effects.append(Notice.warning("\(member.label) is lost: \(reason)"))
        }
        if admittedWorkers == 0 {
            aloneSince = now
            if phase != .gathering {
                let seconds = limits.idleTimeout.components.seconds
                effects.append(
                    Notice.warning(
                        "all workers are gone at step \(version); waiting up to \(seconds) s for another: \(limits.invitation)"))
            }
        } else if held > 0 {
            effects += reissueOrphans(now: now)
        }
        return effects
    }

    mutating func dropSilentMembers(now: Duration) -> [Effect] {
        var effects: [Effect] = []
        let bound = limits.heartbeat * CoordinatorLimits.missedHeartbeats
        for (worker, member) in members.sorted(by: { $0.key < $1.key }) {
            let silence = now - member.lastHeard
            if member.state == .admitted, silence >= bound {
                let text = "no heartbeat for \(silence.components.seconds) s"
                effects += departed(worker, reason: text, kind: .lost, now: now)
            } else if member.state == .greeted, now - member.greetedAt >= CoordinatorLimits.readyTimeout {
                let seconds = CoordinatorLimits.readyTimeout.components.seconds
                effects += departed(worker, reason: "not ready \(seconds) s after its welcome", kind: .lost, now: now)
            }
        }
        return effects
    }

    mutating func localWorkerExited(slot: Int, description: String, now: Duration) -> [Effect] {
        if restartsWithoutStep < CoordinatorLimits.restartsWithoutStep {
            restartsWithoutStep += 1
            return [
                Notice.warning("local worker \(slot + 1) \(description); it is started again"), .startLocalWorker(slot: slot),
            ]
        }
        deadLocalSlots.insert(slot)
        let text = "local worker \(slot + 1) \(description); not started again after \(restartsWithoutStep) restarts without a finished step"
        if deadLocalSlots.count == limits.localWorkers, !limits.acceptsRemoteWorkers {
            return [Notice.warning(text)]
                + end(
                    .failed(error: "the local workers died \(restartsWithoutStep + 1) times without finishing a step; see logs/worker-*.log"),
                    checkpoint: phase != .gathering)
        }
        return [Notice.warning(text)]
    }
}
