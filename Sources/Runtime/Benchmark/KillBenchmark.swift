internal import Foundation
internal import OperatingSystem
internal import Synchronization

/// Kills or stops workers of a run at random moments and measures how long it is held up: the real programs, over ipc, or over tcp with keys.
///
/// A kill is over when the step after the one under way is finished: whatever the dead worker had given already, its lease has been
/// taken over by then. With several parameter servers it is one of them that is killed; that is over with the first step that is finished
/// from the last checkpoint on.
public struct KillBenchmark: Sendable {
    public var workload: Workload
    public var workers: Int
    public var kills: Int
    public var steps: Int
    /// Workers that the coordinator has not started: it hears of their end from their connection or their silence only.
    public var areRemote: Bool
    /// Victims are stopped, as if their host had fallen silent: no connection ends.
    public var areSilent: Bool
    /// Parameter servers; above 1 the victims are those that the coordinator has started, and not workers.
    public var servers: Int
    public var seed: UInt64

    public init(
        workload: Workload, workers: Int, kills: Int, steps: Int, areRemote: Bool, areSilent: Bool, servers: Int, seed: UInt64
    ) {
        self.workload = workload
        self.workers = workers
        self.servers = servers
        self.kills = kills
        self.steps = steps
        self.areRemote = areRemote
        self.areSilent = areSilent
        self.seed = seed
    }

    public struct Measurement: Encodable, Sendable {
        public var kills: Int
        public var medianSeconds: Double
        public var worstSeconds: Double
        public var isSameHash: Bool

        private enum CodingKeys: String, CodingKey {
            case kills
            case medianSeconds = "median_seconds"
            case worstSeconds = "worst_seconds"
            case isSameHash = "same_hash"
        }
    }

    /// Between two kills: a new worker is there again by then.
    private static let pause = Duration.milliseconds(1_500)

    /// With several servers: so that each finds a newer checkpoint than the one before, as more losses in a row without one end a run.
    private static let checkpointSeconds = 1

    /// nil if a run failed, which has then been said on standard error, or no worker was killed.
    public func run() throws -> Measurement? {
        let folder = try TemporaryFolder(prefix: "dnn-kills-")
        let benchmark = StepBenchmark(
            workload: workload, workers: workers, threads: 1, steps: steps, virtualShards: nil, chunkBytes: nil,
            settings: StepBenchmark.Settings(servers: servers))
        let epochs = max(1, steps / StepBenchmark.stepsPerEpoch)
        try benchmark.writeData(to: folder)
        try Data(benchmark.runFile(epochs: epochs).utf8).write(to: URL(fileURLWithPath: folder.appending("run.yaml")))
        guard let undisturbed = train(folder, "undisturbed", options: CoordinatorOptions(workers: workers, isQuiet: true)) else {
            return nil
        }

        let killer = Killer(
            kills: kills, pause: Self.pause, signal: areSilent ? .stop : .kill, victims: servers > 1 ? .servers : .workers, seed: seed)
        var options = CoordinatorOptions(workers: workers, isQuiet: true)
        if areRemote || areSilent {
            killer.arguments = try BenchmarkTransport.curve.prepare(in: folder, &options)
            for number in 1...workers { try killer.start(name: "remote-\(number)") }
        }
        defer { killer.end() }
        guard let disturbed = train(folder, "disturbed", options: options, observer: killer.stepCompleted) else { return nil }
        let times = killer.holdUps.map(\.seconds).sorted()
        guard let worst = times.last else { return nil }
        return Measurement(
            kills: times.count, medianSeconds: times[times.count / 2], worstSeconds: worst, isSameHash: undisturbed == disturbed)
    }

    private func train(
        _ folder: TemporaryFolder, _ name: String, options: CoordinatorOptions, observer: ((UInt64, Duration) -> Void)? = nil
    ) -> String? {
        let overrides = servers > 1 ? ["training.checkpoint.every_seconds=\(Self.checkpointSeconds)"] : []
        let command = TrainCommand(
            runFile: folder.appending("run.yaml"), overrides: overrides, output: folder.appending(name), options: options,
            printsJSON: false)
        guard command.run(stepObserver: observer) == TrainCommand.ExitCode.completed,
            let data = FileManager.default.contents(atPath: folder.appending("\(name)/result.json")),
            let result = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        else { return nil }
        return result["state_sha256"] as? String
    }
}

