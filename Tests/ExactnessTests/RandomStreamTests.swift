import Exactness
import Testing

@Suite struct RandomStreamTests {
    static let purposes: [RandomPurpose] = [.split, .deal, .epochShuffle, .initialization, .dropout, .probe, .audit]

    /// Philox is a bijection of counters, so streams that never share a block never share a counter.
    @Test func noTwoUsesShareANumber() {
        var blocks: Set<SIMD4<UInt32>> = []
        var drawn = 0
        for purpose in Self.purposes {
            for layer in [0, 1, 2, 255, 256, 1 << 16, 1 << 24 - 1] {
                for step: UInt64 in [0, 1, 2, 1 << 24, 0xFFFF_FFFF] {
                    for sample: UInt32 in [0, 1, 1 << 24, .max] {
                        let stream = RandomStream(seed: 7, purpose: purpose, layer: layer, step: step, sample: sample)
                        for index in [0, 1, 2, 1 << 24, 1 << 31] {
                            blocks.insert(stream.words(index))
                            drawn += 1
                        }
                    }
                }
            }
        }
        #expect(drawn == 7 * 7 * 5 * 4 * 5)
        #expect(blocks.count == drawn)
    }

    @Test func theCounterIsElementSampleStepAndTag() {
        let stream = RandomStream(seed: 0xFEDC_BA98_7654_3210, purpose: .dropout, layer: 3, step: 7, sample: 6)
        #expect(RandomStream.tag(.dropout, layer: 3) == 0x0500_0003)
        #expect(stream.words(5) == SIMD4(0xd236_eed2, 0xf0b7_3525, 0x20f1_2896, 0xa6a1_5c79))
    }

    @Test(arguments: [1, 2, 3, 10, 1_000, 1 << 31, 1 << 40, Int.max])
    func integersStayBelowTheirBound(bound: Int) {
        let stream = RandomStream(seed: 3, purpose: .split)
        let drawn = (0..<500).map { stream.integer($0, below: bound) }
        #expect(drawn.allSatisfy { (0..<bound).contains($0) })
        if bound > 1 { #expect(Set(drawn).count > 1) }
        if bound <= 10 { #expect(Set(drawn).count == bound) }
    }

    @Test func integersOfPowersOfTwoAreTheTopBits() {
        let stream = RandomStream(seed: 3, purpose: .deal)
        for index in 0..<100 {
            let four = stream.words(index / 2)
            let bits = index.isMultiple(of: 2) ? UInt64(four.x) | UInt64(four.y) << 32 : UInt64(four.z) | UInt64(four.w) << 32
            #expect(stream.integer(index, below: 1 << 20) == Int(bits >> 44))
        }
    }

    @Test(arguments: [0, 1, 2, 3, 17, 4_096])
    func aPermutationHoldsEveryNumberOnce(count: Int) {
        let order = RandomStream(seed: 5, purpose: .epochShuffle, layer: 1, step: 2).permutation(count: count)
        #expect(order.sorted() == (0..<UInt32(count)).map { $0 })
    }

    @Test func aPermutationDependsOnItsKeyAlone() {
        func order(seed: UInt64 = 5, _ purpose: RandomPurpose = .epochShuffle, layer: Int = 1, step: UInt64 = 2) -> [UInt32] {
            RandomStream(seed: seed, purpose: purpose, layer: layer, step: step).permutation(count: 64)
        }
        let others = [order(seed: 6), order(seed: 5 + 1 << 32), order(.deal), order(layer: 2), order(step: 3)]
        #expect(order() == order())
        #expect(Set(others + [order()]).count == 6)
    }

    /// Computed by a program of its own in exact integers: these orders are the data order of every run.
    @Test func permutationsAreTheCommittedOnes() {
        #expect(RandomStream(seed: 1, purpose: .split).permutation(count: 12) == [11, 7, 9, 8, 5, 3, 10, 2, 0, 1, 6, 4])
        let shuffle = RandomStream(seed: 0xFEDC_BA98_7654_3210, purpose: .epochShuffle, layer: 7, step: 41)
        #expect(shuffle.permutation(count: 12) == [2, 6, 8, 5, 9, 11, 1, 4, 7, 10, 0, 3])
    }

    /// χ² with 23 degrees of freedom exceeds this in one of a million sets of seeds; the seeds are fixed.
    static let chiSquaredBound = 72.0

    @Test func everyOrderIsEquallyLikely() {
        var counts: [[UInt32]: Int] = [:]
        let seeds = 4_800
        for seed in 0..<UInt64(seeds) { counts[RandomStream(seed: seed, purpose: .split).permutation(count: 4), default: 0] += 1 }
        let expected = Double(seeds) / 24
        let chiSquared = counts.values.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(counts.count == 24)
        #expect(chiSquared < Self.chiSquaredBound)
    }
}
