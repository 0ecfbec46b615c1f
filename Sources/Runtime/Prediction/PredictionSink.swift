internal import Foundation

/// Where predictions go: standard output, or a file that is there as a whole or not at all.
final class PredictionSink {
    private let path: String
    private let temporary: String?
    private let handle: FileHandle

    /// - Parameters:
    ///   - path: `-` is standard output.
    ///   - input: the file that the rows come from; it is not written over.
    init(_ path: String, notOver input: String) throws(PredictionSinkError) {
        self.path = path
        guard path != "-" else {
            temporary = nil
            handle = .standardOutput
            return
        }
        let files = FileManager.default
        var isFolder: ObjCBool = false
        let exists = files.fileExists(atPath: path, isDirectory: &isFolder)
        guard !isFolder.boolValue else { throw .folder(path) }
        func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        guard input == "-" || resolved(input) != resolved(path) else { throw .input(path) }
        // A device or a pipe is written to as it is.
        let type = exists ? try? files.attributesOfItem(atPath: resolved(path))[.type] as? FileAttributeType : .typeRegular
        temporary = type == .typeRegular ? resolved(path) + ".partial" : nil
        if let temporary {
            guard files.createFile(atPath: temporary, contents: nil) else { throw .unwritable(path, reason: Self.reason()) }
        }
        guard let handle = FileHandle(forWritingAtPath: temporary ?? path) else { throw .unwritable(path, reason: Self.reason()) }
        self.handle = handle
    }

    func write(_ text: String) throws(PredictionSinkError) {
        do {
            try handle.write(contentsOf: Data(text.utf8))
        } catch {
            throw failed(error)
        }
    }

    func finish() throws(PredictionSinkError) {
        guard let temporary else { return }
        do {
            try handle.close()
            let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            guard rename(temporary, target) == 0 else { throw PredictionSinkError.unwritable(path, reason: Self.reason()) }
        } catch {
            throw failed(error)
        }
    }

    private func failed(_ error: any Error) -> PredictionSinkError {
        if let temporary { try? FileManager.default.removeItem(atPath: temporary) }
        return error as? PredictionSinkError ?? .unwritable(path, reason: error.localizedDescription)
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}

/// Why predictions can't be written.
enum PredictionSinkError: Error, CustomStringConvertible {
    case folder(String)
    case input(String)
    case unwritable(String, reason: String)

    /// Exit code 2 instead of 1.
    var isBadInput: Bool {
        if case .unwritable = self { false } else { true }
    }

    var description: String {
        switch self {
        case .folder(let path): "--output \(path): is a folder; give the name of a file, or - for standard output"
        case .input(let path): "--output \(path): is the input; give another name"
        case .unwritable(let path, let reason): "--output \(path): can't be written: \(reason)"
        }
    }
}
