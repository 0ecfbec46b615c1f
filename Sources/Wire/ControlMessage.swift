internal import Foundation

/// What a worker says on its control socket.
public enum WorkerMessage: Codable, Equatable, Sendable {
    case hello(Hello)
    /// The worker has built the net and run the probe.
    case ready(session: UInt64, leafClass: String)
    /// Alive; `step` is what its compute thread is at, `leafMicroseconds` what a leaf has taken it since the last heartbeat.
    case heartbeat(session: UInt64, step: UInt64, leafMicroseconds: Int? = nil)
    /// The compute thread has taken the lease with this sequence number.
    case leaseTaken(session: UInt64, sequence: UInt64)
    /// It has all rows that the lease with this sequence number asks for, those under `fetch` too.
    case fetched(session: UInt64, sequence: UInt64)
    /// It goes by its own will; its leases are free.
    case leaving(session: UInt64, reason: String)
    /// It can't go on; the text is its last error.
    case failed(session: UInt64, error: String)
    /// The first word of a parameter server.
    case serve(ServerHello)
    /// The parameter server listens: tcp, ipc or both.
    case serving(session: UInt64, endpoints: [String])
}

/// What the coordinator says on its control socket.
public enum CoordinatorMessage: Codable, Equatable, Sendable {
    case welcome(Welcome)
    case refused(Refusal)
    case lease(Lease)
    case evaluate(Evaluation)
    case heartbeat
    /// The session is not known (any more): say hello again.
    case unknownSession
    /// The run is over; workers exit with 0.
    case finished(outcome: String)
    /// To a parameter server: its part of the run.
    case serve(ServerWelcome)
    /// To a parameter server: the workers that have sessions, all of them.
    case sessions([ServedSession])
    /// To a parameter server: the keys that its sockets let in, as Z85.
    case allowed([String])
}

/// The first word of a worker.
public struct Hello: Codable, Equatable, Sendable {
    public var protocolVersion: UInt16
    public var numericsVersion: Int
    public var name: String
    public var processID: Int32
    /// Of the host the worker runs on; tells local workers from remote ones in messages.
    public var host: String
    /// Drawn by the worker when it begins: tells one that comes again from a namesake.
    public var instance: UInt64

    public init(protocolVersion: UInt16, numericsVersion: Int, name: String, processID: Int32, host: String, instance: UInt64) {
        self.protocolVersion = protocolVersion
        self.numericsVersion = numericsVersion
        self.name = name
        self.processID = processID
        self.host = host
        self.instance = instance
    }
}

/// All that a worker needs to know of a run before it holds data: everything but rows and weights.
public struct Welcome: Codable, Equatable, Sendable {
    public var session: UInt64
    /// Of the run folder: two runs of one run file are told apart by it.
    public var runID: String
    /// Rises at every start of the run's coordinator; what belongs to another one is dropped.
    public var incarnation: UInt32
    public var runSHA256: String
    public var dataSHA256: String
    public var heartbeatMilliseconds: Int
    /// The TCP port of the data socket; nil over ipc, where the name follows from the control endpoint.
    public var dataPort: UInt16?
    /// The other parameter servers, in the order of their chunks; nil where the coordinator is the only one.
    public var servers: [ServerAddress]?
    /// The run's description, encoded by the layer that understands it; base64 on the wire, where JSON numbers would be thrice as long.
    public var run: [UInt8]

    public init(
        session: UInt64, runID: String, incarnation: UInt32, runSHA256: String, dataSHA256: String, heartbeatMilliseconds: Int,
        dataPort: UInt16?, servers: [ServerAddress]? = nil, run: [UInt8]
    ) {
        self.session = session
        self.runID = runID
        self.incarnation = incarnation
        self.runSHA256 = runSHA256
        self.dataSHA256 = dataSHA256
        self.heartbeatMilliseconds = heartbeatMilliseconds
        self.dataPort = dataPort
        self.servers = servers
        self.run = run
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        session = try values.decode(UInt64.self, forKey: .session)
        runID = try values.decode(String.self, forKey: .runID)
        incarnation = try values.decode(UInt32.self, forKey: .incarnation)
        runSHA256 = try values.decode(String.self, forKey: .runSHA256)
        dataSHA256 = try values.decode(String.self, forKey: .dataSHA256)
        heartbeatMilliseconds = try values.decode(Int.self, forKey: .heartbeatMilliseconds)
        dataPort = try values.decodeIfPresent(UInt16.self, forKey: .dataPort)
        servers = try values.decodeIfPresent([ServerAddress].self, forKey: .servers)
        run = Array(try values.decode(Data.self, forKey: .run))
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(session, forKey: .session)
        try values.encode(runID, forKey: .runID)
        try values.encode(incarnation, forKey: .incarnation)
        try values.encode(runSHA256, forKey: .runSHA256)
        try values.encode(dataSHA256, forKey: .dataSHA256)
        try values.encode(heartbeatMilliseconds, forKey: .heartbeatMilliseconds)
        try values.encodeIfPresent(dataPort, forKey: .dataPort)
        try values.encodeIfPresent(servers, forKey: .servers)
        try values.encode(Data(run), forKey: .run)
    }

