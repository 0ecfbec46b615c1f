internal import Checkpoints
internal import Exactness
internal import ParameterServer
internal import Training
internal import Wire

/// Audits: reports in, and what becomes of checkpoints when two workers do not agree.
extension CoordinatorProcess {
    func takeAudit(_ header: DataHeader, from worker: WorkerID, body: UnsafeRawBufferPointer) throws(WireError) {
        let node = TreeNode(number: header.node)
        guard run.plan.tree.contains(node) else { throw .malformed("an audit of node \(header.node)") }
        let checksums = try ChunkChecksums.decode(body, chunkCount: server.chunks.count)
        guard auditFraction > 0 else { return drop() }
        dispatch(
            .audited(
                worker, AuditReport(step: header.step, node: node, loss: header.loss, checksums: checksums),
                uncovered: server.uncoveredShards))
    }

    /// What was written after a step that is in doubt stays on disk, under a name that no resumed run takes for a checkpoint.
    func setAsideCheckpoints(after step: UInt64) {
        writer.finishWriting()
        do {
            for name in try CheckpointStore<ProgressState>.setAside(after: Int(clamping: step), in: folder.checkpoints) {
                reporter.warning("the checkpoint of an audited step that is in doubt is set aside as \(folder.checkpoints)/\(name)")
            }
        } catch {
            reporter.warning("checkpoints after step \(step) can't be set aside and must not be resumed from: \(error)")
        }
    }

    /// What there is to say of audits before the run begins.
    var auditWarning: String? {
        guard auditFraction > 0 else { return nil }
        let isAlone = localWorkerCount == 1 && lanes.allSatisfy(\.isLocal)
        guard isAlone || run.plan.tree.shardCount == 1 else { return nil }
        return "--audit: a single worker computes every leaf"
            + (isAlone ? "" : " (training.virtual_shards is 1)") + "; there is nobody to audit with"
    }
}
