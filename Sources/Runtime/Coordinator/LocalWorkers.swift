internal import Foundation
internal import OperatingSystem

/// The worker processes that this coordinator has started on its own host.
final class LocalWorkers {
    private let program: WorkerProgram
    private let endpoint: String
    private let threads: Int
    private let logs: String
    private var processes: [Int: ChildProcess] = [:]
    /// nil: payload travels in messages.
    private let segments: SharedSegments?
    /// The folder of keys that they need for parameter servers of other hosts; nil where they need none.
    private let keys: String?
    private let cores: WorkerCores

    /// - Parameter program: nil: `dnn-worker` beside this program.
    init(
        endpoint: String, threads: Int, logs: String, segments: SharedSegments?, keys: String? = nil, cores: WorkerCores,
        program: WorkerProgram? = nil
    ) throws {
        self.program = try program ?? WorkerProgram.beside
        self.cores = cores
        self.endpoint = endpoint
        self.threads = threads
        self.logs = logs
        self.segments = segments
        self.keys = keys
    }

    var isEmpty: Bool { processes.isEmpty }

    func slot(ofProcess processID: Int32) -> Int? {
        processes.first { $0.value.pid == processID }?.key
    }

    /// A parent-death signal follows the spawning thread: to be called on the main thread.
    func start(slot: Int) throws {
        let shared = try segments?.prepare()
        let log = ChildProcess.Output.file("\(logs)/worker-\(slot + 1).log")
        let process = try ChildProcess.spawn(
            executable: program.executable,
            arguments: program.arguments + [
                "--connect", endpoint, "--threads", "\(threads)", "--name", "local-\(slot + 1)",
                "--parent", "\(Machine.processIdentifier)",
            ] + (keys.map { ["--keys", $0] } ?? []) + (shared.map { ["--shared", $0.option.text] } ?? []), standardOutput: log,
            standardError: log,
            descriptors: shared?.descriptors ?? [], cores: cores[slot])
        processes[slot] = process
        if let shared { segments?.adopt(shared.place, of: process.pid) }
    }

    /// Those that have ended since the last call.
    func reap() throws -> [(slot: Int, processID: Int32, exit: ChildProcess.Exit)] {
        var ended: [(slot: Int, processID: Int32, exit: ChildProcess.Exit)] = []
        for (slot, process) in processes {
            guard let exit = try process.reap() else { continue }
            ended.append((slot, process.pid, exit))
            segments?.retire(process.pid)
            processes[slot] = nil
        }
        return ended.sorted { $0.slot < $1.slot }
    }

    func kill(processID: Int32) {
        for process in processes.values where process.pid == processID { _ = process.killGroup(.kill) }
    }

    func killAll() throws {
        for process in processes.values {
            _ = process.killGroup(.kill)
            _ = try process.waitForExit()
        }
        processes = [:]
    }
}
