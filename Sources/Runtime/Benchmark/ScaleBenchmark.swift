internal import Foundation
internal import OperatingSystem
internal import Synchronization

/// The real coordinator and server against many simulated workers: how many steps they keep up with.
public struct ScaleBenchmark: Sendable {
    public var workers: Int
    public var parameters: Int
    /// nil: the least power of two that is not less than the workers.
    public var virtualShards: Int?
    public var steps: Int
    /// Over the loopback address; else over ipc.
    public var usesTCP: Bool
    /// As `idle` workers of other benchmarks: this program with a subcommand that runs `SimulatedWorkers`.
    public var program: WorkerProgram

    public init(workers: Int, parameters: Int, virtualShards: Int?, steps: Int, usesTCP: Bool, program: WorkerProgram) {
        self.workers = workers
        self.parameters = parameters
        self.virtualShards = virtualShards
        self.steps = steps
        self.usesTCP = usesTCP
        self.program = program
    }

    public struct Measurement: Encodable, Sendable {
        public var workers: Int
        public var virtualShards: Int
        public var parameters: Int
        public var timing: Timing
        public var stepsPerSecond: Double
        /// From the start of the coordinator to the first lease.
        public var joinSeconds: Double
        /// Of the coordinator's process, all its threads.
        public var coordinatorCPUMsPerStep: Double
        /// The largest resident memory of the coordinator's process, the data set included.
        public var coordinatorPeakMegabytes: Double
        /// Gradients that can be in flight at most: V × window × chunk.
        public var inFlightBoundMegabytes: Double

        private enum CodingKeys: String, CodingKey {
            case workers, parameters, timing
            case virtualShards = "virtual_shards"
            case stepsPerSecond = "steps_per_second"
            case joinSeconds = "join_seconds"
            case coordinatorCPUMsPerStep = "coordinator_cpu_ms_per_step"
            case coordinatorPeakMegabytes = "coordinator_peak_megabytes"
            case inFlightBoundMegabytes = "in_flight_bound_megabytes"
        }
    }

    public struct TooFewDescriptors: Error, CustomStringConvertible {
        public var needed: Int
        public var allowed: Int

        public var description: String {
            "\(needed) open files are needed, \(allowed) are allowed: raise the hard limit (ulimit -Hn, or LimitNOFILE= in systemd)"
        }
    }

    private static let columns = 1_000
    private static let stepsPerEpoch = 20

    private var shards: Int {
        if let virtualShards { return virtualShards }
        var shards = 1
        while shards < workers { shards *= 2 }
        return shards
    }

    /// nil if the run failed, which has then been said on standard error.
    public func run() throws -> Measurement? {
        let allowed = try Machine.raiseDescriptorLimit(), needed = SimulatedWorkers.descriptors(workers: workers)
        guard allowed >= needed else { throw TooFewDescriptors(needed: needed, allowed: allowed) }
        let folder = try TemporaryFolder(prefix: "dnn-scale-")
        try RandomImages(rows: shards * Self.stepsPerEpoch, shape: [Self.columns]).write(to: folder)
        try Data(runFile.utf8).write(to: URL(fileURLWithPath: folder.appending("run.yaml")))
        let endpoint =
            usesTCP ? "tcp://127.0.0.1:\(UInt16.random(in: 10_000..<30_000) & ~1)" : "ipc://" + folder.appending("control")
        let simulation = try ChildProcess.spawn(
            executable: program.executable,
            arguments: program.arguments + [
                "--connect", endpoint, "--workers", "\(workers)", "--parent", "\(Machine.processIdentifier)",
            ])
        defer {
            _ = simulation.kill(.kill)
            _ = try? simulation.waitForExit()
        }
        let warmUp = max(5, steps / 5), wanted = steps + warmUp + 1
        let figures = Mutex<(times: [Duration], clocks: [Int])>(([], []))
        let command = TrainCommand(
            runFile: folder.appending("run.yaml"), overrides: [], output: folder.appending("run"),
            options: CoordinatorOptions(workers: 0, bind: endpoint, isQuiet: true), printsJSON: false)
        let code = command.run { _, now in
            let count = figures.withLock { figures in
                figures.times.append(now)
                figures.clocks.append(clock())
                return figures.times.count
            }
            // The end is asked for as by a person; what the run leaves behind is thrown away.
            if count == wanted { _ = Foundation.kill(Machine.processIdentifier, SIGTERM) }
        }
        let (times, clocks) = figures.withLock { $0 }
        guard code == 128 + SIGTERM, times.count >= wanted, let timing = Timing(between: Array(times[..<wanted]), warmUp: warmUp) else {
            return nil
        }
        let chunk = min(4 * parameters, 1 << 20), chunks = (4 * parameters + (1 << 20) - 1) >> 20
        return Measurement(
            workers: workers, virtualShards: shards, parameters: parameters, timing: timing,
            stepsPerSecond: Double(wanted - 1 - warmUp) / (times[wanted - 1] - times[warmUp]).seconds, joinSeconds: times[0].seconds,
            coordinatorCPUMsPerStep: Double(clocks[wanted - 1] - clocks[warmUp]) / Double(CLOCKS_PER_SEC) * 1_000
                / Double(wanted - 1 - warmUp),
            coordinatorPeakMegabytes: Double(Machine.peakMemory ?? 0) / 1e6,
            inFlightBoundMegabytes: Double(shards * min(chunks, 16) * chunk) / 1e6)
    }

    private var runFile: String {
        """
        name: scale
        data:
          train: {idx: {features: features.idx, labels: labels.idx}}
          validation: none
        model:
          layers: [flatten, {dense: {units: \(max(10, parameters / Self.columns)), bias: false, initializer: {constant: 0}}}]
          loss: softmax_cross_entropy
        optimizer:
          rule: {adam: {learning_rate: 1e-4}}
        training:
          batch_size: \(shards)
          epochs: 1000000
          validate_every: 1000000
          virtual_shards: \(shards)
          checkpoint: {every_seconds: 3600}
        cluster: {minimum_workers: \(workers), join_timeout_seconds: 300}
        """
    }
}
