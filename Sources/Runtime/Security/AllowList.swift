internal import Foundation
internal import OperatingSystem
internal import ZeroMQ

/// The public keys of the workers that are let in: the files `NAME.pub` of a folder, read again when one of them changes.
struct AllowList {
    private(set) var keys: [CurvePublicKey: String]
    private let path: String
    private var stamps: [String: FileStamp]

    init(_ path: String) throws(KeyError) {
        self.path = path
        stamps = Self.stamps(path)
        keys = try Self.read(path)
    }

    /// What has become of the list since it was last looked at; nil if nothing has.
    ///
    /// A list that can't be read any more lets nobody in: a key that was meant to be removed must not stay.
    mutating func refresh() -> Change? {
        let now = Self.stamps(path)
        guard now != stamps else { return nil }
        stamps = now
        let former = keys
        var problem: KeyError?
        do {
            keys = try Self.read(path)
        } catch {
            keys = [:]
            problem = error
        }
        return Change(
            revoked: Set(former.keys).subtracting(keys.keys), addedCount: Set(keys.keys).subtracting(former.keys).count, problem: problem)
    }

    struct Change {
        var revoked: Set<CurvePublicKey>
        var addedCount: Int
        var problem: KeyError?

        /// Both changes as one. Who was revoked in between loses its connections even if its key is back.
        func followed(by later: Change) -> Change {
            Change(revoked: revoked.union(later.revoked), addedCount: addedCount + later.addedCount, problem: later.problem)
        }
    }

    /// The keys of a folder, each with the name of its file.
    static func read(_ path: String) throws(KeyError) -> [CurvePublicKey: String] {
        var keys: [CurvePublicKey: String] = [:]
        for name in try names(path) { keys[try KeyFolder.readPublic("\(path)/\(name)")] = String(name.dropLast(".pub".count)) }
        return keys
    }

    private static func names(_ path: String) throws(KeyError) -> [String] {
        guard let all = try? FileManager.default.contentsOfDirectory(atPath: path) else { throw .missing(path: path) }
        return all.filter { $0.hasSuffix(".pub") && !$0.hasPrefix(".") }.sorted()
    }

    private static func stamps(_ path: String) -> [String: FileStamp] {
        var stamps: [String: FileStamp] = [:]
        for name in (try? names(path)) ?? [] { stamps[name] = FileStamp(of: "\(path)/\(name)") }
        stamps["."] = FileStamp(of: path)
        return stamps
    }
}
