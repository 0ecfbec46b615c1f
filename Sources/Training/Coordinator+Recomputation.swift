internal import Exactness
internal import Wire

/// Gradients that are not finite: computed again, elsewhere if somebody else is there, before they are believed.
extension Coordinator {
    /// Has `shards` of the open step computed again.
    mutating func recompute(_ shards: ShardSet, step: UInt64, place: String, now: Duration) -> [Effect] {
        guard phase == .training, step == version else { return [] }
        let holders = Set(shards.elements.compactMap { leases.holder(of: $0) })
        let others = takers(without: holders)
        var effects = [
            Notice.warning(
                "step \(step): the gradient of \(place) from \(origin(of: shards)) is not finite; it is computed again"
                    + (others.isEmpty ? "" : " elsewhere"))
        ]
        var changed = holders
        if !others.isEmpty {
            for worker in holders { leases.release(worker) }
            changed.formUnion(leases.assignOrphans(to: others))
            events.leasesReissued += 1
            forgetMoves()
        }
        clock.disturb()
        for worker in changed.sorted() { effects += issueLease(to: worker, recomputing: shards, now: now) }
        return effects
    }

    /// It is confirmed, or cannot be tried again.
    ///
    /// - Parameter shards: whose contributions are not finite by themselves; none where only their sum is not.
    mutating func notFinite(step: UInt64, place: String, shards: ShardSet) -> [Effect] {
        let source = shards.isEmpty ? "" : " in what \(origin(of: shards)) gave, twice"
        return end(
            .failed(
                error: "step \(step): the gradient of \(place) is not finite (NaN or infinity)\(source); "
                    + "a smaller optimizer.rule learning_rate, training.non_finite or preprocessing of the data may help"))
    }

    /// "a (shards 0–1), b (shard 2)".
    private func origin(of shards: ShardSet) -> String {
        let byHolder = Dictionary(grouping: shards.elements) { leases.holder(of: $0) }
        let parts = byHolder.sorted { ($0.key ?? 0) < ($1.key ?? 0) }.map { holder, shards in
            "\(holder.map(name(of:)) ?? "somebody who has gone") (\(Wording.shards(shards)))"
        }
        return Wording.abridged(parts)
    }
}
