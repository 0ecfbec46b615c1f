import Foundation
import Hashing
import Testing

@testable import Checkpoints

/// Sets that were damaged after they had been committed.
@Suite struct CheckpointDamageTests {
    private typealias Store = CheckpointStore<TestState>

    struct Damage: Sendable, CustomTestStringConvertible {
        var file: String
        var kind: Kind
        enum Kind: CaseIterable { case missing, truncated, empty, longer, flipped, folder }

        var testDescription: String { "\(file) \(kind)" }

        static let all = ["step-20/manifest.json", "step-20/weights.safetensors", "step-20/slots.safetensors", "best-step-20.safetensors"]
            .flatMap { file in Kind.allCases.map { Damage(file: file, kind: $0) } }

        func inflict(in folder: String) throws {
            let path = folder + "/" + file
            var contents = try bytes(ofFile: path)
            switch kind {
            case .missing, .folder: break
            case .truncated: contents.removeLast(contents.count / 2)
            case .empty: contents = []
            case .longer: contents.append(0x20)
            case .flipped: contents[contents.count * 3 / 4] ^= 0x10
            }
            try FileManager.default.removeItem(atPath: path)
            if kind == .folder { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }
            if kind != .missing && kind != .folder { try write(contents, to: path) }
        }
    }

    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        var store = try Store(folder: folder.path, keep: 3)
        try store.commit(TestRun(step: 10, bestStep: 10))
        try store.commit(TestRun(step: 20, bestStep: 20))
    }

    @Test(arguments: Damage.all)
    func theSetBeforeIsTakenAndTheFileNamed(damage: Damage) throws {
        try damage.inflict(in: folder.path)
        let store = try Store(folder: folder.path, keep: 3)
        #expect(try store.found.set?.contents() == TestRun(step: 10, bestStep: 10))
        let rejected = try #require(store.found.rejected.first)
        #expect(store.found.rejected.count == 1)
        #expect(rejected.step == 20)
        #expect(rejected.reason.description.hasPrefix(folder(damage.file)))
    }

    @Test(arguments: Damage.all)
    func theRunGoesOnFromTheSetBefore(damage: Damage) throws {
        try damage.inflict(in: folder.path)
        var store = try Store(folder: folder.path, keep: 2)
        #expect(try store.commit(TestRun(step: 15, bestStep: 10)).warnings.isEmpty)
        #expect(try names(in: folder.path).filter { $0.hasPrefix("step") } == ["step-10", "step-15"])

        store = try Store(folder: folder.path, keep: 2)
        #expect(store.found.rejected.isEmpty)
        try store.commit(TestRun(step: 20, bestStep: 20))
        #expect(try Store(folder: folder.path, keep: 2).found.set?.contents() == TestRun(step: 20, bestStep: 20))
    }

    @Test func theDamagedStepItselfIsCommittedAnew() throws {
        try Damage(file: "step-20/weights.safetensors", kind: .flipped).inflict(in: folder.path)
        var store = try Store(folder: folder.path, keep: 2)
        #expect(try store.commit(TestRun(step: 20, bestStep: 20)).warnings.isEmpty)
        #expect(try Store(folder: folder.path, keep: 2).found.set?.contents() == TestRun(step: 20, bestStep: 20))
    }

    @Test func nothingIsStartedOverWhenAllAreDamaged() throws {
        for step in ["step-10", "step-20"] { try write([], to: folder(step + "/slots.safetensors")) }
        let error = #expect(throws: CheckpointError.self) { try Store(folder: folder.path, keep: 3) }
        guard case .noValidSet(folder.path, let rejected) = error else {
            Issue.record("not noValidSet: \(String(describing: error))")
            return
        }
        #expect(rejected.map(\.step) == [20, 10])
        #expect(error?.description.contains(folder("step-10/slots.safetensors")) == true)
        #expect(try names(in: folder.path).filter { $0.hasPrefix("step") } == ["step-10", "step-20"])
    }

    @Test func aSetUnderAnotherNameIsRefused() throws {
        try FileManager.default.copyItem(atPath: folder("step-20"), toPath: folder("step-30"))
        let found = try CheckpointSet<TestState>.latest(in: folder.path)
        #expect(found.set?.manifest.step == 20)
        #expect(found.rejected.map(\.reason) == [.badManifest(path: folder("step-30/manifest.json"), reason: "it belongs to another set")])
    }

    @Test func namesInAManifestAreNotFollowedElsewhere() throws {
        let known = try #require(try CheckpointSet<TestState>.latest(in: folder.path).set).manifest
        let elsewhere = FileRecord(
            name: "../step-10/weights.safetensors", byteCount: try bytes(ofFile: folder("step-10/weights.safetensors")).count,
            sha256: try SHA256.hash(ofFile: folder("step-10/weights.safetensors")))
        let forged = Manifest(
            version: known.version, step: 20, epoch: 0, identity: known.identity, incarnation: 0, weights: elsewhere,
            slots: known.slots, best: nil, coordinator: known.coordinator, configuration: "")
        try write(ManifestFile.encode(forged, path: ""), to: folder("step-20/manifest.json"))
        #expect(try CheckpointSet<TestState>.latest(in: folder.path).set?.manifest.step == 10)
    }

    @Test func aSetOfAnotherBuildIsNotPassedOver() throws {
        struct OtherState: Codable { var unknown: Int }
        let error = #expect(throws: CheckpointError.self) { try CheckpointStore<OtherState>(folder: folder.path, keep: 3) }
        guard case .foreignManifest(folder("step-20/manifest.json"), _) = error else {
            Issue.record("not foreignManifest: \(String(describing: error))")
            return
        }
    }
}