    private enum CodingKeys: String, CodingKey {
        case session, runID, incarnation, runSHA256, dataSHA256, heartbeatMilliseconds, dataPort, servers, run
    }
}

/// Why a worker may not take part: what was compared, both values, what would help.
public struct Refusal: Codable, Equatable, Sendable, CustomStringConvertible {
    public var subject: String
    public var theirs: String
    public var ours: String
    public var advice: String

    public init(subject: String, theirs: String, ours: String, advice: String) {
        self.subject = subject
        self.theirs = theirs
        self.ours = ours
        self.advice = advice
    }

    public var description: String { "\(subject): the worker has \(theirs), the run has \(ours); \(advice)" }
}

/// What a worker is to compute until it is told otherwise. A steady step needs no message.
public struct Lease: Codable, Equatable, Sendable {
    /// Rises with every lease of a session; an older one is ignored.
    public var sequence: UInt64
    public var shards: [Int]
    /// The complete weights version when the lease was given.
    public var step: UInt64
    /// Steps below it may be computed; at it the worker waits for the next word.
    public var until: UInt64
    /// Of `shards`, those whose part of `step` is to be computed again: what came of it was not finite.
    public var recompute: [Int]?
    /// Shards that it is about to get: their rows are to be fetched beside the work.
    public var fetch: [Int]?
    /// Nodes of others that it computes too in every step that is audited, after its own; only their checksums travel.
    public var audits: [UInt32]?

    public init(
        sequence: UInt64, shards: [Int], step: UInt64, until: UInt64, recompute: [Int]? = nil, fetch: [Int]? = nil,
        audits: [UInt32]? = nil
    ) {
        self.recompute = recompute
        self.fetch = fetch
        self.audits = audits
        self.sequence = sequence
        self.shards = shards
        self.step = step
        self.until = until
    }
}

/// Parts of the data that a run knows.
public enum PartID: UInt32, Codable, Sendable, CaseIterable {
    case train = 0
    case validation = 1
    case test = 2
    /// The fixed sample of training rows that is looked at in every validation.
    case sample = 3
}

/// An order to evaluate shards of some parts in inference mode.
public struct Evaluation: Codable, Equatable, Sendable {
    /// Rises with every evaluation of the run.
    public var number: UInt64
    /// The weights: a step's version, or `bestVersion`.
    public var version: UInt64
    public var parts: [PartID]
    public var shards: [Int]

    /// Stands for the weights that early stopping has kept.
    public static let bestVersion = UInt64.max

    public init(number: UInt64, version: UInt64, parts: [PartID], shards: [Int]) {
        self.number = number
        self.version = version
        self.parts = parts
        self.shards = shards
    }
}

/// A control message is an 8-byte preamble (magic "DNNc", version u16, zero u16) and a JSON object.
public enum ControlCodec {
    static let magic: UInt32 = 0x634E_4E44
    static let preambleByteCount = 8

    public static func encode(_ message: some Encodable) -> [UInt8] {
        var bytes: [UInt8] = []
        withUnsafeBytes(of: magic.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: WireProtocol.version.littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: [0, 0])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do {
            bytes.append(contentsOf: try encoder.encode(message))
        } catch {
            preconditionFailure("a control message can't be written as JSON: \(error)")
        }
        return bytes
    }

    public static func decode<Message: Decodable>(_ type: Message.Type, from bytes: UnsafeRawBufferPointer) throws(WireError) -> Message {
        guard bytes.count >= preambleByteCount else { throw .headerLength(bytes.count) }
        guard bytes.count <= WireProtocol.maximumControlBytes else {
            throw .oversized(bytes: bytes.count, limit: WireProtocol.maximumControlBytes)
        }
        guard UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)) == magic else { throw .foreignProtocol }
        let version = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
        guard version == WireProtocol.version else { throw .version(theirs: version, ours: WireProtocol.version) }
        guard bytes[6] == 0, bytes[7] == 0 else { throw .reservedByte }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes[preambleByteCount...]))
        } catch {
            throw .malformed("a control message that can't be read: \(error)")
        }
    }
}
