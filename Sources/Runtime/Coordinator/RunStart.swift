internal import Foundation
internal import OperatingSystem

/// One start of a run's coordinator. Its number rises at every start, and what belongs to another one is dropped: a coordinator that
/// has been given up for dead can neither be served by workers of its successor nor write into the folder any more.
struct RunStart: Codable, Equatable, Sendable {
    /// Of the folder, made at random at the first start.
    var run: String
    var incarnation: UInt32

    private static let name = ".incarnation"

    /// Notes durably that the run starts anew.
    ///
    /// - Parameter former: the incarnation that wrote the checkpoint to go on from, in case the note is lost; nil: a new run.
    static func next(in folder: String, after former: UInt32?) throws -> RunStart {
        let known = recorded(in: folder)
        let start = RunStart(
            run: former == nil ? nil : known?.run, incarnation: min(max(known?.incarnation ?? 0, former ?? 0), .max - 1) + 1)
        try AtomicFile.writeDurably(Array(try JSONEncoder().encode(start)) + [10], to: "\(folder)/\(name)")
        return start
    }

    private init(run: String?, incarnation: UInt32) {
        self.run = run ?? String(UInt64.random(in: .min ... .max), radix: 16)
        self.incarnation = incarnation
    }

    /// The newest start that a folder knows; nil where none can be read.
    static func recorded(in folder: String) -> RunStart? {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else { return nil }
        return try? JSONDecoder().decode(RunStart.self, from: data)
    }

    /// Whether a later start has taken the folder over.
    func isSuperseded(in folder: String) -> Bool {
        Self.recorded(in: folder).map { $0 != self } ?? false
    }
}
