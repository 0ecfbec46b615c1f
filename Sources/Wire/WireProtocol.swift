/// What both ends must agree on, and the limits of what they accept.
public enum WireProtocol {
    /// 1: control in JSON behind an 8-byte preamble, data behind a 64-byte header.
    /// 2: figures count the five most probable classes, and which class was taken for which.
    /// 3: several parameter servers.
    /// 4: a hello tells which process it is of.
    public static let version: UInt16 = 4

    /// The longest control message, preamble included; a welcome with per-feature statistics is the longest there is.
    public static let maximumControlBytes = 16 << 20

    /// The longest control message of a worker, preamble included: names, and the text of an error.
    public static let maximumWorkerControlBytes = 64 << 10

    /// Positions in one request for rows.
    public static let maximumRowsPerRequest = 16_384

    /// Bodies up to this are taken whatever the run: positions, figures.
    public static let smallestBodyLimit = 1 << 20

    /// The body of one packet of rows aims at this size: throughput of libzmq falls beyond a few MB.
    public static let rowPacketBytes = 1 << 20

    /// Classes up to which it is counted which was taken for which: at most 12 MB for a shard.
    public static let maximumConfusionClasses = 1_000

    /// Requests for rows that a worker keeps under way: the credit that bounds what the coordinator has queued for it.
    public static let rowRequestsUnderWay = 8

    /// Chunks past the lowest incomplete one that a worker may send: inbound memory ≤ V × window × chunk.
    public static let chunkWindow = 16
}

/// Why bytes from a peer were not understood; the peer is cut and counted, never believed.
public enum WireError: Error, Equatable, Sendable, CustomStringConvertible {
    case headerLength(Int)
    case foreignProtocol
    case version(theirs: UInt16, ours: UInt16)
    case unknownKind(UInt8)
    case reservedByte
    case oversized(bytes: Int, limit: Int)
    case bodyLength(Int, expected: Int)
    case checksum
    case malformed(String)

    public var description: String {
        switch self {
        case .headerLength(let count): "a message header of \(count) bytes"
        case .foreignProtocol: "not a message of this protocol (wrong magic)"
        case .version(let theirs, let ours): "protocol version \(theirs), this side speaks \(ours); use programs of the same release"
        case .unknownKind(let kind): "unknown message kind \(kind)"
        case .reservedByte: "a reserved byte is not zero"
        case .oversized(let bytes, let limit): "a message of \(bytes) bytes, the limit is \(limit)"
        case .bodyLength(let count, let expected): "a body of \(count) bytes instead of \(expected)"
        case .checksum: "a body whose checksum does not match"
        case .malformed(let what): what
        }
    }
}
