import Foundation
import Testing

@testable import Checkpoints

/// Commits that meet a crash or a failing disk at every single call.
@Suite struct CheckpointFaultTests {
    private typealias Store = CheckpointStore<TestState>

    /// A commit over what is there already: with `keep` sets to prune and a new best, or replacing its own step.
    struct Scenario: Sendable, CustomTestStringConvertible {
        var name: String
        var before: [TestRun]
        var commit: TestRun
        var keep: Int
        var testDescription: String { name }

        static let all = [
            Scenario(name: "the first", before: [], commit: TestRun(step: 10, bestStep: 10), keep: 1),
            Scenario(
                name: "one more", before: [TestRun(step: 10, bestStep: 10), TestRun(step: 20, bestStep: 10)],
                commit: TestRun(step: 30, bestStep: 30), keep: 1),
            Scenario(
                name: "the same step again", before: [TestRun(step: 10, bestStep: 5)], commit: TestRun(step: 10, bestStep: 7),
                keep: 1),
        ]

        func prepare() throws -> TemporaryFolder {
            let folder = try TemporaryFolder()
            var store = try Store(folder: folder.path, keep: 9)
            for run in before { try store.commit(run) }
            return folder
        }

        /// How many calls opening and committing take when all goes well.
        func callCounts() throws -> (opening: Int, all: Int) {
            let folder = try prepare()
            let disk = FaultyDisk()
            var store = try Store(folder: folder.path, keep: keep, disk: disk.disk)
            let opening = disk.log.count
            #expect(try store.commit(commit).warnings.isEmpty)
            return (opening, disk.log.count)
        }
    }

    @Test(arguments: Scenario.all)
    func aCrashLeavesTheOldSetOrTheNewOne(scenario: Scenario) throws {
        let (opening, all) = try scenario.callCounts()
        var sawOld = false
        var sawNew = false
        for number in opening..<all {
            let folder = try scenario.prepare()
            var store = try Store(folder: folder.path, keep: scenario.keep, disk: FaultyDisk(.crash(at: number)).disk)
            let committed = (try? store.commit(scenario.commit)) != nil

            var reopened = try Store(folder: folder.path, keep: scenario.keep)
            let survivor = try reopened.found.set?.contents()
            #expect(survivor == scenario.commit || (survivor == scenario.before.last && !committed), "crash at call \(number)")
            #expect(reopened.found.rejected.isEmpty, "crash at call \(number)")
            if survivor == scenario.commit { sawNew = true } else { sawOld = true }

            #expect(try reopened.commit(TestRun(step: 90, bestStep: 90)).warnings.isEmpty)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            let expected = ["best-step-90.safetensors", "best.safetensors", "last.safetensors", "step-90"]
            #expect(left == expected, "crash at call \(number)")
        }
        #expect(sawOld && sawNew)
    }

    @Test(arguments: Scenario.all)
    func aFailedCallLeavesTheStoreUsable(scenario: Scenario) throws {
        let (opening, all) = try scenario.callCounts()
        for number in opening..<all {
            let folder = try scenario.prepare()
            var store = try Store(folder: folder.path, keep: scenario.keep, disk: FaultyDisk(.error(at: number)).disk)
            let outcome = Result { try store.commit(scenario.commit) }
            let survivor = try CheckpointSet<TestState>.latest(in: folder.path).set?.contents()
            switch outcome {
            case .success:
                #expect(survivor == scenario.commit, "failure at call \(number)")
            case .failure:
                #expect(survivor == scenario.commit || survivor == scenario.before.last, "failure at call \(number)")
            }
            #expect(try store.commit(TestRun(step: 90, bestStep: 90)).warnings.isEmpty, "failure at call \(number)")
            #expect(try Store(folder: folder.path, keep: 1).found.set?.contents() == TestRun(step: 90, bestStep: 90))
        }
    }

