import Foundation
import OperatingSystem
import Testing

/// `data.ship: false`: workers read the files by themselves, and what they read is verified.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SharedPathEndToEndTests {
    private static let rows = 600

    /// A table of its own, so that it can be changed under a worker's feet.
    private static func write(to folder: TemporaryFolder, changing changed: Int? = nil) throws -> String {
        var text = "a,b,c,label\n"
        for row in 0..<rows {
            let (a, b, c) = (row * 7 % 13, row * 5 % 11, row == changed ? 99 : row * 3 % 7)
            text += "\(a),\(b),\(c),\((a + b + c) % 3)\n"
        }
        let path = folder.appending("rows.csv")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        return path
    }

    private static func runFile(_ path: String, epochs: Int = 4, extra: String = "") -> String {
        """
        name: table
        data: {train: {csv: {path: "\(path)", target: label}}, validation: {fraction: 0.2}, test: {fraction: 0.1}, preprocessing: {standardize: true}\(extra)}
        model: {layers: [{dense: {units: 16}}, relu, {dense: {units: 3}}], loss: softmax_cross_entropy}
        optimizer: {rule: {adam: {learning_rate: 1e-2}}}
        training: {batch_size: 32, virtual_shards: 4, epochs: \(epochs)}
        cluster: {heartbeat_ms: 200}
        """
    }

    @Test(arguments: ["ipc", "tcp"])
    func theBitsAreThoseOfShippedRows(transport: String) throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let path = try Self.write(to: folder)
        let text = Self.runFile(path, extra: ", redeal_every: 2")
        let shipped = try RunFiles.train(["--workers", "1"], runFile: text)
        let run = try ResumableRun(in: folder, ["--set", "data.ship=false"], runFile: text)
        let bind = transport == "tcp" ? "tcp://127.0.0.1:0" : "ipc://" + folder.appending("c")
        let coordinator = try run.train(
            ["--workers", "1", "--bind", bind, "--set", "cluster.minimum_workers=2"] + (transport == "tcp" ? ["--insecure"] : []))
        let endpoint = transport == "tcp" ? try coordinator.invitation() : bind
        let worker = try RunningProgram(
            "dnn-worker", ["--connect", endpoint, "--patience", "20"] + (transport == "tcp" ? ["--insecure"] : []), in: folder)
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(worker.end() == 0, "\(worker.text)")
        let result = try run.result
        #expect(result.weightsSha256 == shipped.weightsSha256 && result.stateSha256 == shipped.stateSha256)
        #expect(result.test?.samples == 60 && result.workersSeen == 2)
    }

    @Test func whatIsBuiltInIsReadByWorkersToo() throws {
        let shipped = try RunFiles.train(["--workers", "1"])
        let read = try RunFiles.train(["--workers", "2", "--set", "data.ship=false"])
        #expect(read.weightsSha256 == shipped.weightsSha256)
    }

    /// The file has changed since the coordinator read it.
    @Test func aWorkerWithAnotherFileIsRefusedWithBothHashesAndThePath() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let path = try Self.write(to: folder)
        let run = try ResumableRun(
            in: folder, ["--set", "data.ship=false", "--set", "cluster.join_timeout_seconds=60"], runFile: Self.runFile(path))
        let endpoint = "ipc://" + folder.appending("c")
        let coordinator = try run.train(["--workers", "0", "--bind", endpoint])
        try coordinator.line(containing: "workers   0 local")
        _ = try Self.write(to: folder, changing: 17)
        let other = try RunningProgram("dnn-worker", ["--connect", endpoint, "--name", "other"], in: folder)
        #expect(other.end() == 3, "\(other.text)")
        let words = /rows\.csv is another file: its SHA-256 is [0-9a-f]{64} here, [0-9a-f]{64} in the run/
        #expect(other.text.contains(words), "\(other.text)")
        let line = try coordinator.line(containing: "other is lost: it failed: data.ship is false, and ")
        #expect(line.contains(path) && line.contains(words), "\(line)")
        _ = try Self.write(to: folder)
        let good = try RunningProgram("dnn-worker", ["--connect", endpoint], in: folder)
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(good.end() == 0)
    }

    @Test func aWorkerWithoutTheFileIsRefusedWithItsPath() throws {
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let path = try Self.write(to: folder)
        let run = try ResumableRun(in: folder, ["--set", "data.ship=false"], runFile: Self.runFile(path))
        let endpoint = "ipc://" + folder.appending("c")
        let coordinator = try run.train(["--workers", "0", "--bind", endpoint])
        try coordinator.line(containing: "workers   0 local")
        try FileManager.default.removeItem(atPath: path)
        let worker = try RunningProgram("dnn-worker", ["--connect", endpoint], in: folder)
        #expect(worker.end() == 3)
        #expect(worker.text.contains("\(path): cannot be read: there is no such file"), "\(worker.text)")
        coordinator.kill(SIGTERM)
        #expect(coordinator.end() == 143)
    }

    /// `ship` is how rows travel, not which: it may change from start to start.
    @Test func aRunBegunWithShippedRowsIsResumedWithoutShipping() throws {
        let folder = try ResumableRun.makeFolder()
        let path = try Self.write(to: folder)
        let long = ["--set", "training.epochs=400", "--set", "training.checkpoint.every_seconds=0"]
        let reference = try RunFiles.train(["--workers", "1"] + long, runFile: Self.runFile(path))
        let run = try ResumableRun(in: folder, long, runFile: Self.runFile(path))
        try run.interrupt(atEpoch: 3)
        let next = try run.resume(["--workers", "2", "--set", "data.ship=false"])
        #expect(next.end() == 0, "\(next.text)")
        #expect(try run.result.weightsSha256 == reference.weightsSha256)
    }
}
