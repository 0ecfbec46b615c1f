internal import Foundation
internal import OperatingSystem
internal import ZeroMQ

/// A folder of CURVE keys, made by `dnn-coord keygen`. Keys are 40 characters of Z85 and a line feed.
///
///     server.key          secret; the coordinator's, stays on its host
///     server.pub          what workers know the coordinator by
///     worker.key          secret; for every worker that has no key of its own
///     workers/NAME.pub    the allow-list: whoever has the secret key of one of these is let in
///     hosts/NAME/         made by `--worker NAME`: worker.key and server.pub, to be moved to that host
///
/// A worker's folder needs `worker.key` and `server.pub` only.
struct KeyFolder {
    let path: String

    var serverSecret: String { path + "/server.key" }
    var serverPublic: String { path + "/server.pub" }
    var workerSecret: String { path + "/worker.key" }
    var allowList: String { path + "/workers" }

    func allowed(_ name: String) -> String { "\(allowList)/\(name).pub" }
    func host(_ name: String) -> String { "\(path)/hosts/\(name)" }

    static func readSecret(_ path: String) throws(KeyError) -> CurveKeyPair {
        let text = try read(path)
        guard let secret = CurveSecretKey(z85: text) else { throw .notAKey(path: path) }
        do {
            return try CurveKeyPair(secretKey: secret)
        } catch {
            throw .unreadable("\(path): \(error)")
        }
    }

    static func readPublic(_ path: String) throws(KeyError) -> CurvePublicKey {
        guard let key = CurvePublicKey(z85: try read(path, isPublic: true)) else { throw .notAKey(path: path) }
        return key
    }

    private static func read(_ path: String, isPublic: Bool = false) throws(KeyError) -> String {
        do {
            return String(decoding: try PrivateFile.read(path, isPublic: isPublic), as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        } catch let error as SystemError where error.code == .notFound {
            throw .missing(path: path)
        } catch {
            throw .unreadable("\(error)")
        }
    }

    func check() throws(KeyError) {
        do {
            try PrivateFile.checkFolder(path)
        } catch let error as SystemError where error.code == .notFound {
            throw .missing(path: path)
        } catch {
            throw .unreadable("\(error)")
        }
    }
}

/// Why keys can't be used: exit code 2.
public enum KeyError: Error, Equatable, Sendable, CustomStringConvertible {
    case missing(path: String)
    case notAKey(path: String)
    /// It is there and was refused, or can't be read or written; the text says what mends it.
    case unreadable(String)
    case taken(path: String)
    case badName(String)

    public var description: String {
        switch self {
        case .missing(let path):
            "\(path): is not there; `dnn-coord keygen DIR` makes keys, a worker's host needs worker.key and server.pub"
        case .notAKey(let path): "\(path): holds no key (40 characters of Z85 in one line); make a new one with `dnn-coord keygen`"
        case .unreadable(let text): text
        case .taken(let path): "\(path): is there already; keys are never overwritten: remove it first, or choose another name"
        case .badName(let name):
            "'\(name)': a worker's name in a key folder has up to 100 letters (a to z), digits, '-', '_' and '.', and begins with a letter or digit"
        }
    }
}

/// What a coordinator needs to let in known workers only.
public struct CoordinatorKeys: Sendable {
    let pair: CurveKeyPair
    let folder: KeyFolder

    public init(folder path: String) throws(KeyError) {
        folder = KeyFolder(path: path)
        try folder.check()
        pair = try KeyFolder.readSecret(folder.serverSecret)
        _ = try AllowList.read(folder.allowList)
    }

    /// The folder, if it has what a worker of this host needs as well.
    var forLocalWorkers: String? {
        (try? WorkerKeys(folder: folder.path)) == nil ? nil : folder.path
    }
}

/// What a worker needs to be let in, and to know that it speaks to its own coordinator.
public struct WorkerKeys: Sendable {
    let pair: CurveKeyPair
    let server: CurvePublicKey
    let folder: KeyFolder

    public init(folder path: String) throws(KeyError) {
        folder = KeyFolder(path: path)
        try folder.check()
        pair = try KeyFolder.readSecret(folder.workerSecret)
        server = try KeyFolder.readPublic(folder.serverPublic)
    }

    var security: ZeroMQ.Security { security(of: server) }

    /// For a server with a key of its own, which the coordinator has named.
    func security(of key: CurvePublicKey) -> ZeroMQ.Security { .curveClient(pair, server: key) }
}

/// Only their owner may enter the folder of a socket's file: over ipc there is nothing else to keep strangers out.
public enum SocketFolder {
    public static func check(endpoint: String) throws(KeyError) {
        let path = endpoint.dropFirst("ipc://".count)
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        do {
            try PrivateFile.checkFolder(folder.isEmpty ? "/" : folder)
        } catch {
            throw .unreadable("\(error)")
        }
    }
}
