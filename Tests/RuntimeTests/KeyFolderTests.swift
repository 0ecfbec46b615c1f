import Foundation
import OperatingSystem
import Testing
import ZeroMQ

@testable import Runtime

/// Keys: made private, read only if they are, never overwritten; the allow-list follows its folder.
@Suite struct KeyFolderTests {
    private let folder: TemporaryFolder
    private var keys: String { folder.appending("keys") }

    init() throws {
        folder = try TemporaryFolder(prefix: "dnn-keys-")
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func aNewFolderServesBothSidesAndIsPrivate() throws {
        let lines = try KeygenCommand.make(folder: keys, workers: ["host-2"])
        for path in ["", "/workers", "/hosts", "/hosts/host-2"] { #expect(try mode(keys + path) == 0o700) }
        for path in ["/server.key", "/server.pub", "/worker.key", "/workers/worker.pub", "/workers/host-2.pub", "/hosts/host-2/worker.key"]
        {
            #expect(try mode(keys + path) == 0o600)
        }
        let coordinator = try CoordinatorKeys(folder: keys)
        let (shared, own) = (try WorkerKeys(folder: keys), try WorkerKeys(folder: keys + "/hosts/host-2"))
        #expect(shared.server == coordinator.pair.publicKey && own.server == coordinator.pair.publicKey)
        let allowed = try AllowList(coordinator.folder.allowList).keys
        #expect(allowed == [shared.pair.publicKey: "worker", own.pair.publicKey: "host-2"])
        for secret in [coordinator.pair, shared.pair, own.pair].map(\.secretKey.revealedZ85) {
            #expect(!lines.joined().contains(secret))
        }
        var dumped = ""
        dump(CoordinatorOptions(protection: .keys(coordinator)), to: &dumped)
        #expect(!dumped.contains(coordinator.pair.secretKey.revealedZ85))
    }

    @Test func keysAreNeverOverwritten() throws {
        _ = try KeygenCommand.make(folder: keys, workers: ["a"])
        let before = try CoordinatorKeys(folder: keys).pair.publicKey
        #expect(throws: KeyError.taken(path: keys + "/server.key")) { try KeygenCommand.make(folder: keys, workers: []) }
        #expect(throws: KeyError.taken(path: keys + "/workers/a.pub")) { try KeygenCommand.make(folder: keys, workers: ["a"]) }
        _ = try KeygenCommand.make(folder: keys, workers: ["b"])
        #expect(try CoordinatorKeys(folder: keys).pair.publicKey == before)
        #expect(try AllowList.read(keys + "/workers").count == 3)
    }

    @Test(arguments: ["", ".hidden", "a/b", "../x", "-x", "ü", String(repeating: "a", count: 101)])
    func aNameThatIsNoFilesIsRefused(name: String) {
        #expect(throws: KeyError.badName(name)) { try KeygenCommand.make(folder: keys, workers: [name]) }
    }

    @Test(arguments: [("", 0o755, "chmod 700"), ("/server.key", 0o640, "chmod 600"), ("/server.key", 0o604, "chmod 600")])
    func whatOthersCanReadIsRefusedWithTheRemedy(file: String, mode: Int, remedy: String) throws {
        _ = try KeygenCommand.make(folder: keys, workers: [])
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: keys + file)
        let error = #expect(throws: KeyError.self) { try CoordinatorKeys(folder: keys) }
        #expect(error?.description.contains("\(remedy) \(keys + file)") == true, "\(String(describing: error))")
    }

    @Test func aWorkersFolderIsCheckedTheSameWay() throws {
        _ = try KeygenCommand.make(folder: keys, workers: [])
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: keys + "/worker.key")
        #expect(throws: KeyError.self) { try WorkerKeys(folder: keys) }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keys + "/worker.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: keys + "/server.pub")
        #expect(throws: KeyError.self, "whoever can write it could choose the coordinator") { try WorkerKeys(folder: keys) }
    }

    @Test(arguments: ["", "short", String(repeating: "~", count: 40), String(repeating: "a", count: 5_000)])
    func whatIsNoKeyIsRefused(text: String) throws {
        _ = try KeygenCommand.make(folder: keys, workers: [])
        let handle = try #require(FileHandle(forWritingAtPath: keys + "/server.key"))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(text.utf8))
        let error = #expect(throws: KeyError.self) { try CoordinatorKeys(folder: keys) }
        #expect(error?.description.contains(keys + "/server.key") == true)
    }

    @Test func whatIsMissingIsNamed() throws {
        #expect(throws: KeyError.missing(path: keys)) { try CoordinatorKeys(folder: keys) }
        try PrivateFile.makeFolder(keys)
        #expect(throws: KeyError.missing(path: keys + "/worker.key")) { try WorkerKeys(folder: keys) }
    }

    @Test func theAllowListFollowsItsFolder() throws {
        _ = try KeygenCommand.make(folder: keys, workers: ["a"])
        let a = try WorkerKeys(folder: keys + "/hosts/a").pair.publicKey
        var list = try AllowList(keys + "/workers")
        #expect(list.refresh() == nil)
        try FileManager.default.removeItem(atPath: keys + "/workers/a.pub")
        let refreshed = list.refresh()
        let removal = try #require(refreshed)
        #expect(removal.revoked == [a] && removal.addedCount == 0 && removal.problem == nil)
        #expect(list.refresh() == nil)
        _ = try KeygenCommand.make(folder: keys, workers: ["b"])
        #expect(list.refresh()?.addedCount == 1)
    }

    @Test func aListThatCantBeReadLetsNobodyIn() throws {
        _ = try KeygenCommand.make(folder: keys, workers: ["a"])
        var list = try AllowList(keys + "/workers")
        try Data("no key".utf8).write(to: URL(fileURLWithPath: keys + "/workers/bad.pub"))
        let refreshed = list.refresh()
        let change = try #require(refreshed)
        #expect(change.problem != nil && change.revoked.count == 2 && list.keys.isEmpty)
        try FileManager.default.removeItem(atPath: keys + "/workers/bad.pub")
        #expect(list.refresh()?.addedCount == 2)
    }

    @Test func aSocketsFolderMustBePrivate() throws {
        try SocketFolder.check(endpoint: "ipc://\(folder.path)/socket")
        try FileManager.default.setAttributes([.posixPermissions: 0o711], ofItemAtPath: folder.path)
        let error = #expect(throws: KeyError.self) { try SocketFolder.check(endpoint: "ipc://\(folder.path)/socket") }
        #expect(error?.description.contains("chmod 700 \(folder.path)") == true)
    }
}
