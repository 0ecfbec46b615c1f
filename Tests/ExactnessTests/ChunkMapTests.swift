import Exactness
import Testing

@Suite struct ChunkMapTests {
    static let sizes = [1, 16_383, 16_384, 16_385, 262_144, 670_000, 1_000_003]
    static let chunkSizes = [65_536, 196_608, 1 << 20, 16 << 20]

    @Test(arguments: sizes, chunkSizes)
    func chunksPartitionTheBlock(elementCount: Int, chunkByteCount: Int) {
        let map = ChunkMap(elementCount: elementCount, chunkByteCount: chunkByteCount)
        #expect(map.range(0).lowerBound == 0)
        #expect(map.range(map.count - 1).upperBound == elementCount)
        for chunk in 0..<map.count {
            let range = map.range(chunk)
            #expect(!range.isEmpty && range.count * 4 <= chunkByteCount)
            #expect(range.lowerBound.isMultiple(of: figureBlockLength))
            if chunk > 0 { #expect(map.range(chunk - 1).upperBound == range.lowerBound) }
            if chunk < map.count - 1 { #expect(range.count * 4 == chunkByteCount) }
        }
    }

    @Test(arguments: sizes, [2, 50, 40_000])
    func aTailIsAChunkOfItsOwn(elementCount: Int, tailCount: Int) {
        let map = ChunkMap(elementCount: elementCount, tailCount: tailCount, chunkByteCount: 65_536)
        let bare = ChunkMap(elementCount: elementCount, chunkByteCount: 65_536)
        #expect(map.count == bare.count + 1)
        #expect(map.elementCount == elementCount + tailCount)
        #expect((0..<bare.count).allSatisfy { map.range($0) == bare.range($0) && !map.isTail($0) && !bare.isTail($0) })
        #expect(map.isTail(bare.count))
        #expect(map.range(bare.count) == elementCount..<elementCount + tailCount)
        #expect(map.position(bare.count) == 0, "it travels first")
        #expect(map.chunks(covering: elementCount - 1..<elementCount + 1) == bare.count - 1..<bare.count + 1)
        #expect(map.chunks(covering: elementCount + 1..<map.elementCount) == bare.count..<bare.count + 1)
        #expect(map.largestByteCount == max(min(65_536, 4 * elementCount), 4 * tailCount))
    }

    @Test func chunksTravelInDescendingOrder() {
        let map = ChunkMap(elementCount: 50_000, chunkByteCount: 65_536)
        #expect((0..<map.count).map(map.position) == [3, 2, 1, 0])
    }

    @Test func theChunksCoveringARangeAreThoseThatMeetIt() {
        let map = ChunkMap(elementCount: 50_000, chunkByteCount: 65_536)
        let borders = [0, 1, 16_383, 16_384, 16_385, 32_768, 49_151, 49_152, 49_999, 50_000]
        for low in borders {
            for high in borders where high >= low {
                let expected = (0..<map.count).filter { map.range($0).overlaps(low..<high) }
                #expect(Array(map.chunks(covering: low..<high)) == expected)
            }
        }
    }

    @Test func nothingHasNoChunks() {
        #expect(ChunkMap(elementCount: 0, chunkByteCount: 65_536).count == 0)
    }
}
