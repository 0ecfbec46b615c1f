import Foundation
import Hashing
import Synchronization
import Testing

@testable import Checkpoints

/// A coordinator's state as a run would keep it, with the numbers that JSON handles worst.
struct TestState: Codable, Sendable, Equatable {
    var seed: UInt64 = .max - 1
    var bestLoss = Double.infinity
    var rate = 0.1
    var cursor = [Int.max, 0, -1]
    var note = "“größe”/\n"
}

/// A run's state at a step: everything in it follows from the step.
struct TestRun: Equatable {
    var step: Int
    var bestStep: Int?

    static let identity = RunIdentity(
        runSHA256: SHA256.hash(of: [1]), dataSHA256: SHA256.hash(of: [2]), leafClass: "avx512", numericsVersion: 1)

    var weights: [TestTensor] { Self.weights(at: step) }
    var slots: [TestTensor] { [TestTensor(name: "layers.0.weight", shape: [2, 5], values: Self.values(100 + step))] }
    var state: TestState { TestState(rate: 1 / Double(step + 3)) }

    static func weights(at step: Int) -> [TestTensor] {
        [
            TestTensor(name: "layers.0.weight", shape: [2, 5], values: values(step)),
            TestTensor(name: "layers.0.bias", shape: [2], values: [Float(step), -1]),
        ]
    }

    private static func values(_ start: Int) -> [Float] {
        (0..<10).map { Float(start) + Float($0) / 8 }
    }

    func withSnapshot<R>(_ body: (Snapshot<TestState>) throws -> R) rethrows -> R {
        try withTensors(weights) { weights in
            try withTensors(slots) { slots in
                try withTensors(Self.weights(at: bestStep ?? 0)) { best in
                    try body(
                        Snapshot(
                            step: step, epoch: step / 100, identity: Self.identity, incarnation: 3, configuration: "name: test\n",
                            coordinator: state, weights: weights, slots: slots,
                            best: bestStep.map { .init(step: $0, value: 1 / Double($0), weights: best) }, metadata: ["model": "{}"]))
                }
            }
        }
    }
}

extension CheckpointStore<TestState> {
    @discardableResult
    mutating func commit(_ run: TestRun) throws -> Commit {
        try run.withSnapshot { try commit($0) }
    }
}

extension CheckpointSet<TestState> {
    /// What the set's files hold, checked against each other.
    func contents() throws -> TestRun {
        let run = TestRun(step: manifest.step, bestStep: manifest.best?.step)
        #expect(try weights().contents() == run.weights)
        #expect(try slots().contents() == run.slots)
        #expect(try best()?.contents() == run.bestStep.map(TestRun.weights(at:)))
        #expect(manifest.coordinator == run.state)
        #expect(manifest.epoch == run.step / 100)
        #expect(manifest.identity == TestRun.identity)
        #expect(manifest.incarnation == 3)
        #expect(manifest.configuration == "name: test\n")
        return run
    }
}

/// Counts a disk's calls, keeps their names, and lets one of them and what follows it fail.
final class FaultyDisk: Sendable {
    enum Fault {
        /// The call of this number fails, and all later ones: the process is gone.
        case crash(at: Int)
        /// Only the call of this number fails.
        case error(at: Int)
    }

    private let calls = Mutex<[String]>([])
    private let fault: Fault?

    init(_ fault: Fault? = nil) {
        self.fault = fault
    }

    /// Small pieces, so that a file takes several writes.
    var disk: Disk { Disk(pieceByteCount: 64, fault: { self.answer($0, $1) }) }

    /// “operation name” of every call so far.
    var log: [String] { calls.withLock { $0 } }

    private func answer(_ operation: Disk.Operation, _ path: String) -> Int32? {
        let number = calls.withLock { calls in
            calls.append("\(operation.rawValue) \(Path.name(of: path))")
            return calls.count - 1
        }
        return switch fault {
        case .crash(let at) where number >= at: EIO
        case .error(let at) where number == at: ENOSPC
        default: nil
        }
    }
}
