import Testing
import ZeroMQ

@Suite struct CurveKeyTests {
    /// The client's pair of the manual page zmq_curve(7), "Test key values".
    private static let knownPublic = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
    private static let knownSecret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

    @Test func thePublicKeyFollowsFromTheSecretOne() throws {
        let secret = try #require(CurveSecretKey(z85: Self.knownSecret))
        #expect(try CurveKeyPair(secretKey: secret).publicKey.z85 == Self.knownPublic)
        let made = try CurveKeyPair.generate()
        #expect(try CurveKeyPair(secretKey: made.secretKey).publicKey == made.publicKey)
    }

    @Test func keysAreReadAsText() throws {
        let key = try #require(CurvePublicKey(z85: Self.knownPublic))
        #expect(key.z85 == Self.knownPublic)
        #expect(CurveSecretKey(z85: Self.knownSecret)?.revealedZ85 == Self.knownSecret)
    }

    @Test(arguments: ["", "short", String(repeating: "~", count: 40), String(repeating: "a", count: 41), String(repeating: "ä", count: 20)])
    func whatIsNoKeyIsRefused(text: String) {
        #expect(CurvePublicKey(z85: text) == nil)
        #expect(CurveSecretKey(z85: text) == nil)
    }

    @Test func secretsDoNotAppearInText() throws {
        let pair = try CurveKeyPair.generate()
        let server = Security.curveServer(pair.secretKey)
        var dumped = ""
        dump(server, to: &dumped)
        dump(pair, to: &dumped)
        dumped += "\(pair) \(server) \(String(reflecting: pair))"
        #expect(dumped.contains("hidden"))
        #expect(!dumped.contains(pair.secretKey.revealedZ85))
        var alone = ""
        dump(pair.secretKey, to: &alone)
        #expect(alone == "- CurveSecretKey(hidden)\n", "nor its bytes")
    }
}

@Suite struct AuthenticatorTests {
    private let serverKeys: CurveKeyPair
    private let clientKeys: CurveKeyPair

    init() throws {
        serverKeys = try CurveKeyPair.generate()
        clientKeys = try CurveKeyPair.generate()
    }

    private var serverOptions: SocketOptions {
        .with {
            $0.security = .curveServer(serverKeys.secretKey)
            $0.authenticationDomain = "control"
        }
    }

    private func clientOptions(_ keys: CurveKeyPair, server: CurvePublicKey) -> SocketOptions {
        .with { $0.security = .curveClient(keys, server: server) }
    }

    @Test func aKeyOnTheListMayTalk() throws {
        let context = try Context()
        var authenticator = try Authenticator(in: context, allowed: [clientKeys.publicKey])
        let pair = try Pair(
            at: "tcp://127.0.0.1:*", in: context, serverOptions: serverOptions,
            clientOptions: clientOptions(clientKeys, server: serverKeys.publicKey))
        let decision = try authenticator.wait()
        #expect(decision?.key == clientKeys.publicKey)
        #expect(decision?.domain == "control")
        #expect(decision?.address == "127.0.0.1")
        #expect(decision?.isAllowed == true)
        try pair.client.send(texts: ["secret"])
        var message = Message(maximumParts: 2)
        let reception = try pair.server.receive(into: &message, dontWait: false)
        #expect(reception == .received)
        let (user, address, texts) = (message.userID, message.peerAddress, message.texts.dropFirst())
        #expect(texts == ["secret"])
        #expect(user == clientKeys.publicKey.z85)
        #expect(address == "127.0.0.1")
    }

    @Test func aKeyThatIsNotOnTheListIsRefusedAndToldSo() throws {
        let context = try Context()
        var authenticator = try Authenticator(in: context, allowed: [])
        let server = try Socket(.router, in: context, options: serverOptions)
        var monitor = try Monitor(of: server)
        let endpoint = try server.bind("tcp://127.0.0.1:*")
        let client = try Socket(.dealer, in: context, options: clientOptions(clientKeys, server: serverKeys.publicKey))
        var clientMonitor = try Monitor(of: client)
        try client.connect(endpoint)
        let decision = try authenticator.wait()
        #expect(decision?.key == clientKeys.publicKey)
        #expect(decision?.isAllowed == false)
        let (here, there) = (
            try monitor.wait { $0.failure != nil }?.failure, try clientMonitor.wait { $0.failure != nil }?.failure
        )
        #expect(here == .refused(status: 400))
        #expect(there == .refused(status: 400))
        #expect(try client.sendAll(header: [1], dontWait: true) == .wouldBlock)
    }

    @Test func aKeyAddedLaterIsLetIn() throws {
        let context = try Context()
        var authenticator = try Authenticator(in: context, allowed: [])
        authenticator.allowed.insert(clientKeys.publicKey)
        let pair = try Pair(
            at: "tcp://127.0.0.1:*", in: context, serverOptions: serverOptions,
            clientOptions: clientOptions(clientKeys, server: serverKeys.publicKey))
        let decision = try authenticator.wait()
        #expect(decision?.isAllowed == true)
        #expect(try pair.client.sendAll(header: [1]) == .sent)
    }

    @Test func aPeerWithoutEncryptionIsNotSpokenTo() throws {
        let context = try Context()
        let server = try Socket(.router, in: context, options: serverOptions)
        var monitor = try Monitor(of: server)
        let endpoint = try server.bind("tcp://127.0.0.1:*")
        let client = try Socket(.dealer, in: context, options: .with())
        try client.connect(endpoint)
        let failure = try monitor.wait { $0.failure != nil }?.failure
        #expect(failure == .mechanismMismatch)
    }

    @Test func aWrongServerKeyFails() throws {
        let context = try Context()
        let server = try Socket(.router, in: context, options: serverOptions)
        var monitor = try Monitor(of: server)
        let endpoint = try server.bind("tcp://127.0.0.1:*")
        let client = try Socket(.dealer, in: context, options: clientOptions(clientKeys, server: clientKeys.publicKey))
        try client.connect(endpoint)
        let failure = try monitor.wait { $0.failure != nil }?.failure
        #expect(failure == .wrongKey)
    }

    @Test func aPeerThatOnlyHasADomainIsRefused() throws {
        let context = try Context()
        var authenticator = try Authenticator(in: context, allowed: [clientKeys.publicKey])
        let pair = try Pair(at: "tcp://127.0.0.1:*", in: context, serverOptions: .with { $0.authenticationDomain = "open" })
        let decision = try authenticator.wait()
        #expect(decision?.key == nil)
        #expect(decision?.isAllowed == false)
        #expect(pair.server.kind == .router)
    }
}

extension Authenticator {
    /// The next decision, nil if none is asked for within the tests' patience.
    fileprivate mutating func wait() throws -> Decision? {
        var poller = Poller()
        _ = poller.add(self)
        try poller.wait(timeout: patience)
        return try answer()
    }
}
