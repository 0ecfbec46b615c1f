import Testing

@testable import Datasets

@Suite struct ShardStoreTests {
    private static let preprocessings: [Preprocessing] = [
        .none, .scalar(offset: 3, factor: 0.1), .perFeature(offset: [1, 2, 3], factor: [0.5, 0.1, 7]),
    ]

    private func packet(_ sharded: ShardedPart, _ positions: [UInt32]) -> [UInt8] {
        var bytes: [UInt8] = []
        sharded.gather(shard: 0, positions: positions[...], appendingTo: &bytes)
        return bytes
    }

    private func store(_ store: ShardStore, _ packet: [UInt8], _ positions: [UInt32]) throws {
        // One byte further on: a received packet need not be aligned.
        try ([0] + packet).withUnsafeBytes { try store.store(UnsafeRawBufferPointer(rebasing: $0[1...]), at: positions[...]) }
    }

    private func filled<Value>(_ count: Int, with zero: Value, _ fill: (UnsafeMutableBufferPointer<Value>) -> Void) -> [Value] {
        var values = Array(repeating: zero, count: count)
        values.withUnsafeMutableBufferPointer { fill($0) }
        return values
    }

    @Test(arguments: [true, false], preprocessings)
    func rowsComeOutAsTheyWereInTheTable(bytes: Bool, preprocessing: Preprocessing) throws {
        let table = countingTable(rows: 25, width: 3, bytes: bytes)
        let sharded = ShardedPart(DataPart(whole: table), shardCount: 1, seed: 2)
        let shard = try ShardStore(format: sharded.format, capacity: 25, preprocessing: preprocessing)
        try store(shard, packet(sharded, [4, 24, 0]), [4, 24, 0])
        try store(shard, packet(sharded, [7, 4]), [7, 4])

        let asked: ArraySlice<UInt32> = [24, 7, 4]
        let rows = asked.map { Int(sharded.sourceRow(shard: 0, position: Int($0))) }
        let expected = rows.flatMap { row in
            (0..<3).map { feature -> Float in
                let stored = bytes ? Float(UInt8(truncatingIfNeeded: 10 * row + feature)) : Float(10 * row + feature)
                switch preprocessing {
                case .none: return stored
                case .scalar(let offset, let factor): return (stored - offset) * factor
                case .perFeature(let offset, let factor): return (stored - offset[feature]) * factor[feature]
                }
            }
        }
        #expect(filled(9, with: Float.nan) { shard.fill(asked, into: $0) } == expected)
        #expect(filled(3, with: Int32(-1)) { shard.fillClasses(asked, into: $0) } == rows.map { Int32($0 % 3) })
        #expect(filled(3, with: UInt32.max) { shard.fillSampleIDs(asked, into: $0) } == rows.map { UInt32($0) })
    }

    @Test func targetValuesAreScaledIfAsked() throws {
        let sharded = ShardedPart(DataPart(whole: countingTable(rows: 4, task: .regression)), shardCount: 1, seed: 2)
        let original = (0..<4).map { 0.5 * Float(sharded.sourceRow(shard: 0, position: $0)) }
        for (scaling, expected) in [(nil, original), (TargetScaling(offset: 1, factor: 4), original.map { ($0 - 1) * 4 })] {
            let shard = try ShardStore(format: sharded.format, capacity: 4, preprocessing: .none, targetScaling: scaling)
            try store(shard, packet(sharded, [0, 1, 2, 3]), [0, 1, 2, 3])
            #expect(filled(4, with: Float.nan) { shard.fillValues([0, 1, 2, 3], into: $0) } == expected)
        }
    }

    @Test func missingRowsAreKnown() throws {
        let sharded = ShardedPart(DataPart(whole: countingTable(rows: 10)), shardCount: 2, seed: 2)
        let shard = try ShardStore(format: sharded.format, capacity: 5, preprocessing: .none)
        #expect(shard.missing(in: [4, 1, 2]) == [4, 1, 2])
        try store(shard, packet(sharded, [1, 3]), [1, 3])
        try store(shard, packet(sharded, [1]), [1])
        #expect(shard.presentCount == 2)
        #expect(shard.missing(in: [4, 1, 2, 3, 5]) == [4, 2, 5])
        try store(shard, packet(sharded, [0, 2, 4]), [0, 2, 4])
        #expect(shard.isComplete)
    }

    @Test func aMalformedPacketChangesNothing() throws {
        let sharded = ShardedPart(DataPart(whole: countingTable(rows: 5)), shardCount: 1, seed: 2)
        let shard = try ShardStore(format: sharded.format, capacity: 5, preprocessing: .none)
        let good = packet(sharded, [0, 1])
        var badClass = good
        badClass[2 * 8 + 4] = 3
        var negativeClass = good
        negativeClass[2 * 8 + 3] = 0x80
        let cases: [([UInt8], [UInt32], RowPacketError)] = [
            ([], [0], .byteCount(0, expected: 16, rowCount: 1)),
            (Array(good.dropLast()), [0, 1], .byteCount(31, expected: 32, rowCount: 2)),
            (good + [0], [0, 1], .byteCount(33, expected: 32, rowCount: 2)),
            (good, [0], .byteCount(32, expected: 16, rowCount: 1)),
            (good, [0, 5], .position(5, capacity: 5)),
            (good, [.max, 0], .position(.max, capacity: 5)),
            (badClass, [0, 1], .classIndex(3, row: 1, classCount: 3)),
            (negativeClass, [0, 1], .classIndex(Int32(bitPattern: UInt32(negativeClass[16]) | 0x8000_0000), row: 0, classCount: 3)),
        ]
        for (bytes, positions, error) in cases {
            #expect(throws: error) { try store(shard, bytes, positions) }
        }
        #expect(shard.presentCount == 0)
    }

    @Test(arguments: [
        (-1, 4), (Int.max, 4), (1, 0), (1, -4), (1, Int.max), (1 << 33, 1), (1 << 20, 1 << 20),
    ])
    func anImpossibleShardIsRefused(capacity: Int, featureCount: Int) {
        let format = RowFormat(featureType: .f32, featureCount: featureCount, targetType: .values)
        #expect(throws: RowPacketError.shardSize(capacity: capacity, featureCount: featureCount)) {
            try ShardStore(format: format, capacity: capacity, preprocessing: .none)
        }
    }

    @Test func preprocessingMustFitTheRows() {
        let format = RowFormat(featureType: .f32, featureCount: 2, targetType: .values)
        #expect(throws: RowPacketError.preprocessing(featureCount: 2)) {
            try ShardStore(format: format, capacity: 1, preprocessing: .perFeature(offset: [0], factor: [1]))
        }
    }
}
