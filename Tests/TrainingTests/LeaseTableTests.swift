import Exactness
import Testing

@testable import Training

@Suite struct LeaseTableTests {
    private static func table(shards: Int, _ holdings: [WorkerID: [Int]] = [:]) -> LeaseTable {
        LeaseTable(tree: ShardTree(shardCount: shards), holdings: holdings)
    }

    private static func holders(_ table: LeaseTable, _ shards: Int) -> [WorkerID?] {
        (0..<shards).map { table.holder(of: $0) }
    }

    /// Both views of the table, by shard and by worker, say the same.
    private static func expectConsistent(_ table: LeaseTable, _ shards: Int) {
        let holders = holders(table, shards)
        for worker in table.workers { #expect(table.shards(of: worker) == holders.indices.filter { holders[$0] == worker }) }
        #expect(Set(table.workers) == Set(holders.compactMap { $0 }))
        #expect(table.orphans == holders.indices.filter { holders[$0] == nil })
        #expect(table.orphanCount == table.orphans.count)
    }

    @Test(arguments: [1, 2, 8, 64, 1_024], [1, 2, 3, 5, 8, 100])
    func sharesDifferByOneAtMost(shards: Int, workers: Int) {
        var table = Self.table(shards: shards)
        let all = (1...WorkerID(workers)).map { $0 }
        #expect(table.rebalance(among: all) == Set(all.prefix(shards)))
        Self.expectConsistent(table, shards)
        let loads = all.map { table.shards(of: $0).count }
        #expect(loads.max()! - loads.min()! <= 1)  // there is a worker
        #expect(table.orphans.isEmpty)
    }

    @Test(arguments: [(8, 2, 1), (8, 4, 1), (8, 8, 1), (64, 4, 1), (8, 3, 2), (16, 5, 2), (1_024, 3, 9)])
    func sharesAreSubtreesWhereTheyCanBe(shards: Int, workers: Int, most: Int) {
        let tree = ShardTree(shardCount: shards)
        var table = Self.table(shards: shards)
        _ = table.rebalance(among: (1...WorkerID(workers)).map { $0 })
        for worker in table.workers { #expect(tree.maximalSubtrees(of: ShardSet(table.shards(of: worker))).count <= most) }
    }

    @Test func balanceThatIsThereIsNotTouched() {
        var table = Self.table(shards: 8, [1: [0, 5, 7], 2: [1, 2], 3: [3, 4, 6]])
        #expect(table.rebalance(among: [1, 2, 3]).isEmpty)
        #expect(table.assignOrphans(to: [1, 2, 3]).isEmpty)
        Self.expectConsistent(table, 8)
    }

    @Test func whoComesGetsAWholeSubtree() {
        var table = Self.table(shards: 8, [1: Array(0..<8)])
        #expect(table.rebalance(among: [1, 2]) == [1, 2])
        #expect(table.shards(of: 2) == [4, 5, 6, 7])
        #expect(table.rebalance(among: [1, 2, 3, 4]) == [1, 2, 3, 4])
        #expect(table.shards(of: 1) == [0, 1])
        #expect(table.shards(of: 2) == [4, 5])
    }

    @Test func orphansGoToThoseWithTheLeastAndNothingElseMoves() {
        var table = Self.table(shards: 8, [1: [0, 1, 2], 2: [3], 3: [4], 4: [5, 6, 7]])
        table.release(4)
        #expect(table.assignOrphans(to: [1, 2, 3]) == [2, 3])
        #expect(table.shards(of: 1) == [0, 1, 2])
        #expect(table.shards(of: 2).count + table.shards(of: 3).count == 5)
        #expect(table.shards(of: 2).contains(3) && table.shards(of: 3).contains(4))
        Self.expectConsistent(table, 8)
    }

    @Test func sharesOfOutsidersStayWhereTheyAre() {
        var table = Self.table(shards: 8, [1: [0, 1, 2, 3], 9: [4, 5]])
        #expect(table.rebalance(among: [1, 2]) == [1, 2])
        #expect(table.shards(of: 9) == [4, 5])
        #expect(table.shards(of: 1).count == 3 && table.shards(of: 2).count == 3)
    }

    @Test func nobodyGetsNothingDone() {
        var table = Self.table(shards: 4, [1: [0, 1, 2, 3]])
        table.release(1)
        table.release(1)
        #expect(table.assignOrphans(to: []).isEmpty && table.rebalance(among: []).isEmpty)
        #expect(table.orphans == [0, 1, 2, 3])
    }

    /// Random comings and goings: every shard has a holder, loads differ by one at most, and no deal with such loads moves fewer.
    @Test(arguments: [UInt64](1...20))
    func movesAreAsFewAsCanBe(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let shards = 1 << Int.random(in: 0...7, using: &generator)
        var table = Self.table(shards: shards)
        var present: [WorkerID] = []
        for round in 1...60 {
            if present.isEmpty || Bool.random(using: &generator) {
                present.append(WorkerID(round))
            } else {
                let worker = present.remove(at: Int.random(in: present.indices, using: &generator))
                table.release(worker)
                if Bool.random(using: &generator) {
                    let before = Self.holders(table, shards)
                    let changed = table.assignOrphans(to: present)
                    for (shard, holder) in before.enumerated() where holder != nil { #expect(table.holder(of: shard) == holder) }
                    #expect(present.isEmpty || table.orphanCount == 0)
                    let orphans = before.indices.filter { before[$0] == nil }
                    #expect(changed == Set(orphans.compactMap { table.holder(of: $0) }))
                }
            }
            guard !present.isEmpty else { continue }
            let before = Self.holders(table, shards)
            let loads = present.map { table.shards(of: $0).count }.sorted(by: >)
            let changed = table.rebalance(among: present)
            Self.expectConsistent(table, shards)
            #expect(table.orphanCount == 0)
            let after = present.map { table.shards(of: $0).count }
            #expect(after.max()! - after.min()! <= 1)  // somebody is present
            let targets = present.indices.map { shards / present.count + ($0 < shards % present.count ? 1 : 0) }
            let moved = before.indices.count { before[$0] != nil && before[$0] != table.holder(of: $0) }
            #expect(moved == zip(loads, targets).reduce(0) { $0 + max(0, $1.0 - $1.1) })
            let affected = before.indices.filter { before[$0] != table.holder(of: $0) }
            #expect(changed == Set(affected.compactMap { before[$0] } + affected.compactMap { table.holder(of: $0) }))
        }
    }
}
