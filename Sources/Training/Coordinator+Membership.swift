internal import Exactness
internal import Wire

/// Who comes and who goes.
extension Coordinator {
    enum Departure {
        case polite, lost
        /// Its process is there again, or another in its place.
        case replaced
    }

    mutating func greeted(_ worker: WorkerID, _ hello: Hello, localSlot: Int?, now: Duration) -> [Effect] {
        if let refusal = refusal(of: hello) {
            let name = "\(Wording.quoted(hello.name))@\(Wording.quoted(hello.host))"
            return [.refuse(worker, refusal), Notice.warning("worker \(name) refused: \(refusal)")]
                + localWorkerRefused(slot: localSlot, refusal)
        }
        // A worker has come again: the process itself, whose former connection may not have been seen to end, or another that was started
        // in its place.
        let formers = members.filter { _, member in
            member.instance == hello.instance || localSlot != nil && member.localSlot == localSlot
                || !member.isConnected && member.name == hello.name
        }
        let effects = departed(formers.keys.sorted().map { ($0, "it said hello again") }, kind: .replaced, now: now)
        let isNamesake = members.values.contains { $0.name == hello.name }
        let name = Wording.quoted(hello.name)
        members[worker] = Member(
            name: hello.name, instance: hello.instance, label: isNamesake ? "\(name)#\(worker)" : name, localSlot: localSlot,
            greetedAt: now, lastHeard: now)
        return effects + [.welcome(worker)]
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
                subject: "leaf class", theirs: Wording.quoted(leafClass), ours: expected,
                advice: "its kernels give other bits; set cluster.instruction_set to what all workers have (avx2), "
                    + "and use the same oneDNN version everywhere")
            return [.refuse(worker, refusal), Notice.warning("\(member.label) refused: \(refusal)")]
                + localWorkerRefused(slot: member.localSlot, refusal)
        }
        rules.leafClass = leafClass
        member.state = .admitted
        member.lastHeard = now
        members[worker] = member
        events.workersSeen += 1
        if let slot = member.localSlot, localSlots.indices.contains(slot) { localSlots[slot].joinedAt = wireStep }
        let count = members.values.count { $0.state == .admitted && $0.isConnected }
        var effects = [Notice.info("\(member.label) joined, \(count) there")]
        if count > plan.tree.shardCount, !hasWarnedOfSpareWorkers {
            hasWarnedOfSpareWorkers = true
            effects.append(
                Notice.warning(
                    "\(count) workers are there, but training.virtual_shards is \(plan.tree.shardCount): "
                        + "only so many can share a step, the others stand by"))
        }
        let wasAlone = aloneSince != nil
        aloneSince = nil
        switch phase {
        case .gathering:
            if count >= limits.minimumWorkers { effects += begin(now: now) }
        case .training, .evaluating:
            // The time without workers belongs to no step.
            if wasAlone { clock.restart(at: now) }
            effects += reissueOrphans(now: now)
            // At once: the sooner it has its rows, the sooner it takes part.
            effects += planMoves(now: now)
        case .finished: break
        }
        return effects
    }

    mutating func heard(from worker: WorkerID, leafTime: Duration?, now: Duration) -> [Effect] {
        members[worker]?.lastHeard = now
        if let leafTime { members[worker]?.measured(leafTime) }
        return []
    }

    /// The lease of a worker whose connection has ended goes to others in mid-step, long before it counts as silent.
    mutating func disconnected(_ worker: WorkerID, now: Duration) -> [Effect] {
        guard let member = members[worker], member.isConnected else { return [] }
        members[worker]?.isConnected = false
        guard member.state == .admitted else { return [] }
        leases.release(worker)
        forgetMoves()
        var effects = [Notice.warning("the connection of \(member.label) has ended")]
        if phase != .gathering { effects += reissueOrphans(now: now) }
        return effects
    }

    /// Takes workers off the list, and gives what they held to those who stay.
    mutating func departed(_ leavers: [(worker: WorkerID, reason: String)], kind: Departure, now: Duration) -> [Effect] {
        var effects: [Effect] = []
        var anyAdmitted = false
        for (worker, reason) in leavers {
            guard let member = members.removeValue(forKey: worker) else { continue }
            let isAdmitted = member.state == .admitted
            anyAdmitted = anyAdmitted || isAdmitted
            leases.release(worker)
            if isAdmitted { forgetMoves() }
            switch kind {
            case .polite:
                effects.append(.release(worker))
                effects.append(Notice.info("\(member.label) left: \(reason)"))
            case .lost, .replaced:
                effects.append(.cut(worker, reason: reason))
                if isAdmitted { events.workersLost += 1 }
                // Whoever says hello twice before it has joined is not missed.
                if isAdmitted || kind == .lost { effects.append(Notice.warning("\(member.label) is lost: \(reason)")) }
            }
        }
        guard anyAdmitted else { return effects }
        if admittedWorkers == 0 {
            aloneSince = now
            if phase != .gathering { effects.append(Notice.warning(aloneText)) }
        } else if phase != .gathering {
            effects += reissueOrphans(now: now)
        }
        return effects
    }

    private var aloneText: String {
        let text = "all workers are gone at step \(version); waiting up to \(Wording.seconds(limits.idleTimeout)) for another"
        return limits.invitation.isEmpty ? text : "\(text): \(limits.invitation)"
    }

    mutating func dropSilentMembers(now: Duration) -> [Effect] {
        var silent: [(worker: WorkerID, reason: String)] = []
        for (worker, member) in members {
            if now - member.lastHeard >= limits.silence {
                silent.append((worker, "no heartbeat for \(Wording.seconds(now - member.lastHeard))"))
            } else if member.state == .greeted, now - member.greetedAt >= limits.readyTimeout {
                silent.append((worker, "not ready \(Wording.seconds(limits.readyTimeout)) after its welcome"))
            }
        }
        return departed(silent.sorted { $0.worker < $1.worker }, kind: .lost, now: now)
    }
}
