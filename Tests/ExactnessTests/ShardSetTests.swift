import Exactness
import Testing

@Suite struct ShardSetTests {
    /// Shards around the words' borders.
    static let universe = 0..<200

    @Test(arguments: 1...20)
    func behavesAsASetOfIntegers(seed: UInt64) {
        let stream = RandomStream(seed: seed, purpose: .probe)
        var set = ShardSet()
        var model: Set<Int> = []
        var other = ShardSet()
        var otherModel: Set<Int> = []
        for turn in 0..<400 {
            let shard = stream.integer(2 * turn, below: Self.universe.upperBound)
            switch stream.integer(2 * turn + 1, below: 12) {
            case 0...4:
                set.insert(shard)
                model.insert(shard)
            case 5...6:
                set.remove(shard)
                model.remove(shard)
            case 7...9:
                other.insert(shard)
                otherModel.insert(shard)
            case 10:
                set.formUnion(other)
                model.formUnion(otherModel)
            default:
                set.subtract(other)
                model.subtract(otherModel)
            }
            #expect(set.count == model.count && set.isEmpty == model.isEmpty)
            #expect((set == other) == (model == otherModel))
            let range = min(shard, 100)..<max(shard, 100)
            #expect(set.containsAll(range) == model.isSuperset(of: range))
            #expect(set.intersects(range) == !model.isDisjoint(with: range))
        }
        #expect(set.elements == model.sorted())
        #expect(Self.universe.allSatisfy { set.contains($0) == model.contains($0) })
        #expect(!set.contains(1 << 40))
    }

    @Test func roomDoesNotCount() {
        var roomy = ShardSet([3, 500])
        roomy.remove(500)
        #expect(roomy == ShardSet([3]))
        #expect(roomy.hashValue == ShardSet([3]).hashValue)
        #expect(ShardSet(3..<4) == ShardSet([3]))
        roomy.remove(1_000)
        roomy.removeAll()
        #expect(roomy == ShardSet() && roomy.isEmpty && roomy.elements.isEmpty)
        #expect(ShardSet([3]) != ShardSet([4]) && ShardSet([3]) != ShardSet([3, 70]))
    }

    @Test func anEmptyRangeIsContainedAndMeetsNothing() {
        #expect(ShardSet().containsAll(5..<5))
        #expect(!ShardSet(0..<10).intersects(5..<5))
    }
}
