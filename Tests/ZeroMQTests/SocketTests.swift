import OperatingSystem
import Testing
import ZeroMQ

/// A peer's queue ends soon after its connection, once the ROUTER has tried to receive.
private func becomesUnroutable(_ peer: RoutingID, at router: borrowing Socket) throws -> Bool {
    var message = Message(maximumParts: 2)
    let deadline = Machine.monotonicTime + patience
    while Machine.monotonicTime < deadline {
        if try router.sendAll(header: [1], to: peer, dontWait: true) == .unroutable { return true }
        _ = try router.receive(into: &message)
    }
    return false
}

@Suite struct SocketTests {
    @Test func messagesArriveWholeOverEveryTransport() throws {
        let folder = try TemporaryFolder(prefix: "socket-")
        for endpoint in endpoints(in: folder) {
            let context = try Context()
            let pair = try Pair(at: endpoint, in: context)
            try pair.client.send(texts: ["header", "", "body"])
            var message = Message(maximumParts: 4)
            let reception = try pair.server.receive(into: &message, dontWait: false)
            #expect(reception == .received)
            let texts = message.texts.dropFirst()
            #expect(texts == ["header", "", "body"])

            let sender = try message.sender()
            let delivery = try pair.server.sendAll(header: [1, 2, 3], to: sender)
            #expect(delivery == .sent)
            let answer = try pair.client.receive(dontWait: false)?.withBytes { Array($0) }
            #expect(answer == [1, 2, 3])
        }
    }

    @Test func bindingTellsTheChosenPort() throws {
        let context = try Context()
        let socket = try Socket(.router, in: context)
        let endpoint = try socket.bind("tcp://127.0.0.1:*")
        let port = try #require(Int(endpoint.dropFirst("tcp://127.0.0.1:".count)))
        #expect(port > 0)
        #expect(try socket.lastEndpoint() == endpoint)
        var monitor = try Monitor(of: socket)
        try socket.unbind(endpoint)
        #expect(try monitor.wait(for: .closed) != nil)
        let again = try Socket(.router, in: context)
        #expect(try again.bind(endpoint) == endpoint)
    }

    @Test(arguments: [
        ("tcp://127.0.0.1:65536", .invalid), ("carrier://pigeon", ZMQError.Code.protocolNotSupported), ("nonsense", .invalid),
        ("tcp://127.0.0.1:99999", .invalid),
        ("ipc:///no/such/folder/socket", .notFound), ("ipc://" + String(repeating: "x", count: 200), .nameTooLong),
    ])
    func anImpossibleEndpointIsNamed(endpoint: String, code: ZMQError.Code) throws {
        let context = try Context()
        let failure = #expect(throws: ZMQError.self) { try Socket(.router, in: context).bind(endpoint) }
        #expect(failure == ZMQError(code: code, call: "zmq_bind", subject: endpoint))
        #expect(failure?.description.contains(endpoint) == true)
    }

    @Test func anAddressInUseIsNamed() throws {
        let context = try Context()
        let first = try Socket(.router, in: context)
        let endpoint = try first.bind("tcp://127.0.0.1:*")
        let failure = #expect(throws: ZMQError.self) { try Socket(.router, in: context).bind(endpoint) }
        #expect(failure?.code == .addressInUse)
    }

    @Test func aRefusedOptionIsNamed() throws {
        let context = try Context()
        let failure = #expect(throws: ZMQError.self) { _ = try Socket(.router, in: context, options: .with { $0.backlog = -5 }).kind }
        #expect(failure?.description.contains("ZMQ_BACKLOG=-5") == true)
    }

    @Test func anEmptySocketHasNothing() throws {
        let context = try Context()
        let pair = try Pair(in: context)
        let isEmpty = try pair.server.receive() == nil
        #expect(isEmpty)
        var message = Message(maximumParts: 1)
        let reception = try pair.server.receive(into: &message)
        #expect(reception == .nothing)
    }

    @Test func aFullQueueWouldBlockAndKeepsTheFrame() throws {
        let context = try Context()
        let limit = SocketOptions.with { ($0.sendHighWaterMark, $0.receiveHighWaterMark) = (2, 3) }
        let pair = try Pair(.pair, .pair, in: context, serverOptions: limit, clientOptions: limit)
        let frame = Frame(copying: [7])
        var kept: Frame? = consume frame
        for _ in 0..<5 {  // at inproc both sides' limits add up
            let delivery = try pair.client.send(Frame(copying: [1]))
            #expect(delivery == .sent)
        }
        let delivery = try pair.client.send(&kept)
        #expect(delivery == .wouldBlock)
        let bytes = kept?.withBytes { Array($0) }
        #expect(bytes == [7])
        while let received = try pair.server.receive() { _ = received.byteCount }
        let second = try pair.client.send(&kept, dontWait: false)
        #expect(second == .sent)
        let isGone = kept == nil
        #expect(isGone)
    }

    @Test func aDealerWithoutAConnectionWouldBlock() throws {
        let context = try Context()
        let endpoint = try abandonedEndpoint(in: context)
        let client = try Socket(.dealer, in: context)
        try client.connect(endpoint)
        #expect(try client.sendAll(header: [1], dontWait: true) == .wouldBlock)
    }

