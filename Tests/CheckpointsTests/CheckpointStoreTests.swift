import Foundation
import Hashing
import Testing

@testable import Checkpoints

@Suite struct CheckpointStoreTests {
    private typealias Store = CheckpointStore<TestState>
    private let folder: TemporaryFolder
    private var checkpoints: String { folder("checkpoints") }

    init() throws {
        folder = try TemporaryFolder()
    }

    private func found() throws -> CheckpointSet<TestState>? { try CheckpointSet<TestState>.latest(in: checkpoints).set }

    @Test func aNewFolderHoldsNothing() throws {
        let store = try Store(folder: checkpoints, keep: 1)
        #expect(store.found.set == nil)
        #expect(store.found.rejected.isEmpty)
    }

    @Test func theStateComesBackAsItWas() throws {
        var store = try Store(folder: checkpoints, keep: 3)
        let commit = try store.commit(TestRun(step: 120, bestStep: 80))
        #expect(commit.warnings.isEmpty)

        let set = try #require(try Store(folder: checkpoints, keep: 3).found.set)
        #expect(try set.contents() == TestRun(step: 120, bestStep: 80))
        #expect(try set.weights().metadata == ["model": "{}"])
        #expect(try set.best()?.metadata == ["model": "{}"])
        #expect(try names(in: checkpoints) == ["best-step-80.safetensors", "best.safetensors", "last.safetensors", "step-120"])
        #expect(try names(in: set.folder) == ["manifest.json", "slots.safetensors", "weights.safetensors"])
        #expect(try SHA256.hash(ofFile: set.folder + "/weights.safetensors") == commit.manifest.weights.sha256)
    }

    @Test func aRuleWithoutSlotsAndARunWithoutABest() throws {
        var store = try Store(folder: checkpoints, keep: 1)
        try TestRun(step: 0, bestStep: nil).withSnapshot { snapshot in
            var snapshot = snapshot
            snapshot.slots = []
            _ = try store.commit(snapshot)
        }
        let set = try #require(try found())
        #expect(set.manifest.best == nil)
        #expect(try set.best() == nil)
        #expect(try set.slots().entries.isEmpty)
        #expect(try names(in: checkpoints) == ["last.safetensors", "step-0"])
    }

    @Test func linksForPeopleFollow() throws {
        var store = try Store(folder: checkpoints, keep: 2)
        for run in [TestRun(step: 10, bestStep: 10), TestRun(step: 20, bestStep: 15)] {
            try store.commit(run)
            #expect(try SafetensorsFile(path: checkpoints + "/last.safetensors").contents() == run.weights)
            #expect(
                try SafetensorsFile(path: checkpoints + "/best.safetensors").contents() == TestRun.weights(at: try #require(run.bestStep)))
        }
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: checkpoints + "/last.safetensors")
        #expect(target == "step-20/weights.safetensors")

        try store.commit(TestRun(step: 30, bestStep: nil))
        #expect(try !names(in: checkpoints).contains("best.safetensors"))
    }

    @Test(arguments: [(1, [9]), (2, [8, 9]), (3, [7, 8, 9]), (20, Array(1...9))])
    func theNewestAreKept(keep: Int, steps: [Int]) throws {
        var store = try Store(folder: checkpoints, keep: keep)
        for step in 1...9 { try store.commit(TestRun(step: step)) }
        #expect(try names(in: checkpoints).filter { $0 != "last.safetensors" } == steps.map { "step-\($0)" })
    }

    @Test func stepsAreNumbersNotText() throws {
        var store = try Store(folder: checkpoints, keep: 2)
        for step in [8, 9, 10, 100] { try store.commit(TestRun(step: step)) }
        #expect(try found()?.manifest.step == 100)
        #expect(try names(in: checkpoints) == ["last.safetensors", "step-10", "step-100"])
    }

