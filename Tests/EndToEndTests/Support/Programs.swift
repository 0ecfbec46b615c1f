import Foundation
import OperatingSystem

/// The programs that lie beside the test bundle.
enum Programs {
    static func path(_ name: String) throws -> String {
        var folder = URL(fileURLWithPath: try Machine.executablePath()).deletingLastPathComponent()
        // The test runner itself may lie elsewhere; the bundle's folder is then among the arguments.
        if !FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent(name).path),
            let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") })
        {
            folder = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        }
        return folder.appendingPathComponent(name).path
    }
}

/// A program that runs, its standard error as lines while it runs, its standard output at the end.
final class RunningProgram {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private let process = Process()
    private let errors = Pipe()
    private let outputs: FileHandle
    private let outputPath: String
    private var unread = Data()
    private(set) var lines: [String] = []

    convenience init(_ name: String, _ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:]) throws {
        try self.init(executable: try Programs.path(name), arguments, in: folder, environment: environment)
    }

    init(executable: String, _ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:]) throws {
        outputPath = folder.appending("output-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: outputPath, contents: nil)
        guard let handle = FileHandle(forWritingAtPath: outputPath) else { throw Failure(description: "no output file") }
        outputs = handle
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardError = errors
        process.standardOutput = outputs
        try process.run()
        try errors.fileHandleForWriting.close()
    }

    deinit {
        if process.isRunning { kill(SIGKILL) }
    }

    var processID: Int32 { process.processIdentifier }

    func kill(_ signal: Int32) {
        Foundation.kill(process.processIdentifier, signal)
    }

    /// The next line that contains `text`; an error if the program ends without saying it.
    @discardableResult
    func line(containing text: String) throws -> String {
        while let line = nextLine() {
            if line.contains(text) { return line }
        }
        throw Failure(description: "the program ended without saying '\(text)':\n" + lines.joined(separator: "\n"))
    }

    /// The endpoint that a coordinator invites workers to.
    func invitation() throws -> String {
        let words = try line(containing: "dnn-worker --connect ").components(separatedBy: "--connect ").last ?? ""
        return words.components(separatedBy: " ").first ?? ""
    }

    private func nextLine() -> String? {
        while true {
            if let end = unread.firstIndex(of: 10) {
                let line = String(decoding: unread[unread.startIndex..<end], as: UTF8.self)
                unread = Data(unread[(end + 1)...])
                lines.append(line)
                return line
            }
            let more = readSome()
            if more.isEmpty {
                guard !unread.isEmpty else { return nil }
                unread.append(10)
                continue
            }
            unread.append(more)
        }
    }

    /// Whatever has come, nothing at the end. FileHandle's own reading traps when a signal interrupts it.
    private func readSome() -> Data {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(errors.fileHandleForReading.fileDescriptor, &buffer, buffer.count)
            if count >= 0 { return Data(buffer[..<count]) }
            if errno != EINTR { return Data() }
        }
    }

    /// Reads to the end; the exit code as a shell gives it.
    func end() -> Int32 {
        while nextLine() != nil {}
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus
    }

    var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }
    var text: String { lines.joined(separator: "\n") }

    /// The processes that this one has started and that still run.
    func children() throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { candidate in
            guard let status = try? String(contentsOfFile: "/proc/\(candidate)/status", encoding: .utf8) else { return false }
            return status.contains("PPid:\t\(processID)\n")
        }
    }

    /// Waits until a process that is not ours to reap is gone; a minute is the watchdog.
    static func waitForEnd(of processID: Int32) throws -> Bool {
        let watcher = Process()
        watcher.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
        watcher.arguments = ["60", "tail", "--pid=\(processID)", "-f", "/dev/null"]
        try watcher.run()
        watcher.waitUntilExit()
        return watcher.terminationStatus == 0
    }
}

/// `result.json` as far as tests look at it.
struct Result: Decodable {
    struct Part: Decodable {
        var loss: Double?
        var accuracy: Double?
        var rmse: Double?
        var r2: Double?
        var samples: Int
        var top5Accuracy: Double?
        var confusion: [[Int]]?
        var perClass: [String: ClassFigures]?
    }

    struct ClassFigures: Decodable {
        var precision: Double?
        var recall: Double?
        var support: Int
    }

    struct Events: Decodable {
        var leasesReissued: Int
        var workersLost: Int
        var framesDropped: Int
        var connectionsCut: Int
        var handshakesFailed: Int
        var stepsSkipped: Int
        var leavesAudited: Int
    }

    var weightsSha256: String
    var stateSha256: String
    var outcome: String
    var error: String?
    var steps: Int
    var evaluations: Int
    var epochs: Int
    var bestEpoch: Int?
    var virtualShards: Int
    var workersSeen: Int
    var parameters: Int
    var penalty: Double
    var mode: String
    var leafClass: String?
    var train: Part?
    var validation: Part?
    var test: Part?
    var events: Events

    init(folder: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(Result.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/result.json")))
    }
}
