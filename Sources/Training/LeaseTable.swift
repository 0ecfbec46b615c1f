internal import Exactness

/// A worker's number in this run, given at its hello and never used again.
public typealias WorkerID = UInt32

/// Who holds which virtual shards. Sticky: shards move only when they must, since their rows move with them.
///
/// Every operation takes time in proportion to V and the workers named, but for the logarithm of a sort.
struct LeaseTable: Sendable {
    private var holders: [WorkerID?]
    /// By worker, in ascending order; nobody is listed with nothing.
    private var held: [WorkerID: [Int]]
    private(set) var orphanCount: Int

    init(tree: ShardTree, holdings: [WorkerID: [Int]] = [:]) {
        holders = Array(repeating: nil, count: tree.shardCount)
        held = holdings
        for (worker, shards) in holdings {
            for shard in shards { holders[shard] = worker }
        }
        orphanCount = holders.count { $0 == nil }
    }

    func shards(of worker: WorkerID) -> [Int] {
        held[worker] ?? []
    }

    func holder(of shard: Int) -> WorkerID? {
        holders[shard]
    }

    /// Everybody who holds something.
    var workers: [WorkerID] { held.keys.sorted() }

    var orphans: [Int] {
        orphanCount == 0 ? [] : holders.indices.filter { holders[$0] == nil }
    }

    /// Takes every shard from `worker`.
    mutating func release(_ worker: WorkerID) {
        guard let shards = held.removeValue(forKey: worker) else { return }
        for shard in shards { holders[shard] = nil }
        orphanCount += shards.count
    }

    /// Gives every orphan to the candidates with the fewest shards, moving nothing else; returns who got something.
    mutating func assignOrphans(to candidates: [WorkerID]) -> Set<WorkerID> {
        guard !candidates.isEmpty, orphanCount > 0 else { return [] }
        let byLoad = candidates.map { (worker: $0, load: shards(of: $0).count) }.sorted { ($0.load, $0.worker) < ($1.load, $1.worker) }
        // The lowest `filled` candidates end up level, as water would stand over them.
        var filled = 1
        var water = orphanCount
        while filled < byLoad.count, water >= (byLoad[filled].load - byLoad[filled - 1].load) * filled {
            water -= (byLoad[filled].load - byLoad[filled - 1].load) * filled
            filled += 1
        }
        let level = byLoad[filled - 1].load + water / filled
        let surplus = water % filled
        let quotas = byLoad[..<filled].enumerated().map { (worker: $1.worker, count: level - $1.load + ($0 < surplus ? 1 : 0)) }
        return deal(orphans, by: quotas)
    }

    /// Gives shards to a worker, whoever holds them; returns who is affected.
    mutating func move(_ moved: [Int], to worker: WorkerID) -> Set<WorkerID> {
        var changed: Set<WorkerID> = []
        for shard in moved where holders[shard] != worker {
            if let former = holders[shard] {
                held[former]?.removeAll { $0 == shard }
                if held[former]?.isEmpty == true { held[former] = nil }
                changed.insert(former)
            } else {
                orphanCount -= 1
            }
            holders[shard] = worker
            held[worker, default: []].append(shard)
            changed.insert(worker)
        }
        held[worker]?.sort()
        return changed
    }

    /// Evens out the loads, moving as few shards as can be; returns who is affected.
    ///
    /// Loads are even when the longest share of a step is as short as can be: with equal speeds they differ by at most one shard.
    /// - Parameter leafTimes: what a leaf takes whom; whoever is not listed counts as average.
    mutating func rebalance(among workers: [WorkerID], leafTimes: [WorkerID: Duration] = [:]) -> Set<WorkerID> {
        guard !workers.isEmpty else { return [] }
        // Whoever holds most keeps the shard that is over: fewer have to move.
        let byLoad = workers.map { (worker: $0, load: shards(of: $0).count) }.sorted { ($1.load, $0.worker) < ($0.load, $1.worker) }
        let targets = Self.targets(
            of: byLoad.reduce(orphanCount) { $0 + $1.load }, times: Self.seconds(byLoad.map { leafTimes[$0.worker] }))
        var changed: Set<WorkerID> = []
        var quotas: [(worker: WorkerID, count: Int)] = []
        for (entry, target) in zip(byLoad, targets) {
            if entry.load < target {
                quotas.append((entry.worker, target - entry.load))
            } else if entry.load > target {
                giveUp(entry.load - target, of: entry.worker)
                changed.insert(entry.worker)
            }
        }
        return changed.union(deal(orphans, by: quotas))
    }