    @Test func aFrameAboveTheLimitCutsThePeer() throws {
        let folder = try TemporaryFolder(prefix: "limit-")
        for endpoint in endpoints(in: folder).dropFirst() {
            let context = try Context()
            let server = try Socket(.router, in: context, options: .with { $0.maximumFrameByteCount = 1000 })
            var monitor = try Monitor(of: server)
            let address = try server.bind(endpoint)
            let client = try Socket(.dealer, in: context, options: .with())
            try client.connect(address)
            let legal = try client.send(Frame(copying: [UInt8](repeating: 1, count: 1000)), dontWait: false)
            #expect(legal == .sent)
            var message = Message(maximumParts: 2)
            let reception = try server.receive(into: &message, dontWait: false)
            #expect(reception == .received)
            let illegal = try client.send(Frame(copying: [UInt8](repeating: 1, count: 1001)), dontWait: false)
            #expect(illegal == .sent)
            let cut = try monitor.wait(for: .disconnected)
            #expect(cut != nil)
            let next = try server.receive(into: &message)
            #expect(next == .nothing)
        }
    }

    @Test func onePeerCanBeCut() throws {
        let folder = try TemporaryFolder(prefix: "cut-")
        for endpoint in endpoints(in: folder).dropFirst() {
            let context = try Context()
            let server = try Socket(.router, in: context, options: .with())
            var monitor = try Monitor(of: server)
            let address = try server.bind(endpoint)
            let victim = try Socket(.dealer, in: context, options: .with { $0.reconnectInterval = .seconds(3600) })
            let other = try Socket(.dealer, in: context, options: .with())
            var message = Message(maximumParts: 2)
            try other.connect(address)
            try other.send(texts: ["other"])
            _ = try server.receive(into: &message, dontWait: false)
            let bystander = try message.sender()
            try victim.connect(address)
            try victim.send(texts: ["victim"])
            _ = try server.receive(into: &message, dontWait: false)
            let sender = try message.sender()
            let descriptor = try message.source()
            #expect(PeerShutdown.shutdown(descriptor))
            let cut = try #require(try monitor.wait(for: .disconnected))
            #expect(cut.descriptor == descriptor)
            #expect(try server.sendAll(header: [1], to: bystander) == .sent)
            #expect(try becomesUnroutable(sender, at: server))
        }
    }
}

@Suite struct RouterTests {
    @Test func anUnknownPeerIsUnroutableAndTheBodyStays() throws {
        let context = try Context()
        let pair = try Pair(in: context)
        let stranger = try #require(([1, 2, 3] as [UInt8]).withUnsafeBytes { RoutingID($0) })
        var body: Frame? = Frame(copying: [9])
        let delivery = try ([0] as [UInt8]).withUnsafeBytes { try pair.server.send(to: stranger, header: $0, body: &body) }
        #expect(delivery == .unroutable)
        let bytes = body?.withBytes { Array($0) }
        #expect(bytes == [9])
    }

    @Test func aFullPeerWouldBlockWhileOthersGoOn() throws {
        let context = try Context()
        let limit = SocketOptions.with { ($0.sendHighWaterMark, $0.receiveHighWaterMark) = (1, 1) }
        let pair = try Pair(in: context, serverOptions: limit, clientOptions: limit)
        let second = try Socket(.dealer, in: context, options: limit)
        try second.connect(pair.endpoint)
        var message = Message(maximumParts: 2)
        var peers: [RoutingID] = []
        for client in 0..<2 {
            if client == 0 { try pair.client.send(texts: ["a"]) } else { try second.send(texts: ["b"]) }
            _ = try pair.server.receive(into: &message, dontWait: false)
            peers.append(try message.sender())
        }
        for _ in 0..<2 {
            #expect(try pair.server.sendAll(header: [1], to: peers[0], dontWait: true) == .sent)
        }
        var body: Frame? = Frame(copying: [9])
        let delivery = try ([0] as [UInt8]).withUnsafeBytes { try pair.server.send(to: peers[0], header: $0, body: &body) }
        #expect(delivery == .wouldBlock)
        let isKept = body != nil
        #expect(isKept)
        #expect(try pair.server.sendAll(header: [2], to: peers[1], dontWait: true) == .sent)
        let received = try second.receive(dontWait: false)?.withBytes { Array($0) }
        #expect(received == [2], "the refused message left no part behind")
    }

    @Test func aPeerThatLeftIsUnroutable() throws {
        let context = try Context()
        let server = try Socket(.router, in: context, options: .with())
        let endpoint = try server.bind("inproc://leaving")
        var message = Message(maximumParts: 2)
        let peer: RoutingID
        do {
            let client = try Socket(.dealer, in: context, options: .with())
            try client.connect(endpoint)
            try client.send(texts: ["bye"])
            _ = try server.receive(into: &message, dontWait: false)
            peer = try message.sender()
        }
        #expect(try becomesUnroutable(peer, at: server))
    }
}
