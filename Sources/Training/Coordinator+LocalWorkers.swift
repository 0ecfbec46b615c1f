internal import Wire

/// One of the coordinator's own workers, whichever process it is at the moment.
struct LocalSlot: Sendable {
    /// Restarts in a row without a step or round finished while its worker was there.
    var restarts = 0
    /// The step, or the round, at which its worker was admitted; nil before that.
    var joinedAt: UInt64?
    var isGivenUp = false
}

extension Coordinator {
    /// A local worker that has ended, for whatever reason, is started again; one that keeps dying is given up.
    mutating func localWorkerExited(slot: Int, description: String, now: Duration) -> [Effect] {
        guard localSlots.indices.contains(slot), !localSlots[slot].isGivenUp else { return [] }
        if let joined = localSlots[slot].joinedAt, wireStep > joined { localSlots[slot].restarts = 0 }
        localSlots[slot].joinedAt = nil
        let restarts = localSlots[slot].restarts
        guard restarts >= CoordinatorLimits.restartsWithoutStep else {
            localSlots[slot].restarts += 1
            return [Notice.warning("local worker \(slot + 1) \(description); it is started again"), .startLocalWorker(slot: slot)]
        }
        localSlots[slot].isGivenUp = true
        let warning = Notice.warning(
            "local worker \(slot + 1) \(description); not started again after \(restarts) restarts without a finished step")
        return [warning]
            + endIfHopeless("the local workers died \(restarts + 1) times in a row without finishing a step; see logs/worker-*.log")
    }

    /// A local worker that is refused would be refused again: it is not started anew.
    mutating func localWorkerRefused(slot: Int?, _ refusal: Refusal) -> [Effect] {
        guard let slot, localSlots.indices.contains(slot) else { return [] }
        localSlots[slot].isGivenUp = true
        return endIfHopeless("the workers of this host are refused: \(refusal)")
    }

    /// Ends the run if nobody is there and nobody can come.
    private mutating func endIfHopeless(_ error: String) -> [Effect] {
        guard localSlots.allSatisfy(\.isGivenUp), !limits.acceptsRemoteWorkers, admittedWorkers == 0 else { return [] }
        return end(.failed(error: error))
    }
}