    @Test func nothingGetsItsNameBeforeItsBytesAreOnDisk() throws {
        let folder = try TemporaryFolder()
        let disk = FaultyDisk()
        var store = try Store(folder: folder.path, keep: 1, disk: disk.disk)
        let opening = disk.log.count
        try store.commit(TestRun(step: 10, bestStep: 10))

        let log = Array(disk.log[opening...])
        func last(_ call: String) throws -> Int { try #require(log.lastIndex(of: call), "\(call) in \(log)") }
        let commit = try last("rename step-10")
        let files = ["weights.safetensors", "slots.safetensors", "manifest.json"]
        for file in files {
            #expect(try last("write \(file)") < last("fsync \(file)"))
            #expect(try last("fsync \(file)") < last("fsync .step-10.partial"))
        }
        #expect(try last("fsync .step-10.partial") < commit)
        #expect(try last("write .best-step-10.safetensors.partial") < last("fsync .best-step-10.safetensors.partial"))
        #expect(try last("fsync .best-step-10.safetensors.partial") < last("rename best-step-10.safetensors"))
        let parent = Path.name(of: folder.path)
        let folderSyncs = log.indices.filter { log[$0] == "fsync \(parent)" }
        #expect(try folderSyncs.contains { try $0 > last("rename best-step-10.safetensors") && $0 < commit })
        #expect(folderSyncs.contains { $0 > commit })
        #expect(try #require(folderSyncs.last) < log.firstIndex(of: "symlink .last.safetensors.partial") ?? 0)
    }

    @Test func theBestOfASetThatCannotBeReadNowIsKept() throws {
        let folder = try TemporaryFolder()
        let path = folder("step-10/manifest.json")
        var store = try Store(
            folder: folder.path, keep: 2, disk: Disk(fault: { $0 == .open && $1 == path ? EMFILE : nil }))
        try store.commit(TestRun(step: 10, bestStep: 10))
        let warnings = try store.commit(TestRun(step: 20, bestStep: 20)).warnings
        #expect(warnings == [.system(operation: "open", path: path, errorNumber: EMFILE)])
        #expect(try names(in: folder.path).contains("best-step-10.safetensors"))
    }

    @Test func theBestJustCommittedIsKeptWhateverCanBeRead() throws {
        let folder = try TemporaryFolder()
        let path = folder("step-20/manifest.json")
        var store = try Store(folder: folder.path, keep: 2, disk: Disk(fault: { $0 == .open && $1 == path ? EIO : nil }))
        try store.commit(TestRun(step: 20, bestStep: 20))
        #expect(try CheckpointSet<TestState>.latest(in: folder.path).set?.contents() == TestRun(step: 20, bestStep: 20))
    }

    @Test func troubleAfterTheCommitIsAWarning() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder("last.safetensors"), withIntermediateDirectories: false)
        var store = try Store(folder: folder.path, keep: 1)
        let commit = try store.commit(TestRun(step: 10))
        #expect(commit.warnings == [.system(operation: "rename", path: folder("last.safetensors"), errorNumber: EISDIR)])
        #expect(try Store(folder: folder.path, keep: 1).found.set?.contents() == TestRun(step: 10))
    }

    @Test func aFullDiskIsSaidAndTheSetBeforeIsThere() throws {
        let folder = try TemporaryFolder()
        let full = Disk(fault: { operation, path in operation == .write && path.contains("step-20") ? ENOSPC : nil })
        var store = try Store(folder: folder.path, keep: 1, disk: full)
        try store.commit(TestRun(step: 10, bestStep: 10))
        let error = #expect(throws: CheckpointError.self) { try store.commit(TestRun(step: 20, bestStep: 10)) }
        #expect(error?.description == "\(folder(".step-20.partial/weights.safetensors")): write failed: No space left on device")
        #expect(try Store(folder: folder.path, keep: 1).found.set?.contents() == TestRun(step: 10, bestStep: 10))
        #expect(try !FileManager.default.contentsOfDirectory(atPath: folder.path).contains(".step-20.partial"))
    }

    @Test func aReadOnlyFolderIsSaidAndTheSetBeforeIsThere() throws {
        let folder = try TemporaryFolder()
        var store = try Store(folder: folder.path, keep: 1)
        try store.commit(TestRun(step: 10))
        let readOnly = Disk(fault: { operation, _ in [.open, .read, .list].contains(operation) ? nil : EROFS })
        store = try Store(folder: folder.path, keep: 1, disk: readOnly)
        #expect(throws: CheckpointError.system(operation: "mkdir", path: folder(".step-20.partial"), errorNumber: EROFS)) {
            try store.commit(TestRun(step: 20))
        }
        #expect(try store.found.set?.contents() == TestRun(step: 10))
    }

    @Test func aFileInPlaceOfTheFolderIsNamed() throws {
        let folder = try TemporaryFolder()
        try write([1], to: folder("checkpoints"))
        #expect(throws: CheckpointError.system(operation: "list", path: folder("checkpoints"), errorNumber: ENOTDIR)) {
            try Store(folder: folder("checkpoints"), keep: 1)
        }
        #expect(throws: CheckpointError.system(operation: "mkdir", path: folder("no/checkpoints"), errorNumber: ENOENT)) {
            try Store(folder: folder("no/checkpoints"), keep: 1)
        }
    }
}
