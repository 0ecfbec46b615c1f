/// How many rows of one class were taken for another (or for what they are).
public struct ConfusionCount: Equatable, Sendable {
    public static let byteCount = 12

    public var truth: UInt32
    public var found: UInt32
    public var count: UInt32

    public init(truth: UInt32, found: UInt32, count: UInt32) {
        self.truth = truth
        self.found = found
        self.count = count
    }

    /// Ascending by truth, then by what was found.
    var place: UInt64 { UInt64(truth) << 32 | UInt64(found) }
}

/// What one shard gave in a long pass: `figures-body` of the protocol.
public struct ShardFigures: Equatable, Sendable {
    public var blocks: [BlockFigures]
    /// Pairs that occur, ascending; empty where nobody wants them.
    public var confusion: [ConfusionCount]

    public init(blocks: [BlockFigures], confusion: [ConfusionCount] = []) {
        self.blocks = blocks
        self.confusion = confusion
    }

    public var byteCount: Int { blocks.count * BlockFigures.byteCount + confusion.count * ConfusionCount.byteCount }

    /// Little-endian: the blocks, then the counts as truth u32, found u32, count u32.
    public func encode(into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count == byteCount, "figures need exactly their size")
        let blockBytes = blocks.count * BlockFigures.byteCount
        BlockFigures.encode(blocks, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<blockBytes]))
        for (index, pair) in confusion.enumerated() {
            let at = blockBytes + index * ConfusionCount.byteCount
            bytes.storeBytes(of: pair.truth.littleEndian, toByteOffset: at, as: UInt32.self)
            bytes.storeBytes(of: pair.found.littleEndian, toByteOffset: at + 4, as: UInt32.self)
            bytes.storeBytes(of: pair.count.littleEndian, toByteOffset: at + 8, as: UInt32.self)
        }
    }

    /// - Parameters:
    ///   - expectedRows: the row count of every block that must be there.
    ///   - classes: how many there are; every row must then be counted in the confusion. nil: no counts may follow.
    public static func decode(
        _ bytes: UnsafeRawBufferPointer, expectedRows: [Int], classes: Int?
    ) throws(WireError) -> ShardFigures {
        let blockBytes = expectedRows.count * BlockFigures.byteCount
        guard bytes.count >= blockBytes else { throw .bodyLength(bytes.count, expected: blockBytes) }
        let blocks = try BlockFigures.decode(UnsafeRawBufferPointer(rebasing: bytes[..<blockBytes]), expectedRows: expectedRows)
        let rest = UnsafeRawBufferPointer(rebasing: bytes[blockBytes...])
        guard let classes else {
            guard rest.isEmpty else { throw .bodyLength(bytes.count, expected: blockBytes) }
            return ShardFigures(blocks: blocks)
        }
        return ShardFigures(blocks: blocks, confusion: try decodeConfusion(rest, of: blocks, classes: classes))
    }

    private static func decodeConfusion(
        _ bytes: UnsafeRawBufferPointer, of blocks: [BlockFigures], classes: Int
    ) throws(WireError) -> [ConfusionCount] {
        let (count, rest) = bytes.count.quotientAndRemainder(dividingBy: ConfusionCount.byteCount)
        guard rest == 0 else { throw .malformed("a confusion of \(bytes.count) bytes") }
        var pairs: [ConfusionCount] = []
        pairs.reserveCapacity(count)
        var rows = 0
        var hits = 0
        for index in 0..<count {
            func word(_ offset: Int) -> UInt32 {
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index * ConfusionCount.byteCount + offset, as: UInt32.self))
            }
            let pair = ConfusionCount(truth: word(0), found: word(4), count: word(8))
            guard pair.truth < classes, pair.found < classes, pair.count > 0, pairs.last.map({ $0.place < pair.place }) ?? true else {
                throw .malformed("\(pair.count) rows of class \(pair.truth) taken for \(pair.found), of \(classes) classes")
            }
            rows += Int(pair.count)
            if pair.truth == pair.found { hits += Int(pair.count) }
            pairs.append(pair)
        }
        let expected = blocks.reduce(into: (rows: 0, hits: 0)) { sum, block in
            sum.rows += Int(block.rows)
            sum.hits += Int(block.correct)
        }
        guard rows == expected.rows, hits == expected.hits else {
            throw .malformed("a confusion of \(rows) rows, \(hits) correct, instead of \(expected.rows) and \(expected.hits)")
        }
        return pairs
    }
}