    @Test func theBestIsKeptWhileASetNamesIt() throws {
        var store = try Store(folder: checkpoints, keep: 2)
        func bestFiles() throws -> [String] { try names(in: checkpoints).filter { $0.hasPrefix("best-") } }
        try store.commit(TestRun(step: 10, bestStep: 10))
        try store.commit(TestRun(step: 20, bestStep: 10))
        try store.commit(TestRun(step: 30, bestStep: 10))
        #expect(try bestFiles() == ["best-step-10.safetensors"])
        try store.commit(TestRun(step: 40, bestStep: 40))
        #expect(try bestFiles() == ["best-step-10.safetensors", "best-step-40.safetensors"])
        try store.commit(TestRun(step: 50, bestStep: 40))
        #expect(try bestFiles() == ["best-step-40.safetensors"])
        #expect(try found()?.contents() == TestRun(step: 50, bestStep: 40))
    }

    @Test func theBestIsWrittenOnceAndAgainIfItIsDamaged() throws {
        let path = checkpoints + "/best-step-10.safetensors"
        func number() throws -> Int { try #require(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int) }
        var store = try Store(folder: checkpoints, keep: 9)
        try store.commit(TestRun(step: 10, bestStep: 10))
        let first = try SafetensorsFile(path: path)  // holds the number, so that it is not given again
        let before = try number()
        try store.commit(TestRun(step: 20, bestStep: 10))
        #expect(try number() == before)

        try write([1, 2, 3], to: path)
        try store.commit(TestRun(step: 30, bestStep: 10))
        #expect(try found()?.contents() == TestRun(step: 30, bestStep: 10))
        withExtendedLifetime(first) {}
    }

    @Test func aSetOfTheSameStepIsReplaced() throws {
        var store = try Store(folder: checkpoints, keep: 1)
        try store.commit(TestRun(step: 10, bestStep: 5))
        let commit = try store.commit(TestRun(step: 10, bestStep: 7))
        #expect(commit.warnings.isEmpty)
        #expect(try found()?.contents() == TestRun(step: 10, bestStep: 7))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: checkpoints).sorted() == [
                "best-step-7.safetensors", "best.safetensors", "last.safetensors", "step-10",
            ])
    }

    @Test func committingGoesOnAfterReopening() throws {
        var store = try Store(folder: checkpoints, keep: 2)
        try store.commit(TestRun(step: 10, bestStep: 10))
        store = try Store(folder: checkpoints, keep: 2)
        try store.commit(TestRun(step: 20, bestStep: 10))
        #expect(try names(in: checkpoints).filter { $0.hasPrefix("step") } == ["step-10", "step-20"])
    }

    @Test func leftoversGoAndOthersFilesStay() throws {
        var store = try Store(folder: checkpoints, keep: 1)
        try store.commit(TestRun(step: 10))
        let before = try names(in: checkpoints)
        let manager = FileManager.default
        for leftover in [".step-20.partial", ".step-10.replaced"] {
            try manager.createDirectory(atPath: checkpoints + "/" + leftover, withIntermediateDirectories: true)
            try write([1], to: checkpoints + "/" + leftover + "/weights.safetensors")
        }
        try write([1], to: checkpoints + "/.best-step-20.safetensors.partial")
        let others = ["step-x", "step-007", "step--1", "best-step-1x.safetensors", "notes.txt", ".hidden"]
        for name in others { try write([1], to: checkpoints + "/" + name) }

        #expect(try found()?.manifest.step == 10)
        #expect(try names(in: checkpoints).count == before.count + 3 + others.count, "looking changes nothing")
        store = try Store(folder: checkpoints, keep: 1)
        try store.commit(TestRun(step: 20))
        #expect(try names(in: checkpoints) == (["last.safetensors", "step-20"] + others).sorted())
    }

    @Test func theDigestOfWeightsIsThatOfTheBlock() {
        let tensors = TestRun.weights(at: 3)
        let block = tensors.flatMap(\.values).withUnsafeBytes { SHA256.hash(of: $0) }
        #expect(withTensors(tensors) { weightsDigest(of: $0) } == block)
        #expect(withTensors(tensors.reversed()) { weightsDigest(of: $0) } != block)
    }
}
