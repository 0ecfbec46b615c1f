internal import Exactness
internal import Wire

/// Leaves computed twice, by different workers: the bits must be the same (K1), whoever computes.
extension Coordinator {
    /// Whose shards everybody computes again in an audited step: those of the holder before it, in a ring.
    private var auditRing: [WorkerID: [UInt32]] {
        let holders = leases.workers
        guard limits.auditFraction > 0, holders.count > 1 else { return [:] }
        var ring: [WorkerID: [UInt32]] = [:]
        for (index, holder) in holders.enumerated() {
            let auditor = holders[(index + 1) % holders.count]
            ring[auditor] = plan.tree.maximalSubtrees(of: ShardSet(leases.shards(of: holder))).map(\.number)
        }
        return ring
    }

    /// Brings the leases among `effects` up to date with who audits whom now, and adds those of workers whose task is another.
    mutating func withAudits(_ effects: [Effect]) -> [Effect] {
        guard limits.auditFraction > 0, !effects.isEmpty, phase != .finished else { return effects }
        let ring = auditRing
        let changed = Set(ring.keys).union(audits.keys).filter { ring[$0] != audits[$0] && members[$0] != nil }
        audits = ring
        guard !changed.isEmpty else { return effects }
        var effects = effects
        for worker in changed.sorted() {
            let told = effects.lastIndex { if case .lease(worker, _) = $0 { true } else { false } }
            if let told, case .lease(_, var lease) = effects[told] {
                lease.audits = ring[worker]
                effects[told] = .lease(worker, lease)
            } else {
                effects += sendLease(to: worker)
            }
        }
        return effects
    }

    /// Compares a report with the one that another worker has made of the same node.
    ///
    /// - Parameter uncovered: shards whose contribution to the open step is not there yet.
    mutating func audited(_ report: AuditReport, by worker: WorkerID, uncovered: ShardSet) -> [Effect] {
        guard isUsable(report, of: worker, uncovered: uncovered) else { return [] }
        switch auditBook.take(report, from: worker, name: name(of: worker)) {
        case .noted: return []
        case .same:
            let shards = plan.tree.shards(of: report.node)
            events.leavesAudited += plan.passes == nil ? shards.count { plan.train.isPresent(shard: $0, step: report.step) } : shards.count
            return []
        case .different(let chunk, let other):
            return [.distrust(after: report.step)]
                + finish(
                    .failed(error: differenceText(report, chunk: chunk, workers: "\(other) and \(name(of: worker))")), figures: [:],
                    restoresBest: false)
        }
    }

    /// Whether it stands for weights that nobody has written over while it was made: its sender holds a lease from before that step
    /// and has not given its part of the next one.
    private func isUsable(_ report: AuditReport, of worker: WorkerID, uncovered: ShardSet) -> Bool {
        guard phase == .training || phase == .evaluating, let member = members[worker], member.state == .admitted,
            member.leasedStep.map({ $0 <= report.step }) ?? false
        else { return false }
        let held = leases.shards(of: worker)
        let isOwn = ShardSet(held).containsAll(plan.tree.shards(of: report.node))
        guard isOwn || audits[worker]?.contains(report.node.number) == true else { return false }
        if report.step == wireStep { return true }
        return report.step + 1 == wireStep && held.contains(where: uncovered.contains)
    }

    private func differenceText(_ report: AuditReport, chunk: Int, workers: String) -> String {
        "audit: \(workers) have different bits for \(Wording.shards(Array(plan.tree.shards(of: report.node)))) of step \(report.step) "
            + "(first in chunk \(chunk)): one of them computes wrongly (memory, processor, another build). Checkpoints after that step are "
            + "removed; find out which it is, for instance by runs with each alone, then resume without it"
    }

    /// Says it once when somebody is alone for long.
    mutating func noteLackOfAuditors(now: Duration) -> [Effect] {
        guard limits.auditFraction > 0 else { return [] }
        guard leases.workers.count == 1 else {
            unauditedSince = nil
            return []
        }
        guard let since = unauditedSince else {
            unauditedSince = now
            return []
        }
        guard !hasWarnedOfAudit, now - since >= CoordinatorLimits.auditorWait else { return [] }
        hasWarnedOfAudit = true
        return [Notice.warning("--audit: \(name(of: leases.workers[0])) computes every leaf; there is nobody to audit with")]
    }
}
