import OperatingSystem
import Testing
import Wire
import ZeroMQ

/// Peers that break every rule: they are cut and counted, nothing else notices.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct HostilePeerEndToEndTests {
    private static func header(_ change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: DataHeader.byteCount)
        bytes.withUnsafeMutableBytes { DataHeader(kind: .gradient, incarnation: 1, node: 4, session: 99).encode(into: $0) }
        change(&bytes)
        return bytes
    }

    private static func control(_ change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
        var bytes = ControlCodec.encode(WorkerMessage.heartbeat(session: 7, step: 0))
        change(&bytes)
        return bytes
    }

    /// What a peer says on the control port.
    private static let onControl: [[[UInt8]]] = [
        [control { $0[0] ^= 1 }], [control { $0[4] = 99 }], [Array(control().prefix(5))], [[]], [control(), control()],
        [control { $0.removeLast(3) }], [Array(repeating: 0x5B, count: 60_000)], [Array(repeating: 0, count: 1 << 20)],
        Array(repeating: [1, 2, 3], count: 500), [control()],
    ]

    /// And on the data port.
    private static let onData: [[[UInt8]]] = [
        [header { $0[0] ^= 1 }], [header { $0[4] = 99 }], [header { $0[6] = 200 }], [header { $0[7] = 1 }], [Array(header().prefix(63))],
        [header { $0[56] = 9 }, [1, 2, 3]], [header(), Array(repeating: 0, count: 3 << 20)], [header()],
        [header { $0[8] = 77 }], [header { $0[24] = 77 }], [[]], Array(repeating: [1, 2, 3], count: 500),
    ]

    @Test func aRunBesideThemIsNotTouched() throws {
        let long = ["--set", "training.epochs=40"]
        let reference = try RunFiles.train(["--workers", "1"] + long)
        let folder = try TemporaryFolder(prefix: "dnn-e2e-")
        let file = try RunFiles.write(RunFiles.digits, to: folder)
        let coordinator = try RunningProgram(
            "dnn-coord",
            ["train", file, "--output", folder.appending("run"), "--workers", "1", "--bind", "tcp://127.0.0.1:0", "--insecure"] + long,
            in: folder)
        let endpoint = try coordinator.invitation()
        try coordinator.line(containing: "epoch 1/")
        let data = try dataEndpoint(control: endpoint)
        try play(Self.onControl, at: endpoint)
        try play(Self.onData, at: data)
        #expect(coordinator.end() == 0, "\(coordinator.text)")
        let result = try Result(folder: folder.appending("run"))
        #expect(result.weightsSha256 == reference.weightsSha256)
        #expect(result.events.framesDropped >= Self.onControl.count - 3, "\(result.events)")
        #expect(result.events.workersLost == 0 && result.workersSeen == 1)
    }

    /// What the coordinator tells everybody who says hello.
    private func dataEndpoint(control endpoint: String) throws -> String {
        let socket = try Socket(.dealer, in: Context())
        try socket.connect(endpoint)
        let hello = Hello(
            protocolVersion: WireProtocol.version, numericsVersion: 3, name: "spy", processID: 1, host: "nowhere", instance: 1)
        #expect(try socket.send(Frame(copying: ControlCodec.encode(WorkerMessage.hello(hello))), dontWait: false) == .sent)
        var message = Message(maximumParts: 1)
        let reception = try socket.receive(into: &message, dontWait: false)
        try #require(reception == .received)
        let answer = try ControlCodec.decode(CoordinatorMessage.self, from: message.bytes(at: 0))
        guard case .welcome(let welcome) = answer, let port = welcome.dataPort, let colon = endpoint.lastIndex(of: ":") else {
            throw RunningProgram.Failure(description: "\(answer)")
        }
        return "\(endpoint[..<colon]):\(port)"
    }

    /// Every message over a connection of its own; what can't be sent because nobody listens is left.
    private func play(_ messages: [[[UInt8]]], at endpoint: String) throws {
        let context = try Context()
        for message in messages {
            var options = SocketOptions()
            options.linger = .milliseconds(500)
            options.waitLimit = .milliseconds(300)
            let socket = try Socket(.dealer, in: context, options: options)
            try socket.connect(endpoint)
            for (index, part) in message.enumerated() {
                guard try socket.send(Frame(copying: part), more: index + 1 < message.count, dontWait: index > 0) == .sent else { break }
            }
        }
    }
}
