import Foundation
import OperatingSystem
import Testing
import Wire

/// `--audit`: leaves that two workers compute, with real processes.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct AuditEndToEndTests {
    private static let settings = ["--set", "training.epochs=20", "--set", "training.checkpoint.every_seconds=0"]
    private static let reference = try? RunFiles.train(["--workers", "1"] + settings)

    @Test(arguments: [("1", "auto"), ("0.3", "auto"), ("1", "messages")])
    func anAuditChangesNoBitAndFindsAllEqual(fraction: String, transport: String) throws {
        let reference = try #require(Self.reference)
        let result = try RunFiles.train(
            [
                "--workers", "3", "--set", "cluster.minimum_workers=3", "--audit", fraction, "--set", "cluster.transport=\(transport)",
            ] + Self.settings)
        #expect(result.weightsSha256 == reference.weightsSha256 && result.stateSha256 == reference.stateSha256)
        #expect(result.events.leavesAudited > 0)
        #expect(result.events.leavesAudited <= 20 * 15 * 4)
    }

    @Test func roundedSumsAreAuditedAsTheyTravel() throws {
        let wire = ["--set", "cluster.wire=bf16"]
        let plain = try RunFiles.train(["--workers", "1"] + wire)
        let audited = try RunFiles.train(["--workers", "2", "--set", "cluster.minimum_workers=2", "--audit", "1"] + wire)
        #expect(audited.stateSha256 == plain.stateSha256 && audited.events.leavesAudited > 0)
    }

    /// Batch normalisation's running values are part of what is compared.
    @Test func whatLeavesFindOfABatchIsAuditedToo() throws {
        let net = RunFiles.digits.replacing(
            "flatten, {dense: {units: 256}}, relu", with: "{conv2d: {filters: 8, kernel: 3}}, {batch_norm: {}}, relu, flatten")
        let plain = try RunFiles.train(["--workers", "1"], runFile: net)
        let audited = try RunFiles.train(["--workers", "2", "--set", "cluster.minimum_workers=2", "--audit", "1"], runFile: net)
        #expect(audited.stateSha256 == plain.stateSha256 && audited.events.leavesAudited > 0)
    }

    /// From step 40 on a worker's weights are damaged on their way: it really computes other gradients than the others would.
    @Test func aWorkerWithOtherResultsEndsTheRunAndWhatItHasSpoiltIsSetAside() throws {
        let reference = try #require(Self.reference)
        let folder = try ResumableRun.makeFolder()
        let endpoint = "ipc://" + folder.appending("c")
        let run = try ResumableRun(in: folder, Self.settings)
        let coordinator = try run.train(
            ["--workers", "1", "--bind", endpoint, "--audit", "1", "--set", "cluster.minimum_workers=2"])
        try coordinator.line(containing: "workers   1 local")
        let relay = try Relay(to: endpoint, in: folder) { header, body in
            guard header.kind == .weights, header.step == 40 else { return }
            // The upper half of the chunk with the other sign.
            for index in stride(from: body.count / 8 * 4 + 3, to: body.count, by: 4) { body[index] ^= 0x80 }
        }
        let damaged = try RunningProgram(
            "dnn-worker", ["--connect", relay.endpoint, "--name", "damaged", "--patience", "5"], in: folder)
        #expect(coordinator.end() == 1, "\(coordinator.text)")
        _ = damaged.end()
        relay.close()
        let error = try #require(try run.result.error)
        #expect(error.hasPrefix("audit: local-1 and damaged have") || error.hasPrefix("audit: damaged and local-1 have"), "\(error)")
        #expect(error.contains(" different bits for shards ") && error.contains(" of step 40 (first in chunk 0)"), "\(error)")
        #expect(try run.result.outcome == "failed")
        #expect(run.checkpointSteps.allSatisfy { $0 <= 40 }, "\(run.names("checkpoints"))")

        let next = try run.resume(["--workers", "2", "--audit", "0.5"])
        #expect(next.end() == 0, "\(next.text)")
        #expect(try run.result.weightsSha256 == reference.weightsSha256)
    }

    @Test func aSingleWorkerHasNobodyToAuditItWhichIsSaid() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let run = try ResumableRun(in: folder, ["--set", "training.epochs=2"])
        let program = try run.train(["--workers", "1", "--audit", "0.5"])
        #expect(program.end() == 0)
        #expect(program.text.contains("--audit: a single worker computes every leaf; there is nobody to audit with"))
        #expect(try run.result.events.leavesAudited == 0)
    }

    @Test(arguments: ["1.5", "-0.1", "nan", "x"])
    func aFractionIsAFraction(text: String) throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let run = try ResumableRun(in: folder, [])
        let program = try run.train(["--workers", "1", "--audit=\(text)"])
        #expect(program.end() == 2)
        #expect(program.text.contains("--audit"), "\(program.text)")
    }
}
