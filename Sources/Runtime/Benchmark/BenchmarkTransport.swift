internal import Foundation
internal import OperatingSystem

/// What the payload of a measured step travels over.
public enum BenchmarkTransport: String, CaseIterable, Sendable {
    /// As a run on one host: ipc, and shared memory.
    case local
    /// As a run on one host whose payload travels in the messages.
    case messages
    /// As between hosts, over the loopback address, without protection.
    case tcp
    /// As between hosts with keys.
    case curve

    /// Worker processes that the coordinator has not started.
    final class RemoteWorkers {
        fileprivate var processes: [ChildProcess] = []

        /// They end with their run; whoever is left is killed.
        func end() {
            for process in processes {
                _ = process.killGroup(.kill)
                _ = try? process.waitForExit()
            }
        }
    }

    /// Whether workers are the coordinator's own.
    var isLocal: Bool { self == .local || self == .messages }

    /// Starts workers as another host would, and tells the coordinator how they come; none where they are its own.
    func startWorkers(_ count: Int, threads: Int, in folder: TemporaryFolder, _ options: inout CoordinatorOptions) throws -> RemoteWorkers {
        let remote = RemoteWorkers()
        guard !isLocal else { return remote }
        let program = try options.workerProgram ?? .beside
        let cores = program.isPinned ? WorkerCores(pinned: count, threads: threads) : nil
        let arguments = try prepare(in: folder, &options)
        for index in 0..<count {
            let log = ChildProcess.Output.file(folder.appending("worker-\(index).log"))
            remote.processes.append(
                try ChildProcess.spawn(
                    executable: program.executable,
                    arguments: program.arguments + arguments
                        + ["--threads", "\(threads)", "--parent", "\(Machine.processIdentifier)"],
                    standardOutput: log, standardError: log, cores: cores?[index]))
        }
        return remote
    }

    /// Tells the coordinator how workers of other hosts come.
    ///
    /// - Returns: the arguments with which they find it.
    func prepare(in folder: TemporaryFolder, _ options: inout CoordinatorOptions) throws -> [String] {
        let endpoint = "tcp://127.0.0.1:\(UInt16.random(in: 10_000..<30_000) & ~1)"
        options.workers = 0
        options.bind = endpoint
        var protection = ["--insecure"]
        if self == .curve {
            let keys = folder.appending("keys")
            _ = try KeygenCommand.make(folder: keys, workers: [])
            options.protection = .keys(try CoordinatorKeys(folder: keys))
            protection = ["--keys", keys]
        }
        return ["--connect", endpoint] + protection
    }
}
