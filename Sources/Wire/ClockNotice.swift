/// How far every shard is, and how far they may go: what a worker of mode ssp or async needs to know beside the weights.
public struct ClockNotice: Equatable, Sendable {
    /// Steps below it may be computed now.
    public var limit: UInt64
    /// By shard: the step of the plan that is next.
    public var clocks: [UInt64]

    public init(limit: UInt64, clocks: [UInt64]) {
        self.limit = limit
        self.clocks = clocks
    }

    public var byteCount: Int { 8 * (1 + clocks.count) }

    /// Little-endian: limit u64, then a clock u64 for every shard.
    public func encode(into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count == byteCount, "a notice needs exactly its size")
        bytes.storeBytes(of: limit.littleEndian, toByteOffset: 0, as: UInt64.self)
        for (shard, clock) in clocks.enumerated() {
            bytes.storeBytes(of: clock.littleEndian, toByteOffset: 8 * (1 + shard), as: UInt64.self)
        }
    }

    public init(decoding bytes: UnsafeRawBufferPointer, shardCount: Int) throws(WireError) {
        guard bytes.count == 8 * (1 + shardCount) else { throw .bodyLength(bytes.count, expected: 8 * (1 + shardCount)) }
        func read(_ index: Int) -> UInt64 { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)) }
        limit = read(0)
        clocks = (1...shardCount).map(read)
    }
}

/// What a worker of mode ssp or async is about to send: its shards' common step. The version that it was computed with is the header's.
public struct ContributionNotice: Equatable, Sendable {
    /// The step of the plan.
    public var clock: UInt64
    /// Ascending, at least one.
    public var shards: [Int]

    public init(clock: UInt64, shards: [Int]) {
        self.clock = clock
        self.shards = shards
    }

    public var byteCount: Int { 8 + 4 * shards.count }

    /// Little-endian: clock u64, then u32 for every shard.
    public func encode(into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count == byteCount, "a notice needs exactly its size")
        bytes.storeBytes(of: clock.littleEndian, toByteOffset: 0, as: UInt64.self)
        for (index, shard) in shards.enumerated() {
            bytes.storeBytes(of: UInt32(shard).littleEndian, toByteOffset: 8 + 4 * index, as: UInt32.self)
        }
    }

    public init(decoding bytes: UnsafeRawBufferPointer, shardCount: Int) throws(WireError) {
        guard bytes.count >= 12, bytes.count % 4 == 0, bytes.count <= 8 + 4 * shardCount else {
            throw .malformed("a contribution's notice of \(bytes.count) bytes")
        }
        clock = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        shards = stride(from: 8, to: bytes.count, by: 4).map {
            Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
        }
        guard zip(shards, shards.dropFirst()).allSatisfy({ $0 < $1 }), let last = shards.last, last < shardCount else {
            throw .malformed("a contribution of the shards \(shards.prefix(8))")
        }
    }
}
