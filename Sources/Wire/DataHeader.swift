/// The first frame of every message on a data socket: 64 bytes, little-endian. The grammar is in Protocol.md.
///
///     offset  0  magic u32 "DNNd"     4  version u16    6  kind u8     7  zero u8
///             8  incarnation u32     12  node u32      16  chunk u32  20  count u32
///            24  step u64            32  session u64   40  loss f64   48  checksum u64  56  body bytes u64
public struct DataHeader: Equatable, Sendable {
    public static let byteCount = 64
    static let magic: UInt32 = 0x644E_4E44

    public enum Kind: UInt8, Sendable, CaseIterable {
        /// worker → coordinator: binds this data connection to the control session `session`.
        case attach = 1
        /// worker → coordinator: the sum of `node` over `chunk` at step `step`; `count` samples, `loss` summed over them; body: floats.
        case gradient = 2
        /// worker → coordinator: wants every chunk of weights version `step`, and those of the next one as they are made;
        /// modes ssp and async: of the newest version, and the clocks; `count` = request number.
        case pull = 3
        /// worker → coordinator: wants rows; `node` = part, `chunk` = shard, `count` = request number, `step` = which dealing of
        /// the training rows; body: positions, u32 each.
        case rowsWanted = 4
        /// worker → coordinator: figures of `chunk` = shard of `node` = part for evaluation `step`; body: block figures.
        case figures = 5
        /// coordinator → worker: `chunk` of weights version `step`; body: floats.
        case weights = 6
        /// coordinator → worker: the rows of request `count`; body: a row packet.
        case rows = 7
        /// coordinator → worker: the first `chunk` chunks in the order of travel of step `step` have been reduced: more are let in.
        case reduced = 8
        /// coordinator → worker: version `step` of the weights has the values of the one before it.
        case sameWeights = 9
        /// coordinator → worker: round `step` of a closure rule is open; body: a round notice.
        case round = 10
        /// worker → server: no more weights are to be sent until the next `pull`.
        case unsubscribe = 11
        /// worker → coordinator: what came of `node` at step `step`, for comparison with what comes of it elsewhere; `loss` as of a
        /// gradient; body: the checksum of every chunk, u64 each.
        case audit = 12
        /// coordinator → worker, modes ssp and async: clocks and how far they may go; `step` = version of the weights, `count` = the
        /// `pull` that it answers, 0: none; body: a clock notice.
        case clocks = 20
        /// worker → coordinator, modes ssp and async: the chunks of a contribution computed with weights version `step` follow; body: a
        /// contribution notice.
        case contribution = 21
        /// As `gradient` without a body: the values lie in block `checksum` of the worker's shared segment.
        case sharedGradient = 16
        /// As `weights` without a body: the values lie in block `checksum` of the shared weights. Between servers as `state` of weights.
        case sharedWeights = 17

        // Between the coordinator and the other parameter servers; with a rule that searches `gradient`, `sameWeights` and `round` as well.

        /// both ways: `chunk` of block `node` (0: weights, then the slots) of version, or round, `step`; body: floats.
        case state = 32
        /// both ways: the norms of the step that made version `step`, of the server's pieces; body: three doubles each.
        case norms = 33
        /// both ways: all of the state of version `step` has been sent.
        case stateEnd = 34
        /// coordinator → server: wants its part of version `step`; `count` = 1: with the slots.
        case stateWanted = 35
        /// server → coordinator: its part of version `step` is ready or, with a rule that searches, of round `step` reduced.
        case built = 36
        /// coordinator → server: version `step` is complete everywhere; `count` = 1: the norms of the next step are wanted.
        case commit = 37
        /// coordinator → server: the step that begins with version `step` may be taken; `loss` = its learning rate.
        case release = 38
        /// server → coordinator: its part of the gradient of `step` is reduced; `count` = 1: it is finite; body: Σg² of its figure
        /// blocks, doubles.
        case squares = 39
        /// coordinator → server: the gradient of `step` is to be scaled by `loss`; `count` = 0: the step is skipped.
        case judged = 40
        /// server → coordinator: what some shards gave to `step` is not finite and is to be computed again; body: a shard list.
        case suspicious = 41
        /// server → coordinator: the gradient of `step` is not finite; body: a shard list.
        case notFinite = 42
        /// server → coordinator: the shards without which it can't go on with `step`; body: a shard list.
        case uncovered = 43
        /// server → coordinator: the data connection of the worker with session `session` can't be used any more.
        case peerLost = 44
    }

    public var kind: Kind
    public var incarnation: UInt32
    public var node: UInt32
    public var chunk: UInt32
    public var count: UInt32
    public var step: UInt64
    public var session: UInt64
    public var loss: Double
    /// XXH3 of the body; 0 where there is none; the number of the block where the values lie in shared memory.
    public var checksum: UInt64
    public var bodyByteCount: UInt64

    public init(
        kind: Kind, incarnation: UInt32 = 0, node: UInt32 = 0, chunk: UInt32 = 0, count: UInt32 = 0, step: UInt64 = 0,
        session: UInt64 = 0, loss: Double = 0, checksum: UInt64 = 0, bodyByteCount: UInt64 = 0
    ) {
        self.kind = kind
        self.incarnation = incarnation
        self.node = node
        self.chunk = chunk
        self.count = count
        self.step = step
        self.session = session
        self.loss = loss
        self.checksum = checksum
        self.bodyByteCount = bodyByteCount
    }

    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard bytes.count == Self.byteCount else { throw .headerLength(bytes.count) }
        func read<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> T {
            T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
        }
        guard read(0) == Self.magic else { throw .foreignProtocol }
        let version: UInt16 = read(4)
        guard version == WireProtocol.version else { throw .version(theirs: version, ours: WireProtocol.version) }
        guard let kind = Kind(rawValue: read(6)) else { throw .unknownKind(read(6)) }
        guard read(7) == UInt8(0) else { throw .reservedByte }
        self.init(
            kind: kind, incarnation: read(8), node: read(12), chunk: read(16), count: read(20), step: read(24), session: read(32),
            loss: Double(bitPattern: read(40)), checksum: read(48), bodyByteCount: read(56))
    }

    public func encode(into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count == Self.byteCount, "a data header needs exactly its size")
        func write<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, _ offset: Int) {
            bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
        }
        write(Self.magic, 0)
        write(WireProtocol.version, 4)
        write(kind.rawValue, 6)
        write(UInt8(0), 7)
        write(incarnation, 8)
        write(node, 12)
        write(chunk, 16)
        write(count, 20)
        write(step, 24)
        write(session, 32)
        write(loss.bitPattern, 40)
        write(checksum, 48)
        write(bodyByteCount, 56)
    }
}
