import Testing

@testable import Datasets

@Suite struct ShardedPartTests {
    private func part(_ rows: [UInt32], bytes: Bool = false, task: LearningTask = .classification) -> DataPart {
        DataPart(table: countingTable(rows: 100, bytes: bytes, task: task), rows: rows)
    }

    @Test(arguments: [(100, 8), (7, 8), (8, 8), (1, 1), (99, 2), (3, 16)])
    func everyRowIsDealtOnceAndSizesDifferByAtMostOne(rowCount: Int, shardCount: Int) {
        let rows = (0..<UInt32(rowCount)).map { 99 - $0 }
        let sharded = ShardedPart(part(rows), shardCount: shardCount, seed: 1)
        let sizes = (0..<shardCount).map { sharded.rowCount(ofShard: $0) }
        #expect(sizes.reduce(0, +) == rowCount)
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
        let dealt = (0..<shardCount).flatMap { shard in
            (0..<sizes[shard]).map { sharded.sourceRow(shard: shard, position: $0) }
        }
        #expect(dealt.sorted() == rows.sorted())
    }

    @Test func dealDependsOnSeedAndDealNumberOnly() {
        func first(seed: UInt64, deal: UInt64) -> [UInt32] {
            let sharded = ShardedPart(part((0..<100).map { $0 }), shardCount: 4, seed: seed, deal: deal)
            return (0..<25).map { sharded.sourceRow(shard: 0, position: $0) }
        }
        #expect(first(seed: 1, deal: 0) == first(seed: 1, deal: 0))
        #expect(first(seed: 1, deal: 0) != first(seed: 2, deal: 0))
        #expect(first(seed: 1, deal: 0) != first(seed: 1, deal: 1))
    }

    @Test(
        arguments: [([0, 24], 0, true), ([], 3, true), ([0, 25], 0, false), ([.max], 1, false), ([0], 4, false), ([0], -1, false)]
            as [([UInt32], Int, Bool)])
    func knowsWhatAPeerMayAskFor(positions: [UInt32], shard: Int, answer: Bool) {
        let sharded = ShardedPart(part((0..<100).map { $0 }), shardCount: 4, seed: 1)
        #expect(sharded.contains(positions[...], shard: shard) == answer)
    }

    @Test func packetIsLaidOutAsDocumented() {
        let sharded = ShardedPart(part([7, 41, 13], bytes: true), shardCount: 1, seed: 1)
        let source = (0..<3).map { sharded.sourceRow(shard: 0, position: $0) }
        var packet: [UInt8] = [0xAA]
        sharded.gather(shard: 0, positions: [2, 0], appendingTo: &packet)
        func littleEndian(_ value: UInt32) -> [UInt8] { bigEndian(value).reversed() }
        let rows = [source[2], source[0]]
        let expected =
            rows.flatMap { [UInt8(truncatingIfNeeded: 10 * $0), UInt8(truncatingIfNeeded: 10 * $0 + 1)] }
            + rows.flatMap { littleEndian($0 % 3) } + rows.flatMap { littleEndian($0) }
        #expect(packet == [0xAA] + expected)
        #expect(sharded.packetByteCount(rowCount: 2) == expected.count)
    }
}

@Suite struct EpochOrderTests {
    @Test func isAPermutationKeyedBySeedEpochAndShard() {
        let orders = [(1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1)].map { seed, epoch, shard in
            EpochOrder.positions(rowCount: 50, seed: UInt64(seed), epoch: UInt64(epoch), shard: shard)
        }
        #expect(orders.allSatisfy { $0.sorted() == (0..<50).map { $0 } })
        #expect(Set(orders).count == orders.count)
        #expect(EpochOrder.positions(rowCount: 50, seed: 1, epoch: 0, shard: 0) == orders[0])
        #expect(EpochOrder.positions(rowCount: 0, seed: 1, epoch: 0, shard: 0) == [])
    }
}