    /// How many of `total` shards go to whom, in proportion to speed; what is over goes where it takes the least time.
    private static func targets(of total: Int, times: [Double]) -> [Int] {
        let speed = times.reduce(0) { $0 + 1 / $1 }
        // The small number: a share of 3 is not to become 2 by rounding.
        var targets = times.map { Int(Double(total) / ($0 * speed) + 1e-9) }
        let left = max(0, total - targets.reduce(0, +))
        let byTime = targets.indices.sorted { (Double(targets[$0] + 1) * times[$0], $0) < (Double(targets[$1] + 1) * times[$1], $1) }
        for index in byTime.prefix(left) { targets[index] += 1 }
        return targets
    }

    private static func seconds(_ times: [Duration?]) -> [Double] {
        let known = times.compactMap { $0.map { max($0 / .seconds(1), 1e-9) } }
        let average = known.isEmpty ? 1 : known.reduce(0, +) / Double(known.count)
        return times.map { $0.map { max($0 / .seconds(1), 1e-9) } ?? average }
    }

    /// What the slowest share of a step takes, in seconds; whoever is not measured counts as average.
    func longestShare(leafTimes: [WorkerID: Duration]) -> Double {
        let workers = held.keys.sorted()
        let times = Self.seconds(workers.map { leafTimes[$0] })
        return zip(workers, times).map { Double(shards(of: $0).count) * $1 }.max() ?? 0
    }

    /// Makes orphans of `count` shards of `worker`, whole subtrees as far as they fit.
    private mutating func giveUp(_ count: Int, of worker: WorkerID) {
        var kept = Self.subtrees(of: shards(of: worker))
        var left = count
        while left > 0 {
            let wanted = 1 << (Int.bitWidth - 1 - left.leadingZeroBitCount)
            let fitting = kept.indices.filter { kept[$0].count >= wanted }.min { kept[$0].count < kept[$1].count }
            guard let index = fitting ?? kept.indices.max(by: { kept[$0].count < kept[$1].count }) else { break }
            let node = kept.remove(at: index)
            let given = node.suffix(wanted)
            let rest = node.lowerBound..<given.lowerBound
            kept.append(contentsOf: Self.subtrees(of: Array(rest)))
            for shard in given { holders[shard] = nil }
            orphanCount += given.count
            left -= given.count
        }
        let shards = kept.joined().sorted()
        held[worker] = shards.isEmpty ? nil : shards
    }

    /// Gives orphans away, subtrees as large as the quotas allow; together the quotas are as many as there are orphans.
    private mutating func deal(_ free: [Int], by quotas: [(worker: WorkerID, count: Int)]) -> Set<WorkerID> {
        guard let most = quotas.map(\.count).max() else { return [] }
        var openByQuota: [[WorkerID]] = Array(repeating: [], count: most + 1)
        for (worker, count) in quotas.reversed() { openByQuota[count].append(worker) }
        var nodes = Self.subtrees(of: free).sorted { ($0.count, $1.lowerBound) < ($1.count, $0.lowerBound) }
        var largest = most
        var gained: [WorkerID: [Int]] = [:]
        while let node = nodes.popLast() {
            while largest > 0, openByQuota[largest].isEmpty { largest -= 1 }
            guard largest > 0 else { break }
            if node.count > largest {
                let middle = node.lowerBound + node.count / 2
                nodes += [middle..<node.upperBound, node.lowerBound..<middle]
                continue
            }
            let worker = openByQuota[largest].removeLast()
            openByQuota[largest - node.count].append(worker)
            gained[worker, default: []] += node
        }
        for (worker, new) in gained {
            for shard in new { holders[shard] = worker }
            orphanCount -= new.count
            held[worker] = (shards(of: worker) + new).sorted()
        }
        return Set(gained.keys)
    }

    /// The fewest complete subtrees that cover exactly `shards`, which ascend.
    private static func subtrees(of shards: [Int]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var index = 0
        while index < shards.count {
            let first = shards[index]
            var run = 1
            while index + run < shards.count, shards[index + run] == first + run { run += 1 }
            var next = first
            while next < first + run {
                let room = 1 << (Int.bitWidth - 1 - (first + run - next).leadingZeroBitCount)
                let size = next == 0 ? room : min(room, 1 << next.trailingZeroBitCount)
                found.append(next..<next + size)
                next += size
            }
            index += run
        }
        return found
    }
}
