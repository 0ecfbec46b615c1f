internal import Foundation
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import Scaling
internal import Synchronization

/// Measures on this machine what the steps of a run are made of, in a few seconds: its own net, its own rule, real sockets.
enum Calibration {
    /// Seconds that one figure may take.
    private static let patience = 0.4
    private static let mostCores = 16

    /// - Parameter isNetwork: payload travels in messages over TCP.
    static func costs(of run: PreparedRun, isNetwork: Bool) throws -> Costs {
        let leaves = try leafTimes(run)
        let update = try updateTimes(run)
        let messages = try MessageProbe(isNetwork: isNetwork, footprint: 2 * 4 * run.network.layout.blockLength)
        let step = try StepProbe(isNetwork: isNetwork)
        return Costs(
            leavesFixed: leaves.fixed, perLeaf: leaves.each, crowding: try crowding(run), updatePerElement: update.fixed,
            updatePerElementAndSum: update.each, perMessage: messages.perMessage, perByte: messages.perByte, wakeUp: messages.wakeUp,
            perWakeUp: messages.perWakeUp, perStepOfWorker: step.perStepOfWorker, perStepOfServer: step.perStepOfServer)
    }

    /// The median of what `body` gives in milliseconds, in seconds.
    private static func median(_ body: () throws -> Double) rethrows -> Double {
        let first = try body() / 1_000
        let count = max(5, min(500, Int(patience / max(first, 1e-6))))
        return Timing(try (0..<count).map { _ in try body() }).medianMs / 1_000
    }

    /// Of a step whose weights have just been written, by another core if there is one.
    static func leafTimes(_ run: PreparedRun) throws -> (fixed: Double, each: Double) {
        func time(_ leaves: Int) throws -> Double {
            var workload = try LeafWorkload(run, leaves: leaves, threads: 1)
            let writer = Elsewhere(workload)
            return try median {
                try writer.perform { $0.renewWeights() }
                return workload.milliseconds()
            }
        }
        let one = try time(1)
        guard run.description.shardCount > 1 else { return (0, one) }
        let many = min(4, run.description.shardCount)
        let each = min(one, max(0, (try time(many) - one) / Double(many - 1)))
        return (one - each, each)
    }

    /// How much longer a leaf takes while every core computes one.
    private static func crowding(_ run: PreparedRun) throws -> Double {
        let cores = min(Machine.coreCount, mostCores)
        guard cores > 1 else { return 1 }
        var alone = try LeafWorkload(run, leaves: 1, threads: 1)
        let before = median { alone.milliseconds() }
        let isOver = Atomic<Bool>(false)
        let others = try (1..<cores).map { _ in
            let workload = Disturbance(try LeafWorkload(run, leaves: 1, threads: 1))
            return try WorkerThread.start(name: "calibration") {
                ComputeThread.configure()
                while !isOver.load(ordering: .relaxed) { workload.compute() }
            }
        }
        let crowded = median { alone.milliseconds() }
        isOver.store(true, ordering: .relaxed)
        for thread in others { thread.join() }
        return max(1, crowded / before)
    }

    /// Of one element: whatever the number of sums, and for each of them. The gradients have just been written, by another core if there is
    /// one, and this one has computed.
    static func updateTimes(_ run: PreparedRun) throws -> (fixed: Double, each: Double) {
        func time(_ sums: Int) throws -> Double {
            let workload = try ServerWorkload(
                layout: run.network.layout, updater: run.updater, sums: sums, chunkByteCount: run.description.chunkByteCount, threads: 0)
            let writer = Elsewhere(workload)
            var leaf = try LeafWorkload(run, leaves: 1, threads: 1)
            return try median {
                try writer.perform { $0.renewGradients() }
                _ = leaf.milliseconds()
                return try Timing.milliseconds { try workload.step() }
            } / Double(max(1, run.network.layout.count))
        }
        let one = try time(1), four = try time(4)
        let each = max(0, (four - one) / 3)
        return (max(0, one - each), each)
    }
}

/// Computes on a thread of its own.
private final class Disturbance: @unchecked Sendable {  // used by one thread alone
    private var workload: LeafWorkload

    init(_ workload: LeafWorkload) {
        self.workload = workload
    }

    func compute() { _ = workload.milliseconds() }
}

/// Has something done by another thread than the one that measures.
private final class Elsewhere<Subject>: @unchecked Sendable {  // the caller waits meanwhile
    private let subject: Subject

    init(_ subject: Subject) {
        self.subject = subject
    }

    func perform(_ body: @escaping @Sendable (Subject) -> Void) throws {
        try WorkerThread.start(name: "calibration") { [self] in body(subject) }.join()
    }
}

extension ClusterModel {
    init(_ run: PreparedRun, workers: Int, threads: Int, servers: Int, halvesWire: Bool, placement: Placement) {
        self.init(
            workers: workers, threadsPerWorker: threads, servers: servers, virtualShards: run.description.shardCount,
            parameters: run.network.layout.blockLength, chunkLength: run.description.chunkByteCount / 4,
            bytesPerElement: halvesWire ? 2 : 4, coresPerHost: Machine.coreCount, placement: placement)
        layers = Self.layers(of: run.network)
    }

    /// Layers with a matrix or filters; what stands behind one counts as its.
    private static func layers(of network: NeuralNet.Network) -> [Layer] {
        let layout = network.layout, operations = network.layerOperations
        var starts: [Int] = [], last: Int?
        for entry in layout.entries where entry.shape.count > 1 && entry.layer != last {
            starts.append(starts.isEmpty ? 0 : entry.range.lowerBound)
            last = entry.layer
        }
        // Layers of another kind, such as tables: nobody knows what is whose.
        guard starts.count == operations.count else { return [] }
        return zip(zip(starts, starts.dropFirst() + [layout.blockLength]), operations).map { bounds, work in
            Layer(parameters: bounds.1 - bounds.0, forward: Double(work.forward), backward: Double(work.backward))
        }
    }
}
