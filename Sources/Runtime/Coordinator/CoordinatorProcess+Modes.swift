internal import Checkpoints
internal import Exactness
internal import Foundation
internal import ParameterServer
internal import RunConfiguration
internal import Training

/// The inexact modes: what is said of them, and the log that they leave.
extension PreparedRun {
    /// That a run is inexact, in a line of what was understood; nothing of an exact one.
    var modeLines: [String] {
        let mode = configuration.training.mode
        let text: String
        switch mode {
        case .exact: return []
        case .fast: text = "contributions are summed in their order of arrival"
        case .ssp(let staleness):
            text = "every worker's contribution is an update of its own, no shard more than \(staleness) steps ahead of the slowest"
        case .async: text = "every worker's contribution is an update of its own, nobody waits for others before a validation"
        }
        return ["mode      \(mode.keyword): inexact, the weights depend on who was how fast: \(text); `dnn-coord replay` repeats it"]
    }

    /// Whether the norms of the step that makes `version` are wanted: at barriers for their line of the history, and now and then – at
    /// powers of two – for the line of a run that ends before one.
    func wantsNorms(_ version: UInt64) -> Bool {
        plan.isBarrier(version) || version & (version - 1) == 0
    }

    /// The log that a start of the run goes on with; nil in exact mode.
    func orderLog(in folder: RunFolder, _ beginning: RunBeginning) throws -> OrderLog? {
        let mode = configuration.training.mode
        guard mode != .exact else { return nil }
        return try OrderLog(
            folder: folder.path, mode: mode, start: beginning.start.incarnation,
            at: beginning.former?.coordinator.stale?.updates ?? beginning.version,
            chunkBytes: description.chunkByteCount)
    }
}

extension RunFolder {
    /// Makes the lines of the history and of the log survive a power cut; to be called from any thread.
    func historySync(with log: OrderLog?) -> @Sendable () -> Void {
        guard let log = log?.sync else { return historySync }
        let history = historySync
        return {
            log()
            history()
        }
    }
}

extension CoordinatorProcess {
    /// Notes in the log what the complete version has reached, before a checkpoint of it is written.
    func markOrderLog() {
        orderLog?.mark(staleServer?.updates ?? server.version)
    }
}
