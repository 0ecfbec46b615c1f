import Foundation
import OperatingSystem
import Testing

/// Gradients and weights in memory that all servers and workers of a host share, against payload in messages: the same bits.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct SharedServersEndToEndTests {
    private static let long = ["--set", "training.epochs=30"]
    private static let reference = try? RunFiles.train(["--workers", "1"] + long)

    private static func servers(_ count: Int, _ transport: String) -> [String] {
        [
            "--set", "cluster.parameter_servers=\(count)", "--set", "cluster.chunk_bytes=65536", "--set", "cluster.transport=\(transport)",
        ]
    }

    private static func isServer(_ processID: Int32) -> Bool {
        (try? String(contentsOfFile: "/proc/\(processID)/comm", encoding: .utf8)) == "dnn-coord\n"
    }

    /// Foundation takes the first short read of a file in /proc for its end.
    private static func lines(of path: String) throws -> [Substring] {
        let descriptor = try #require(Optional(open(path, O_RDONLY | O_CLOEXEC)).flatMap { $0 < 0 ? nil : $0 }, "\(path)")
        defer { close(descriptor) }
        var text = Data()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 || count < 0 && errno == EINTR else { break }
            if count > 0 { text.append(contentsOf: buffer[..<count]) }
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n")
    }

    /// Pages of segments of this name that a process has touched: read or written. nil if it has mapped none.
    private static func touchedKilobytes(of segment: String, in processID: Int32) throws -> Int? {
        var (total, isWanted): (Int?, Bool) = (nil, false)
        for line in try lines(of: "/proc/\(processID)/smaps") {
            let words = line.split(separator: " ")
            // A mapping's own line begins with its addresses, the others with a name and a colon.
            if let word = words.first, !word.hasSuffix(":") { isWanted = line.contains("memfd:\(segment)") }
            if isWanted, words.first == "Rss:", words.count > 1 { total = (total ?? 0) + (Int(words[1]) ?? 0) }
        }
        return total
    }

    private static func mayWrite(_ segment: String, in processID: Int32) throws -> Bool {
        try lines(of: "/proc/\(processID)/maps").contains { line in
            line.contains("memfd:\(segment)") && line.split(separator: " ")[1].contains("w")
        }
    }

    /// A worker's death leaves contributions in its segment, and its successor gets another one; a server's takes the run back.
    @Test(arguments: [1, 2, 3], ["auto", "messages"])
    func theHashIsTheSameOnBothPathsThroughDeaths(count: Int, transport: String) throws {
        let reference = try #require(Self.reference)
        let run = try ResumableRun(
            in: try ResumableRun.makeFolder(),
            Self.long + Self.servers(count, transport) + ["--workers", "2", "--set", "training.checkpoint.every_seconds=0"])
        let coordinator = try run.train()
        for epoch in [2, 4] {
            try coordinator.line(containing: "epoch \(epoch)/")
            kill(try #require(try coordinator.children().first { !Self.isServer($0) }), SIGKILL)
        }
        if count > 1 {
            try coordinator.line(containing: "epoch 7/")
            kill(try #require(try coordinator.children().first(where: Self.isServer)), SIGKILL)
            try coordinator.line(containing: "goes on from the checkpoint of step ")
        }
        try coordinator.line(containing: "epoch 12/")
        kill(try #require(try coordinator.children().first { !Self.isServer($0) }), SIGKILL)
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        let result = try run.result
        #expect(result.stateSha256 == reference.stateSha256)
        #expect(result.weightsSha256 == reference.weightsSha256)
        #expect(result.events.workersLost >= 1)
        #expect(try run.history.count == 30)
    }

    /// What a process has touched of the segments shows which way the values go.
    @Test func valuesOfEveryServerLieInSharedMemory() throws {
        let reference = try #require(Self.reference)
        for transport in ["auto", "messages"] {
            let run = try ResumableRun(
                in: try ResumableRun.makeFolder(),
                Self.long + Self.servers(3, transport) + ["--workers", "2", "--set", "cluster.minimum_workers=2"])
            let coordinator = try run.train()
            try coordinator.line(containing: "epoch 1/")
            let children = try coordinator.children()
            // Stopped as it is, so that the processes are there as long as they are looked at.
            coordinator.kill(SIGSTOP)
            let (servers, workers) = (children.filter(Self.isServer), children.filter { !Self.isServer($0) })
            #expect(servers.count == 2 && workers.count == 2)
            for server in servers {
                let gradients = try Self.touchedKilobytes(of: "dnn-gradients", in: server)
                let weights = try Self.touchedKilobytes(of: "dnn-weights", in: server)
                #expect(transport == "messages" ? gradients == nil && weights == nil : gradients ?? 0 > 0 && weights ?? 0 > 0)
                #expect(try Self.mayWrite("dnn-weights", in: server) == (transport == "auto"))
                #expect(try !Self.mayWrite("dnn-gradients", in: server))
            }
            for worker in workers {
                let weights = try Self.touchedKilobytes(of: "dnn-weights", in: worker)
                #expect(transport == "messages" ? weights == nil : weights ?? 0 > 0)
                #expect(try Self.mayWrite("dnn-gradients", in: worker) == (transport == "auto"))
                #expect(try !Self.mayWrite("dnn-weights", in: worker))
            }
            coordinator.kill(SIGCONT)
            #expect(coordinator.end() == 0, "\(coordinator.text)")
            #expect(try run.result.stateSha256 == reference.stateSha256)
        }
    }

    /// Rounded weights lie in the shared blocks beside the servers' own ones.
    @Test(arguments: [2, 3])
    func bf16OnTheWireIsTheSameOnBothPaths(count: Int) throws {
        let wire = ["--set", "cluster.wire=bf16"]
        let reference = try RunFiles.train(["--workers", "1"] + wire)
        for transport in ["auto", "messages"] {
            let result = try RunFiles.train(["--workers", "2"] + wire + Self.servers(count, transport))
            #expect(result.stateSha256 == reference.stateSha256, "\(transport)")
        }
    }

    /// The chunk of running statistics begins where no page does.
    @Test func runningValuesAreTheSameOnBothPaths() throws {
        let reference = try RunFiles.train(["--workers", "1"], runFile: ImageEndToEndTests.convolutional)
        for transport in ["auto", "messages"] {
            for (count, workers) in [(2, 2), (3, 3)] {
                let result = try RunFiles.train(
                    ["--workers", "\(workers)"] + Self.servers(count, transport), runFile: ImageEndToEndTests.convolutional)
                #expect(result.stateSha256 == reference.stateSha256, "\(count) servers, \(transport)")
            }
        }
    }

    /// Workers of this host share memory with its servers; one that comes over tcp gets copies, and so does everybody from the server
    /// that somebody else has started.
    @Test func bothPathsGoTogetherInOneRun() throws {
        let reference = try #require(Self.reference)
        let folder = try ResumableRun.makeFolder()
        let run = try ResumableRun(in: folder, Self.long + Self.servers(3, "auto"))
        let coordinator = try run.train(
            [
                "--workers", "1", "--local-servers", "1", "--bind", "tcp://127.0.0.1:0", "--insecure", "--set", "cluster.minimum_workers=2",
            ])
        let endpoint = try coordinator.invitation()
        let server = try RunningProgram(
            "dnn-coord", ["serve", "--connect", endpoint, "--bind", "tcp://127.0.0.1:0", "--insecure", "--name", "s", "--patience", "60"],
            in: folder)
        let worker = try RunningProgram("dnn-worker", ["--connect", endpoint, "--insecure", "--patience", "60"], in: folder)
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        #expect(worker.end() == 0, "\(worker.text)")
        #expect(server.end() == 0, "\(server.text)")
        #expect(try run.result.stateSha256 == reference.stateSha256)
        #expect(try run.result.workersSeen == 2)
    }
}
