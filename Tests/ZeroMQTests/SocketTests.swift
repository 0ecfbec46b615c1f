import OperatingSystem
import Testing
import ZeroMQ

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
        try socket.unbind(endpoint)
        let again = try Socket(.router, in: context)
        #expect(try again.bind(endpoint) == endpoint)
    }

    @Test(arguments: [
        ("carrier://pigeon", ZMQError.Code.protocolNotSupported), ("nonsense", .invalid), ("tcp://127.0.0.1:99999", .invalid),
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
        let second = try pair.client.send(&kept)
        #expect(second == .sent)
        let isGone = kept == nil
        #expect(isGone)
    }

    @Test func aDealerWithoutAConnectionWouldBlock() throws {
        let context = try Context()
        let listener = try Socket(.router, in: context)
        let endpoint = try listener.bind("tcp://127.0.0.1:*")
        try listener.unbind(endpoint)
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
            for byteCount in [1000, 1001] {
                let block = Block(byteCount: byteCount)
                let delivery = try client.send(Frame(copying: block.view), dontWait: false)
                #expect(delivery == .sent)
            }
            let cut = try monitor.wait(for: .disconnected)
            #expect(cut != nil)
            var message = Message(maximumParts: 2)
            _ = try server.receive(into: &message)
            let count = message.byteCount(at: 1)
            #expect(count == 1000, "what was allowed has arrived")
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
            // Its pipe ends soon after its connection.
            var delivery = Delivery.sent
            while delivery == .sent { delivery = try server.sendAll(header: [1], to: sender) }
            #expect(delivery == .unroutable)
        }
    }
}

@Suite struct RouterTests {
    @Test func anUnknownPeerIsUnroutableAndTheBodyStays() throws {
        let context = try Context()
        let pair = try Pair(in: context)
        let stranger = try #require(([1, 2, 3] as [UInt8]).withUnsafeBytes { RoutingID($0) })
        var body: Frame? = Frame(copying: [9])
        let header: [UInt8] = [0]
        let delivery = try pair.server.send(to: stranger, header: header.span.bytes, body: &body)
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
        let header: [UInt8] = [0]
        let delivery = try pair.server.send(to: peers[0], header: header.span.bytes, body: &body)
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
        var delivery = Delivery.sent
        while delivery == .sent { delivery = try server.sendAll(header: [1], to: peer) }
        #expect(delivery == .unroutable)
    }
}
