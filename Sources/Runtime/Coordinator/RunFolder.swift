internal import Foundation
internal import OperatingSystem

/// Where a run leaves what it makes; one coordinator at a time.
final class RunFolder {
    let path: String
    private let lock: FileLock
    private var history: FileHandle?

    var checkpoints: String { path + "/checkpoints" }
    var logs: String { path + "/logs" }
    var result: String { path + "/result.json" }
    var model: String { path + "/model.safetensors" }
    var runFile: String { path + "/run.yaml" }
    var historyFile: String { path + "/history.jsonl" }

    /// Makes the folder, or takes over one that holds neither checkpoint nor result.
    init(creating path: String) throws(RunFolderError) {
        self.path = path
        lock = try Self.lock(path)
        guard !Self.hasCheckpoints(path), !FileManager.default.fileExists(atPath: path + "/result.json") else { throw .taken(path) }
    }

    /// Takes a folder that a run has begun in.
    init(resuming path: String) throws(RunFolderError) {
        self.path = path
        guard FileManager.default.fileExists(atPath: path + "/run.yaml") else { throw .noRun(path) }
        lock = try Self.lock(path)
    }

    private static func lock(_ path: String) throws(RunFolderError) -> FileLock {
        do {
            try FileManager.default.createDirectory(atPath: path + "/logs", withIntermediateDirectories: true)
        } catch {
            throw .unusable(path, reason: reason(error))
        }
        do {
            guard let lock = try FileLock.acquire(path + "/.lock") else {
                throw RunFolderError.locked(path, holder: FileLock.lastHolder(of: path + "/.lock"))
            }
            return lock
        } catch let error as RunFolderError {
            throw error
        } catch {
            throw .unusable(path, reason: "\(error)")
        }
    }

    private static func hasCheckpoints(_ path: String) -> Bool {
        ((try? FileManager.default.contentsOfDirectory(atPath: path + "/checkpoints")) ?? []).contains { $0.hasPrefix("step-") }
    }

    private static func reason(_ error: any Error) -> String {
        (error as NSError).localizedDescription
    }

    /// Begins a start of the run: from here on the folder shows it.
    ///
    /// - Parameters:
    ///   - text: the effective run file.
    ///   - keeping: what stays of the history.
    ///   - former: the number of the start that the run goes on from; nil begins a run.
    func begin(runFile text: String, keeping: HistoryCut, after former: UInt32?) throws(RunFolderError) -> RunStart {
        do {
            let start = try RunStart.next(in: path, after: former)
            let kept = keeping.apply(to: FileManager.default.contents(atPath: historyFile) ?? Data())
            try AtomicFile.writeDurably(Array(kept), to: historyFile)
            guard let history = FileHandle(forWritingAtPath: historyFile) else {
                throw RunFolderError.unusable(path, reason: "history.jsonl can't be written")
            }
            try history.seekToEnd()
            self.history = history
            if FileManager.default.contents(atPath: runFile) != Data(text.utf8) {
                try AtomicFile.writeDurably(Array(text.utf8), to: runFile)
            }
            // Of an earlier start: what it says of the run is over.
            if FileManager.default.fileExists(atPath: result) { try FileManager.default.removeItem(atPath: result) }
            return start
        } catch let error as RunFolderError {
            throw error
        } catch {
            throw .unusable(path, reason: "\(error)")
        }
    }

    func appendHistory(_ line: Data) throws {
        guard let history else { preconditionFailure("the history of a run that has not begun") }
        try history.write(contentsOf: line + Data("\n".utf8))
    }

    /// Makes the lines so far survive a power cut; to be called from any thread.
    var historySync: @Sendable () -> Void {
        { [history] in try? history?.synchronize() }
    }
}

/// Why a run folder can't be used: exit code 2.
enum RunFolderError: Error, CustomStringConvertible {
    case taken(String)
    case noRun(String)
    case locked(String, holder: Int32?)
    case unusable(String, reason: String)
    /// What differs from the run that the folder holds.
    case otherRun(String, [String])

    var description: String {
        switch self {
        case .taken(let path):
            "\(path): holds a run already; continue it with `dnn-coord resume \(path)`, or choose another folder with --output"
        case .noRun(let path):
            "\(path): holds no run (there is no run.yaml); begin one with `dnn-coord train RUN.yaml`"
        case .locked(let path, let holder):
            "\(path): in use by another coordinator" + (holder.map { " (process \($0))" } ?? "")
                + "; wait for its end, or train into another folder with --output"
        case .unusable(let path, let reason):
            "\(path): can't be used as a run folder: \(reason)"
        case .otherRun(let path, let differences):
            "\(path): can't be resumed, it would not be the same run:\n"
                + differences.map { "  " + $0 }.joined(separator: "\n")
        }
    }
}
