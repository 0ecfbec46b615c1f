internal import Foundation
internal import OperatingSystem

/// The parameter servers that this coordinator has started on its own host.
final class LocalServers {
    private let executable: String
    private let endpoint: String
    private let folder: String
    private let threads: Int
    private let logs: String
    /// Where workers of other hosts reach the servers: the host of `--bind`, and its port; nil without it.
    private let outside: (host: String, port: UInt16)?
    private let isProtected: Bool
    /// nil: payload travels in messages.
    private let segments: SharedSegments?
    private var processes: [Int: ChildProcess] = [:]

    /// `dnn-coord` lies beside this program, or is it.
    ///
    /// - Parameters:
    ///   - folder: for the servers' own ipc endpoints.
    ///   - bind: as on the command line.
    init(endpoint: String, folder: String, threads: Int, logs: String, bind: String?, isProtected: Bool, segments: SharedSegments?) throws {
        executable = (try Machine.executablePath() as NSString).deletingLastPathComponent + "/dnn-coord"
        self.endpoint = endpoint
        self.folder = folder
        self.threads = threads
        self.logs = logs
        self.isProtected = isProtected
        self.segments = segments
        outside = bind.flatMap { bind in
            guard bind.hasPrefix("tcp://"), let colon = bind.lastIndex(of: ":"), let port = UInt16(bind[bind.index(after: colon)...])
            else { return nil }
            return (String(bind[..<colon]), port)
        }
    }

    var isEmpty: Bool { processes.isEmpty }

    func index(ofProcess processID: Int32) -> Int? {
        processes.first { $0.value.pid == processID }?.key
    }

    /// A parent-death signal follows the spawning thread: to be called on the main thread.
    func start(index: Int) throws {
        var arguments = [
            "serve", "--connect", endpoint, "--bind", "ipc://\(folder)/server-\(index)", "--threads", "\(threads)", "--name",
            "server-\(index)", "--parent", "\(Machine.processIdentifier)",
        ]
        if let outside {
            // The coordinator's own are the port of `--bind` and the one after it.
            let port = outside.port == 0 ? 0 : Int(outside.port) + 1 + index
            arguments += ["--bind", "\(outside.host):\(port)"]
            if isProtected { arguments.append("--protected") }
        }
        let shared = segments?.forServer
        if let shared { arguments += ["--shared", shared.option.text] }
        let log = ChildProcess.Output.file("\(logs)/server-\(index).log")
        processes[index] = try ChildProcess.spawn(
            executable: executable, arguments: arguments, standardOutput: log, standardError: log, descriptors: shared?.descriptors ?? [])
    }

    /// Those that have ended since the last call.
    func reap() throws -> [(index: Int, exit: ChildProcess.Exit)] {
        var ended: [(index: Int, exit: ChildProcess.Exit)] = []
        for (index, process) in processes {
            guard let exit = try process.reap() else { continue }
            ended.append((index, exit))
            processes[index] = nil
        }
        return ended.sorted { $0.index < $1.index }
    }

    func killAll() throws {
        for process in processes.values {
            _ = process.killGroup(.kill)
            _ = try process.waitForExit()
        }
        processes = [:]
    }
}
