import Exactness
import Testing

@Suite struct ServerRangesTests {
    @Test(arguments: [1, 5, 16, 100], [1, 2, 3, 7, 200])
    func serversShareTheChunksEvenly(chunkCount: Int, serverCount: Int) {
        let chunks = ChunkMap(elementCount: chunkCount * 16_384 - 100, chunkByteCount: 65_536)
        let shares = ServerRanges(chunks: chunks, serverCount: serverCount)
        #expect(shares.count == min(serverCount, chunkCount))
        #expect(shares.ranges.flatMap(Array.init) == Array(0..<chunkCount))
        let sizes = shares.ranges.map(\.count)
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
        for (server, range) in shares.ranges.enumerated() { #expect(range.allSatisfy { shares.owner(of: $0) == server }) }
    }

    @Test func nobodyBeginsWhereNobodyMay() {
        let chunks = ChunkMap(elementCount: 20 * 16_384, tailCount: 8, chunkByteCount: 65_536)
        let shares = ServerRanges(chunks: chunks, serverCount: 4) { $0 % 7 == 3 }
        #expect(shares.ranges == [0..<3, 3..<10, 10..<17, 17..<21])
        #expect(ServerRanges(chunks: chunks, serverCount: 2) { $0 % 7 == 3 }.ranges == [0..<10, 10..<21])
        #expect(ServerRanges(chunks: chunks, serverCount: 9) { $0 % 7 == 3 }.count == 4)
        #expect(ServerRanges(chunks: chunks, serverCount: 9) { _ in false }.ranges == [0..<21])
    }
}
