internal import Checkpoints
internal import Dispatch
internal import Kernels
internal import OperatingSystem
internal import Synchronization

/// A copy of one complete version, taken between two steps and written while training goes on.
struct StateCopy: Sendable {
    var step: UInt64
    var epoch: Int
    var leafClass: String
    var progress: ProgressState
    var weights: FloatBlock
    var slots: [FloatBlock]
    var best: (step: UInt64, value: Double, weights: FloatBlock)?
}

/// Writes checkpoints on a thread of its own; a failure is a warning, the run goes on and the previous checkpoint stays.
final class SnapshotWriter: Sendable {
    /// What stands in every checkpoint of a start.
    struct Heading: Sendable {
        var identity: @Sendable (_ leafClass: String) -> RunIdentity
        var incarnation: Int
        /// The effective run file.
        var configuration: String
        var metadata: [String: String]
    }

    private struct Shared {
        var waiting: StateCopy?
        var isBusy = false
        var isClosed = false
        var isSuperseded = false
        var warnings: [String] = []
    }

    private let shared = Mutex(Shared())
    private let work = DispatchSemaphore(value: 0)
    private let idle = DispatchSemaphore(value: 0)
    private let thread: Mutex<WorkerThread?> = Mutex(nil)
    private let tensors: StateTensors
    private let heading: Heading
    private let isFolderLost: @Sendable () -> Bool
    private let syncHistory: @Sendable () -> Void
    /// Signalled when something is to be said.
    let event: EventDescriptor

    /// - Parameters:
    ///   - isFolderLost: whether a later start owns the folder: then nothing is written to it any more.
    ///   - syncHistory: makes the history durable that a checkpoint goes with.
    init(
        store: CheckpointStore<ProgressState>, tensors: StateTensors, heading: Heading, isFolderLost: @escaping @Sendable () -> Bool,
        syncHistory: @escaping @Sendable () -> Void
    ) throws {
        self.tensors = tensors
        self.heading = heading
        self.isFolderLost = isFolderLost
        self.syncHistory = syncHistory
        event = try EventDescriptor()
        let started = try WorkerThread.start(name: "checkpoints") { [self] in run(store) }
        thread.withLock { $0 = started }
    }

    /// Hands a copy over; false, and nothing is done, while the one before is still being written.
    func write(_ copy: StateCopy) -> Bool {
        let accepted = shared.withLock { shared in
            guard shared.waiting == nil, !shared.isBusy else { return false }
            shared.waiting = copy
            return true
        }
        if accepted { work.signal() }
        return accepted
    }

    /// What went wrong since the last call.
    func takeWarnings() -> [String] {
        event.drain()
        return shared.withLock { shared in
            defer { shared.warnings = [] }
            return shared.warnings
        }
    }

    /// Whether a checkpoint was not written since a later start owns the folder.
    var isSuperseded: Bool { shared.withLock { $0.isSuperseded } }

    /// Waits until everything handed over is on disk, and ends the thread.
    func close() {
        shared.withLock { $0.isClosed = true }
        work.signal()
        thread.withLock { $0 }?.join()
    }

    /// Waits until everything handed over is on disk.
    func finishWriting() {
        while shared.withLock({ $0.waiting != nil || $0.isBusy }) { idle.wait() }
    }

    private func run(_ store: CheckpointStore<ProgressState>) {
        var store = store
        while true {
            work.wait()
            let copy = shared.withLock { shared -> StateCopy? in
                defer { shared.waiting = nil }
                shared.isBusy = shared.waiting != nil
                return shared.waiting
            }
            if let copy { commit(copy, to: &store) }
            let isClosed = shared.withLock { shared in
                shared.isBusy = false
                return shared.isClosed && shared.waiting == nil
            }
            idle.signal()
            if isClosed { return }
        }
    }

    private func commit(_ copy: StateCopy, to store: inout CheckpointStore<ProgressState>) {
        guard !isFolderLost() else {
            shared.withLock { $0.isSuperseded = true }
            event.signal()
            return
        }
        syncHistory()
        let best = copy.best.map {
            Snapshot<ProgressState>.Best(step: Int($0.step), value: $0.value, weights: tensors.weights($0.weights))
        }
        do {
            let commit = try store.commit(
                Snapshot(
                    step: Int(copy.step), epoch: copy.epoch, identity: heading.identity(copy.leafClass),
                    incarnation: heading.incarnation, configuration: heading.configuration, coordinator: copy.progress,
                    weights: tensors.weights(copy.weights), slots: tensors.slots(copy.slots), best: best, metadata: heading.metadata))
            warn(commit.warnings.map { "checkpoint of step \(copy.step): \($0)" })
        } catch {
            warn(["checkpoint of step \(copy.step) failed, the one before is intact and training goes on: \(error)"])
        }
    }

    private func warn(_ texts: [String]) {
        guard !texts.isEmpty else { return }
        shared.withLock { $0.warnings += texts }
        event.signal()
    }
}
