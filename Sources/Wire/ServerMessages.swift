/// The first word of a parameter server that is not the coordinator's own.
public struct ServerHello: Codable, Equatable, Sendable {
    public var protocolVersion: UInt16
    public var numericsVersion: Int
    public var name: String
    public var processID: Int32
    public var host: String
    /// The key that its tcp socket is known by, as Z85; nil where it is not protected.
    public var publicKey: String?

    public init(
        protocolVersion: UInt16, numericsVersion: Int, name: String, processID: Int32, host: String, publicKey: String?
    ) {
        self.protocolVersion = protocolVersion
        self.numericsVersion = numericsVersion
        self.name = name
        self.processID = processID
        self.host = host
        self.publicKey = publicKey
    }
}

/// What a parameter server needs to know of a run.
public struct ServerWelcome: Codable, Equatable, Sendable {
    public var session: UInt64
    public var runID: String
    public var incarnation: UInt32
    public var heartbeatMilliseconds: Int
    /// What the coordinator's data connection attaches with.
    public var token: UInt64
    /// Net, rule and chunks, encoded by the layer that understands them.
    public var assignment: String

    public init(session: UInt64, runID: String, incarnation: UInt32, heartbeatMilliseconds: Int, token: UInt64, assignment: String) {
        self.session = session
        self.runID = runID
        self.incarnation = incarnation
        self.heartbeatMilliseconds = heartbeatMilliseconds
        self.token = token
        self.assignment = assignment
    }
}

/// A worker's session as a parameter server knows it.
public struct ServedSession: Codable, Equatable, Sendable {
    public var session: UInt64
    /// Whether the worker's kernels give the run's bits: only then it may contribute.
    public var isAdmitted: Bool
    /// The key that its data connection has to come with, as Z85; nil where connections are not protected.
    public var userID: String?
    /// The number of its gradient segment, for servers that share memory with it; nil: its values travel in messages.
    public var segment: Int?

    public init(session: UInt64, isAdmitted: Bool, userID: String?, segment: Int? = nil) {
        self.session = session
        self.isAdmitted = isAdmitted
        self.userID = userID
        self.segment = segment
    }
}

/// Where a worker finds a parameter server, and which chunks it owns.
public struct ServerAddress: Codable, Equatable, Sendable {
    public var endpoint: String
    /// As Z85; nil where the connection is not protected.
    public var publicKey: String?
    public var firstChunk: Int
    public var chunkCount: Int
    /// True if gradients and weights of these chunks lie in memory that the worker shares, else nil.
    public var sharesMemory: Bool?

    public init(endpoint: String, publicKey: String?, firstChunk: Int, chunkCount: Int, sharesMemory: Bool? = nil) {
        self.endpoint = endpoint
        self.publicKey = publicKey
        self.firstChunk = firstChunk
        self.chunkCount = chunkCount
        self.sharesMemory = sharesMemory
    }
}

/// Some shards, and an element of the layout that they are named for.
public struct ShardList: Equatable, Sendable {
    /// 0 where there is none.
    public var element: UInt64
    /// Ascending.
    public var shards: [UInt32]

    public init(element: UInt64, shards: [UInt32]) {
        self.element = element
        self.shards = shards
    }

    public var byteCount: Int { 8 + 4 * shards.count }

    /// Little-endian: element u64, then u32 for every shard.
    public func encode(into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count == byteCount, "a list needs exactly its size")
        bytes.storeBytes(of: element.littleEndian, toByteOffset: 0, as: UInt64.self)
        for (index, shard) in shards.enumerated() {
            bytes.storeBytes(of: shard.littleEndian, toByteOffset: 8 + 4 * index, as: UInt32.self)
        }
    }

    public init(decoding bytes: UnsafeRawBufferPointer, shardCount: Int) throws(WireError) {
        guard bytes.count >= 8, (bytes.count - 8) % 4 == 0 else { throw .bodyLength(bytes.count, expected: 8) }
        element = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        shards = []
        for offset in stride(from: 8, to: bytes.count, by: 4) {
            let shard = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            guard shard < UInt32(shardCount), shards.last.map({ $0 < shard }) ?? true else {
                throw .malformed("a list with shard \(shard) of \(shardCount)")
            }
            shards.append(shard)
        }
    }
}

/// Doubles on the wire, little-endian.
public enum DoubleList {
    public static func encode(_ values: [Double], into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count == 8 * values.count, "a list needs exactly its size")
        for (index, value) in values.enumerated() {
            bytes.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: 8 * index, as: UInt64.self)
        }
    }

    public static func decode(_ bytes: UnsafeRawBufferPointer, count: Int) throws(WireError) -> [Double] {
        guard bytes.count == 8 * count else { throw .bodyLength(bytes.count, expected: 8 * count) }
        return (0..<count).map {
            Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)))
        }
    }
}
