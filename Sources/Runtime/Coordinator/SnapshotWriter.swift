internal import Checkpoints
internal import Dispatch
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import Optimization
internal import RunConfiguration
internal import Synchronization
internal import Training

/// The coordinator's own part of a checkpoint.
struct ProgressState: Codable, Sendable {
    var step: UInt64
    var stopping: EarlyStoppingState
    var plateau: PlateauState
    /// Of a closure rule: the numbers that go with its slots.
    var search: ClosureScalars?
    var bitRelevantKeys: [BitRelevantKey]
}

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
    private struct Shared {
        var waiting: StateCopy?
        var isBusy = false
        var isClosed = false
        var warnings: [String] = []
    }

    private let shared = Mutex(Shared())
    private let work = DispatchSemaphore(value: 0)
    private let idle = DispatchSemaphore(value: 0)
    private let thread: Mutex<WorkerThread?> = Mutex(nil)
    private let layout: ParameterLayout
    private let slotNames: [String]
    private let identity: @Sendable (String) -> RunIdentity
    private let configuration: String
    private let metadata: [String: String]
    /// Signalled when something is to be said.
    let event: EventDescriptor

    init(
        folder: String, keep: Int, layout: ParameterLayout, slotNames: [String], identity: @escaping @Sendable (String) -> RunIdentity,
        configuration: String, metadata: [String: String]
    ) throws {
        self.layout = layout
        self.slotNames = slotNames
        self.identity = identity
        self.configuration = configuration
        self.metadata = metadata
        event = try EventDescriptor()
        let store = try CheckpointStore<ProgressState>(folder: folder, keep: keep)
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
        let best = copy.best.map {
            Snapshot<ProgressState>.Best(step: Int($0.step), value: $0.value, weights: layout.tensors(of: $0.weights))
        }
        let slots = zip(slotNames, copy.slots).flatMap { name, block in layout.tensors(of: block, suffix: "." + name) }
        do {
            let commit = try store.commit(
                Snapshot(
                    step: Int(copy.step), epoch: copy.epoch, identity: identity(copy.leafClass), incarnation: 1,
                    configuration: configuration, coordinator: copy.progress, weights: layout.tensors(of: copy.weights), slots: slots,
                    best: best, metadata: metadata))
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

extension ParameterLayout {
    /// The entries of a block as tensors with the parameters' names.
    func tensors(of block: FloatBlock, suffix: String = "") -> [NamedTensor] {
        entries.map { NamedTensor(name: $0.name + suffix, shape: $0.shape, bytes: block.view[$0.range].bytes) }
    }
}
