import Testing
import Wire

/// Protocol.md, "Control messages".
@Suite struct ControlCodecTests {
    static let workerMessages: [(message: WorkerMessage, json: String)] = [
        (
            .hello(
                Hello(protocolVersion: .max, numericsVersion: .max, name: "n\u{0}\"\\\u{1F600}", processID: .min, host: "", instance: .max)),
            #"{"hello":{"_0":{"host":"","instance":18446744073709551615,"name":"n\u0000\"\\😀","numericsVersion":9223372036854775807,"#
                + #""processID":-2147483648,"protocolVersion":65535}}}"#
        ),
        (
            .hello(Hello(protocolVersion: 0, numericsVersion: .min, name: "", processID: 0, host: "h", instance: 0)),
            #"{"hello":{"_0":{"host":"h","instance":0,"name":"","numericsVersion":-9223372036854775808,"processID":0,"protocolVersion":0}}}"#
        ),
        (.ready(session: .max, leafClass: ""), #"{"ready":{"leafClass":"","session":18446744073709551615}}"#),
        (.heartbeat(session: 0, step: .max), #"{"heartbeat":{"session":0,"step":18446744073709551615}}"#),
        (.leaseTaken(session: .max, sequence: .max), #"{"leaseTaken":{"sequence":18446744073709551615,"session":18446744073709551615}}"#),
        (.leaving(session: 1, reason: "a\nb"), #"{"leaving":{"reason":"a\nb","session":1}}"#),
        (.failed(session: 1, error: "é"), #"{"failed":{"error":"é","session":1}}"#),
        (
            .serve(ServerHello(protocolVersion: 3, numericsVersion: 1, name: "s", processID: 7, host: "h", publicKey: nil)),
            #"{"serve":{"_0":{"host":"h","name":"s","numericsVersion":1,"processID":7,"protocolVersion":3}}}"#
        ),
        (
            .serving(session: .max, endpoints: ["tcp:a:1", ""]),
            #"{"serving":{"endpoints":["tcp:a:1",""],"session":18446744073709551615}}"#
        ),
    ]

    static let coordinatorMessages: [(message: CoordinatorMessage, json: String)] = [
        (
            .welcome(
                Welcome(
                    session: .max, runID: "i", incarnation: .max, runSHA256: "r", dataSHA256: "d", heartbeatMilliseconds: .max,
                    dataPort: .max,
                    servers: [ServerAddress(endpoint: "e", publicKey: nil, firstChunk: 1, chunkCount: 2)], run: [0, 255, 16])),
            #"{"welcome":{"_0":{"dataPort":65535,"dataSHA256":"d","heartbeatMilliseconds":9223372036854775807,"#
                + #""incarnation":4294967295,"run":"AP8Q","runID":"i","runSHA256":"r","#
                + #""servers":[{"chunkCount":2,"endpoint":"e","firstChunk":1}],"session":18446744073709551615}}}"#
        ),
        (
            .welcome(
                Welcome(
                    session: 0, runID: "", incarnation: 0, runSHA256: "", dataSHA256: "", heartbeatMilliseconds: 0, dataPort: nil, run: [])),
            #"{"welcome":{"_0":{"dataSHA256":"","heartbeatMilliseconds":0,"incarnation":0,"run":"","runID":"","runSHA256":"","session":0}}}"#
        ),
        (
            .refused(Refusal(subject: "s", theirs: "t", ours: "o", advice: "a")),
            #"{"refused":{"_0":{"advice":"a","ours":"o","subject":"s","theirs":"t"}}}"#
        ),
        (
            .lease(Lease(sequence: .max, shards: [], step: .max, until: .max)),
            #"{"lease":{"_0":{"sequence":18446744073709551615,"shards":[],"step":18446744073709551615,"until":18446744073709551615}}}"#
        ),
        (
            .lease(Lease(sequence: 1, shards: [0, .max, .min], step: 0, until: 0)),
            #"{"lease":{"_0":{"sequence":1,"shards":[0,9223372036854775807,-9223372036854775808],"step":0,"until":0}}}"#
        ),
        (
            .evaluate(Evaluation(number: 1, version: Evaluation.bestVersion, parts: PartID.allCases, shards: [7])),
            #"{"evaluate":{"_0":{"number":1,"parts":[0,1,2,3],"shards":[7],"version":18446744073709551615}}}"#
        ),
        (
            .evaluate(Evaluation(number: .max, version: 0, parts: [], shards: [])),
            #"{"evaluate":{"_0":{"number":18446744073709551615,"parts":[],"shards":[],"version":0}}}"#
        ),
        (.heartbeat, #"{"heartbeat":{}}"#),
        (.unknownSession, #"{"unknownSession":{}}"#),
        (.finished(outcome: "completed"), #"{"finished":{"outcome":"completed"}}"#),
        (
            .serve(
                ServerWelcome(session: .max, runID: "i", incarnation: .max, heartbeatMilliseconds: 0, token: 1, assignment: "a")),
            #"{"serve":{"_0":{"assignment":"a","heartbeatMilliseconds":0,"incarnation":4294967295,"runID":"i","#
                + #""session":18446744073709551615,"token":1}}}"#
        ),
        (
            .sessions([ServedSession(session: 2, isAdmitted: true, userID: "k"), ServedSession(session: 3, isAdmitted: false, userID: nil)]
            ),
            #"{"sessions":{"_0":[{"isAdmitted":true,"session":2,"userID":"k"},{"isAdmitted":false,"session":3}]}}"#
        ),
        (.allowed([]), #"{"allowed":{"_0":[]}}"#),
    ]

    @Test(arguments: workerMessages.indices)
    func whatWorkersSaySurvivesTheWire(index: Int) throws {
        let (message, json) = Self.workerMessages[index]
        #expect(ControlCodec.encode(message) == controlMessage(json))
        #expect(try decodeControl(WorkerMessage.self, controlMessage(json)) == message)
    }

    @Test(arguments: coordinatorMessages.indices)
    func whatTheCoordinatorSaysSurvivesTheWire(index: Int) throws {
        let (message, json) = Self.coordinatorMessages[index]
        #expect(ControlCodec.encode(message) == controlMessage(json))
        #expect(try decodeControl(CoordinatorMessage.self, controlMessage(json)) == message)
    }

    static let encoded =
        workerMessages.map { ControlCodec.encode($0.message) } + coordinatorMessages.map { ControlCodec.encode($0.message) }

    @Test(arguments: encoded.indices)
    func everyTruncationIsRefused(index: Int) {
        let bytes = Self.encoded[index]
        for length in 0..<bytes.count {
            let short = Array(bytes[..<length])
            #expect(throws: WireError.self) { try decodeControl(WorkerMessage.self, short) }
            #expect(throws: WireError.self) { try decodeControl(CoordinatorMessage.self, short) }
        }
        for length in 0..<8 {
            #expect(throws: WireError.headerLength(length)) { try decodeControl(WorkerMessage.self, Array(bytes[..<length])) }
        }
    }

    @Test func theLimitIsTheLongestMessage() throws {
        let json = #"{"heartbeat":{}}"#
        let padding = String(repeating: " ", count: WireProtocol.maximumControlBytes - 8 - json.utf8.count)
        let longest = controlMessage(json + padding)
        #expect(longest.count == WireProtocol.maximumControlBytes)
        #expect(try decodeControl(CoordinatorMessage.self, longest) == .heartbeat)
        let limit = WireProtocol.maximumControlBytes
        #expect(throws: WireError.oversized(bytes: limit + 1, limit: limit)) {
            try decodeControl(CoordinatorMessage.self, longest + [32])
        }
    }

    @Test(arguments: 0..<4)
    func anotherMagicIsForeign(byte: Int) {
        var bytes = ControlCodec.encode(CoordinatorMessage.heartbeat)
        bytes[byte] ^= 0x20
        #expect(throws: WireError.foreignProtocol) { try decodeControl(CoordinatorMessage.self, bytes) }
    }

    @Test(arguments: [0, 1, 2, 3, 256, UInt16.max])
    func anotherVersionIsNamed(version: UInt16) {
        var bytes = ControlCodec.encode(CoordinatorMessage.heartbeat)
        (bytes[4], bytes[5]) = (UInt8(truncatingIfNeeded: version), UInt8(version >> 8))
        #expect(throws: WireError.version(theirs: version, ours: 4)) { try decodeControl(CoordinatorMessage.self, bytes) }
    }

    @Test(arguments: [6, 7])
    func theReservedBytesAreZero(byte: Int) {
        var bytes = ControlCodec.encode(CoordinatorMessage.heartbeat)
        bytes[byte] = 1
        #expect(throws: WireError.reservedByte) { try decodeControl(CoordinatorMessage.self, bytes) }
    }

    @Test(arguments: [
        "", "null", "[]", "1", #""heartbeat""#, "{}", #"{"greetings":{}}"#, #"{"heartbeat":{"session":1,"step":1},"ready":{}}"#,
        #"{"heartbeat":{"session":1}}"#, #"{"heartbeat":{"session":-1,"step":1}}"#, #"{"heartbeat":{"session":1.5,"step":1}}"#,
        #"{"heartbeat":{"session":18446744073709551616,"step":1}}"#, #"{"heartbeat":{"session":1e400,"step":1}}"#,
        #"{"heartbeat":{"session":"1","step":1}}"#, #"{"heartbeat":{"session":null,"step":1}}"#,
        #"{"heartbeat":{"session":1,"step":1}} {}"#, #"{"heartbeat":{"session":1,"step":1}}x"#, #"{"heartbeat":[1,1]}"#,
        #"{"ready":{"session":1,"leafClass":"\uD800"}}"#,
    ])
    func whatIsNoWorkerMessageIsRefused(json: String) {
        #expect(throws: WireError.self) { try decodeControl(WorkerMessage.self, controlMessage(json)) }
    }

    @Test(arguments: [
        #"{"evaluate":{"_0":{"number":1,"parts":[4],"shards":[],"version":0}}}"#,
        #"{"lease":{"_0":{"sequence":1,"shards":[9223372036854775808],"step":0,"until":0}}}"#,
        #"{"welcome":{"_0":{"dataSHA256":"","heartbeatMilliseconds":0,"incarnation":0,"run":"*","runID":"","runSHA256":"","session":0}}}"#,
        #"{"welcome":{"_0":{"dataPort":65536,"dataSHA256":"","heartbeatMilliseconds":0,"incarnation":0,"run":"","runID":"","runSHA256":"","session":0}}}"#,
    ])
    func whatIsNoCoordinatorMessageIsRefused(json: String) {
        #expect(throws: WireError.self) { try decodeControl(CoordinatorMessage.self, controlMessage(json)) }
    }

    @Test func unknownMembersAndWhiteSpaceAreIgnored() throws {
        let json = #" { "later" : [ 1 ] , "heartbeat" : { "step" : 2 , "more" : {} , "session" : 1 } } "#
        #expect(try decodeControl(WorkerMessage.self, controlMessage(json)) == .heartbeat(session: 1, step: 2))
    }

    @Test func deepNestingIsRefused() {
        for opening in ["[", #"{"heartbeat":"#] {
            let json = String(repeating: opening, count: 200_000)
            #expect(throws: WireError.self) { try decodeControl(WorkerMessage.self, controlMessage(json)) }
        }
    }

    /// An error's text goes to a log; a peer must not fill it.
    static let longestErrorText = 400

    @Test func anErrorQuotesOnlySoMuch() {
        let json = #"{"heartbeat":{"session":"# + String(repeating: "9", count: 100_000) + #","step":1}}"#
        let error = #expect(throws: WireError.self) { try decodeControl(WorkerMessage.self, controlMessage(json)) }
        #expect((error?.description.count ?? .max) < Self.longestErrorText)
    }
}
