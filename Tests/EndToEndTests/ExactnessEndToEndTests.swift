import Foundation
import NeuralNet
import OperatingSystem
import Testing

/// K1: the same bits for any number of workers, threads, transports, chunk sizes, and through kills.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ExactnessEndToEndTests {
    /// Rows change shards every second epoch, and so do the workers that hold them.
    @Test func dealingAnewDoesNotDependOnTheWorkers() throws {
        let redeal = ["--set", "data.redeal_every=2"]
        let reference = try RunFiles.train(["--workers", "1"] + redeal)
        #expect(reference.events.workersLost == 0)
        for workers in [2, 3, 4] {
            let result = try RunFiles.train(["--workers", "\(workers)"] + redeal)
            #expect(result.stateSha256 == reference.stateSha256)
            #expect(result.train?.loss == reference.train?.loss)
        }
        #expect(try RunFiles.train(["--workers", "1"]).stateSha256 != reference.stateSha256)
    }

    /// One worker, everything else as the run file says.
    static let reference = try? RunFiles.train(["--workers", "1"])

    @Test(arguments: [
        ["--workers", "2"],
        ["--workers", "3"],
        ["--workers", "4"],
        ["--workers", "2", "--threads", "2"],
        ["--workers", "2", "--set", "cluster.transport=messages"],
        ["--workers", "3", "--set", "cluster.transport=messages", "--set", "cluster.chunk_bytes=65536"],
        ["--workers", "1", "--threads", "3"],
        ["--workers", "2", "--set", "cluster.chunk_bytes=65536"],
        ["--workers", "2", "--set", "cluster.instruction_set=avx2"],
        ["--workers", "3", "--threads", "2", "--set", "cluster.chunk_bytes=131072"],
    ])
    func hashIsTheSame(arguments: [String]) throws {
        let reference = try #require(Self.reference)
        let result = try RunFiles.train(arguments)
        #expect(result.weightsSha256 == reference.weightsSha256)
        #expect(result.stateSha256 == reference.stateSha256)
        #expect(result.validation?.loss?.bitPattern == reference.validation?.loss?.bitPattern)
    }

    /// Where the processor has no bf16 products, the program must say so and end with 2.
    @Test func bf16HasOneHashOrIsRefused() throws {
        let arguments = ["--set", "training.precision=bf16", "--set", "training.epochs=3"]
        guard Precision.bf16.obstacle == nil else {
            let folder = try TemporaryFolder(prefix: "dnn-e2e-")
            let file = try RunFiles.write(RunFiles.digits, to: folder)
            let coordinator = try RunningProgram(
                "dnn-coord", ["train", file, "--output", folder.appending("run"), "--workers", "1"] + arguments, in: folder)
            try coordinator.line(containing: "no bf16 products")
            #expect(coordinator.end() == 2)
            return
        }
        let results = try (1...4).map { try RunFiles.train(["--workers", "\($0)"] + arguments) }
        #expect(Set(results.map(\.stateSha256)).count == 1)
        let plain = try RunFiles.train(["--workers", "1", "--set", "training.epochs=3"])
        #expect(plain.stateSha256 != results[0].stateSha256)
    }

    /// Rounding is of the run, not of the transport: shared memory, messages, and one worker alone round the same sums.
    @Test func bf16OnTheWireHasOneHash() throws {
        let arguments = ["--set", "cluster.wire=bf16", "--set", "training.epochs=3"]
        let reference = try RunFiles.train(["--workers", "1"] + arguments)
        let messages = ["--set", "cluster.transport=messages"]
        for others in [["2"], ["3"], ["4"], ["1"] + messages, ["3", "--set", "cluster.chunk_bytes=65536"] + messages] {
            let result = try RunFiles.train(["--workers"] + others + arguments)
            #expect(result.stateSha256 == reference.stateSha256)
            #expect(result.validation?.loss?.bitPattern == reference.validation?.loss?.bitPattern)
        }
        #expect(try RunFiles.train(["--workers", "1", "--set", "training.epochs=3"]).stateSha256 != reference.stateSha256)
        let alone = ["--set", "training.virtual_shards=1", "--workers", "1"] + arguments
        #expect(try RunFiles.train(alone).stateSha256 == RunFiles.train(alone + messages).stateSha256)
    }

    @Test func otherSeedGivesAnotherHash() throws {
        let reference = try #require(Self.reference)
        let result = try RunFiles.train(["--workers", "1", "--set", "seed=8"])
        #expect(result.weightsSha256 != reference.weightsSha256)
    }

    @Test func environmentOfOpenMPDoesNotMatter() throws {
        let reference = try #require(Self.reference)
        let result = try RunFiles.train(["--workers", "2"], environment: ["OMP_NUM_THREADS": "8"])
        #expect(result.weightsSha256 == reference.weightsSha256)
    }

    /// Workers on tcp that were started by hand, beside a local one.
    @Test func hashIsTheSameOverTCP() throws {
        let reference = try #require(Self.reference)
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            [
                "train", file, "--output", folder.appending("run"), "--workers", "1", "--bind", "tcp://127.0.0.1:0", "--insecure",
                "--set", "cluster.minimum_workers=3",
            ], in: folder)
        let endpoint = try coordinator.invitation()
        let remote = try (0..<2).map {
            try RunningProgram("dnn-worker", ["--connect", endpoint, "--insecure", "--name", "tcp-\($0)"], in: folder)
        }
        #expect(coordinator.end() == 0)
        for worker in remote { #expect(worker.end() == 0) }
        let result = try Result(folder: folder.appending("run"))
        #expect(result.weightsSha256 == reference.weightsSha256)
        #expect(result.workersSeen == 3)
    }

    @Test func killedWorkerDoesNotChangeTheHash() throws {
        let long = ["--set", "training.epochs=30"]
        let reference = try RunFiles.train(["--workers", "1"] + long)
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            ["train", file, "--output", folder.appending("run"), "--workers", "3", "--set", "cluster.minimum_workers=3"] + long,
            in: folder)
        for epoch in [1, 4, 8] {
            try coordinator.line(containing: "epoch \(epoch)/")
            kill(try #require(try coordinator.children().first), SIGKILL)
        }
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        let result = try Result(folder: folder.appending("run"))
        #expect(result.weightsSha256 == reference.weightsSha256)
        #expect(result.events.workersLost >= 1)
    }

    /// The only worker dies, another one comes by hand: it gets the orphaned lease in mid-step.
    @Test func anotherWorkerTakesOverFromTheOnlyOne() throws {
        let long = ["--set", "training.epochs=30"]
        let reference = try RunFiles.train(["--workers", "1"] + long)
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            ["train", file, "--output", folder.appending("run"), "--workers", "0", "--bind", "tcp://127.0.0.1:0", "--insecure"] + long,
            in: folder)
        let endpoint = try coordinator.invitation()
        let first = try RunningProgram("dnn-worker", ["--connect", endpoint, "--insecure", "--name", "first"], in: folder)
        try coordinator.line(containing: "epoch 2/")
        first.kill(SIGKILL)
        #expect(first.end() == 128 + SIGKILL)
        let second = try RunningProgram("dnn-worker", ["--connect", endpoint, "--insecure", "--name", "second"], in: folder)
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(second.end() == 0)
        let result = try Result(folder: folder.appending("run"))
        #expect(result.weightsSha256 == reference.weightsSha256)
    }
}