/// Kills from a thread of its own, which begins with the first step: every signal that the coordinator waits for is blocked by then.
private final class Killer: Sendable {
    private struct State {
        var left: Int
        var nextKill = Duration.zero
        var generator: Generator
        /// When a worker was killed, and the version that was complete by then.
        var killed: (at: Duration, version: UInt64)?
        var version: UInt64 = 0
        var holdUps: [Duration] = []
        var remote: [(process: ChildProcess, name: String)] = []
        /// Whether the run has gone back to a checkpoint since.
        var isBack = false
        /// Stopped, and to be killed when its lease has been taken over.
        var stopped: ChildProcess?
        var isStarted = false
        var isOver = false
    }

    /// SplitMix64.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    /// Programs as the system names them.
    enum Victims: String {
        case workers = "dnn-worker"
        case servers = "dnn-coord"
    }

    private let state: Mutex<State>
    private let victims: Victims
    private let pause: Duration
    private let signal: Signal
    private let workerArguments = Mutex<[String]>([])

    init(kills: Int, pause: Duration, signal: Signal, victims: Victims, seed: UInt64) {
        self.victims = victims
        state = Mutex(State(left: kills, generator: Generator(state: seed)))
        self.pause = pause
        self.signal = signal
    }

    /// How workers that the coordinator does not start find it.
    var arguments: [String] {
        get { workerArguments.withLock { $0 } }
        set { workerArguments.withLock { $0 = newValue } }
    }

    var holdUps: [Duration] { state.withLock { $0.holdUps } }

    func start(name: String) throws {
        let process = try ChildProcess.spawn(
            executable: try WorkerProgram.beside.executable, arguments: arguments + ["--name", name, "--patience", "20"],
            standardOutput: .discard, standardError: .discard)
        state.withLock { $0.remote.append((process, name)) }
    }

    func end() {
        let rest = state.withLock { state in
            state.isOver = true
            return state.remote.map(\.process) + [state.stopped].compactMap { $0 }
        }
        for process in rest {
            process.kill(.kill)
            _ = try? process.waitForExit()
        }
    }

    func stepCompleted(_ version: UInt64, _: Duration) {
        let now = Machine.monotonicTime
        let isFirst = state.withLock { state in
            // A start of the run tells the version that it begins with.
            let isStart = state.isStarted && version <= state.version
            let isOver =
                switch victims {
                case .workers: state.killed.map { version >= $0.version + 2 } ?? false
                case .servers: state.isBack && !isStart
                }
            state.isBack = state.killed != nil && (state.isBack || isStart)
            state.version = version
            if let killed = state.killed, isOver {
                state.isBack = false
                state.holdUps.append(now - killed.at)
                state.killed = nil
                state.nextKill = now + pause
            }
            defer { state.isStarted = true }
            if !state.isStarted { state.nextKill = now + pause }
            return !state.isStarted
        }
        if isFirst { _ = try? WorkerThread.start(name: "killer") { self.killUntilTheEnd() } }
    }

    private func killUntilTheEnd() {
        while state.withLock({ $0.left > 0 && !$0.isOver }) {
            let wait = state.withLock { Int.random(in: 1_000...20_000, using: &$0.generator) }
            usleep(UInt32(wait))
            killIfDue()
        }
    }

    private func killIfDue() {
        let isDue = state.withLock { $0.killed == nil && Machine.monotonicTime >= $0.nextKill && !$0.isOver }
        guard isDue else { return }
        if let stopped = state.withLock({ $0.stopped.take() }) {
            stopped.kill(.kill)
            _ = try? stopped.waitForExit()
        }
        if let victim = state.withLock({ state in
            state.remote.isEmpty ? nil : state.remote.remove(at: Int.random(in: state.remote.indices, using: &state.generator))
        }) {
            note { victim.process.kill(signal) }
            if signal == .stop {
                state.withLock { $0.stopped = victim.process }
            } else {
                _ = try? victim.process.waitForExit()
            }
            try? start(name: victim.name)
        } else if let victim = children.randomElement() {
            note { Foundation.kill(victim, SIGKILL) == 0 }
        }
    }

    private func note(_ kill: () -> Bool) {
        state.withLock { state in
            guard kill() else { return }
            state.killed = (Machine.monotonicTime, state.version)
            state.left -= 1
        }
    }

    /// The possible victims that this process has started as a coordinator.
    private var children: [Int32] {
        let own = "PPid:\t\(Machine.processIdentifier)\n"
        return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }.filter {
            let status = (try? String(contentsOfFile: "/proc/\($0)/status", encoding: .utf8)) ?? ""
            return status.hasPrefix("Name:\t\(victims.rawValue)\n") && status.contains(own)
        }
    }
}
