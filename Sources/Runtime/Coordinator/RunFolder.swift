internal import Foundation
internal import OperatingSystem

/// Where a run leaves what it makes; one coordinator at a time.
final class RunFolder {
    let path: String
    private let lock: FileLock
    private let history: FileHandle

    var checkpoints: String { path + "/checkpoints" }
    var logs: String { path + "/logs" }
    var result: String { path + "/result.json" }
    var model: String { path + "/model.safetensors" }
    var runFile: String { path + "/run.yaml" }

    /// Makes the folder, or takes over one that holds neither checkpoint nor result.
    init(creating path: String, runFile text: String) throws(RunFolderError) {
        self.path = path
        let files = FileManager.default
        do {
            try files.createDirectory(atPath: path + "/logs", withIntermediateDirectories: true)
        } catch {
            throw .unusable(path, reason: Self.reason(error))
        }
        do {
            guard let lock = try FileLock.acquire(path + "/.lock") else {
                throw RunFolderError.locked(path, holder: FileLock.lastHolder(of: path + "/.lock"))
            }
            self.lock = lock
        } catch let error as RunFolderError {
            throw error
        } catch {
            throw .unusable(path, reason: "\(error)")
        }
        let steps = (try? files.contentsOfDirectory(atPath: path + "/checkpoints"))?.filter { $0.hasPrefix("step-") } ?? []
        guard steps.isEmpty, !files.fileExists(atPath: path + "/result.json") else { throw .taken(path) }
        guard files.createFile(atPath: path + "/history.jsonl", contents: nil),
            let history = FileHandle(forWritingAtPath: path + "/history.jsonl")
        else { throw .unusable(path, reason: "history.jsonl can't be written") }
        self.history = history
        do {
            try AtomicFile.writeDurably(Array(text.utf8), to: path + "/run.yaml")
        } catch {
            throw .unusable(path, reason: "\(error)")
        }
    }

    private static func reason(_ error: any Error) -> String {
        (error as NSError).localizedDescription
    }

    func appendHistory(_ line: Data) throws {
        try history.write(contentsOf: line + Data("\n".utf8))
    }
}

/// Why a run folder can't be used: exit code 2.
enum RunFolderError: Error, CustomStringConvertible {
    case taken(String)
    case locked(String, holder: Int32?)
    case unusable(String, reason: String)

    var description: String {
        switch self {
        case .taken(let path):
            "\(path): holds a run already; continue it with `dnn-coord resume \(path)`, or choose another folder with --output"
        case .locked(let path, let holder):
            "\(path): in use by another coordinator" + (holder.map { " (process \($0))" } ?? "") + "; choose another folder with --output"
        case .unusable(let path, let reason):
            "\(path): can't be used as a run folder: \(reason)"
        }
    }
}
