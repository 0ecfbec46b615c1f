import Exactness
import Kernels
import OperatingSystem
import Testing

@testable import Runtime

@Suite struct WeightsMemoryTests {
    private let chunks = ChunkMap(elementCount: 40_000, chunkByteCount: 65_536)

    private func memory(holding versions: [(UInt64, [Int])]) -> WeightsMemory {
        let memory = WeightsMemory(chunks: chunks)
        for (version, list) in versions { for chunk in list { store(chunk, of: version, in: memory) } }
        return memory
    }

    private func store(_ chunk: Int, of version: UInt64, in memory: WeightsMemory) {
        let body = FloatBlock(count: chunks.range(chunk).count)
        body.mutableView.fill(Float(version) * 10 + Float(chunk))
        memory.store(version: version, chunk: chunk, body: body.view.bytes)
        withExtendedLifetime(body) {}
    }

    @Test func versionIsCompleteWithItsLastChunk() {
        let memory = memory(holding: [(3, [2, 0])])
        #expect(!memory.isComplete(3))
        #expect(memory.arriving == 3)
        #expect(memory.newestComplete == nil)
        store(1, of: 3, in: memory)
        #expect(memory.isComplete(3))
        #expect(memory.arriving == nil)
        #expect(memory.newestComplete == 3)
        for chunk in 0..<3 { #expect(memory.weights(3)?[chunks.range(chunk).lowerBound] == 30 + Float(chunk)) }
    }

    @Test func chunkThatComesTwiceCountsOnce() {
        let memory = memory(holding: [(3, [2, 2, 2])])
        #expect(!memory.isComplete(3))
        #expect(memory.contiguousChunks(of: 3, owned: 0..<3) == 1)
    }

    @Test func newVersionReplacesTheOlderOfTwo() {
        let memory = memory(holding: [(1, [0, 1, 2]), (2, [0, 1, 2]), (3, [2])])
        #expect(memory.weights(1) == nil)
        #expect(memory.isComplete(2))
        #expect(memory.arriving == 3)
        #expect(memory.weights(2)?[0] == 20)
    }

    @Test func versionOlderThanBothIsDropped() {
        let memory = memory(holding: [(5, [0, 1, 2]), (6, [0]), (4, [0, 1, 2])])
        #expect(memory.weights(4) == nil)
        #expect(memory.isComplete(5))
    }

    @Test func rangeIsHeldWithItsChunks() {
        let memory = memory(holding: [(3, [2, 1])])
        #expect(memory.holds(chunks.range(1).lowerBound..<chunks.elementCount, of: 3))
        #expect(!memory.holds(0..<1, of: 3))
        #expect(!memory.holds(chunks.range(1).lowerBound - 1..<chunks.elementCount, of: 3))
        #expect(!memory.holds(20_000..<20_001, of: 4))
    }

    @Test func contiguousChunksCountInOrderOfTravel() {
        #expect(memory(holding: [(3, [0, 1])]).contiguousChunks(of: 3, owned: 0..<3) == 0)
        #expect(memory(holding: [(3, [2, 0])]).contiguousChunks(of: 3, owned: 0..<3) == 1)
        #expect(memory(holding: [(3, [2, 1, 0])]).contiguousChunks(of: 3, owned: 0..<3) == 3)
    }

    @Test func sharedVersionIsReadWhereItLies() throws {
        let segment = try BlockSegment.create(blockCount: 3, elementCount: 40_000, sharing: .creatorWrites, name: "test")
        let memory = WeightsMemory(chunks: chunks, shared: segment)
        #expect(memory.canShare(2))
        #expect(!memory.canShare(3))
        segment.writableBlock(2).mutableView[0] = 9
        for chunk in 0..<3 { memory.share(version: 7, chunk: chunk, block: 2) }
        #expect(memory.isComplete(7))
        #expect(memory.weights(7)?[0] == 9)
        withExtendedLifetime(segment) {}
    }

    @Test func versionThatMovesIsTakenAnew() throws {
        let segment = try BlockSegment.create(blockCount: 3, elementCount: 40_000, sharing: .creatorWrites, name: "test")
        let memory = WeightsMemory(chunks: chunks, shared: segment)
        for chunk in 0..<3 { memory.share(version: 7, chunk: chunk, block: 2) }
        store(0, of: 7, in: memory)
        #expect(!memory.isComplete(7))
        for chunk in 1..<3 { store(chunk, of: 7, in: memory) }
        #expect(memory.isComplete(7))
        #expect(memory.weights(7)?[0] == 70)
    }

    @Test func aWholeVersionCanGoOnUnderTheNextNumber() {
        let memory = memory(holding: [(3, [2, 1, 0]), (5, [2])])
        memory.renumber(to: 6)
        #expect(memory.arriving == 5, "it is not here as a whole")
        memory.renumber(to: 4)
        #expect(!memory.isComplete(3))
        #expect(memory.isComplete(4) && memory.newestComplete == 4)
        #expect(memory.weights(4)?[0] == 30)
        memory.renumber(to: 0)
        memory.renumber(to: 9)
        #expect(memory.newestComplete == 4)
    }

    /// One of several servers says that the values stay before another has sent its chunks of them.
    @Test func chunksUnderAFormerNumberAreOfTheVersionThatItHasBecome() {
        let memory = WeightsMemory(chunks: chunks, sources: .mixed)
        store(0, of: 3, in: memory)
        memory.renumber(to: 4)
        memory.renumber(to: 5)
        #expect(memory.arriving == 5)
        for chunk in 1..<3 { store(chunk, of: 3, in: memory) }
        #expect(memory.isComplete(5) && !memory.isComplete(3))
        for chunk in 0..<3 { #expect(memory.weights(5)?[chunks.range(chunk).lowerBound] == 30 + Float(chunk)) }
        store(0, of: 6, in: memory)
        memory.renumber(to: 4)
        memory.renumber(to: 5)
        #expect(memory.newestComplete == 5 && memory.arriving == 6, "the other server's word is no news")
    }

    /// Who comes just then is given the values under one number by one server and under the next by another.
    @Test func chunksOfBothNumbersComeTogether() {
        let memory = WeightsMemory(chunks: chunks, sources: .mixed)
        store(0, of: 4, in: memory)
        for chunk in 1..<3 { store(chunk, of: 3, in: memory) }
        #expect(memory.newestComplete == nil)
        memory.renumber(to: 4)
        #expect(memory.isComplete(4))
        #expect((0..<3).map { memory.weights(4)?[chunks.range($0).lowerBound] } == [40, 31, 32])
    }

    /// The chunks of the coordinator's host lie in a shared block, those of another host's server come in messages.
    @Test func sharedChunksAreCopiedTogetherWithThoseThatTravel() throws {
        let segment = try BlockSegment.create(blockCount: 3, elementCount: 40_000, sharing: .creatorWrites, name: "test")
        let memory = WeightsMemory(chunks: chunks, shared: segment, sources: .mixed)
        segment.writableBlock(1).mutableView[0] = 9
        for chunk in 0..<2 { memory.share(version: 7, chunk: chunk, block: 1) }
        store(2, of: 7, in: memory)
        #expect(memory.isComplete(7))
        #expect(memory.weights(7)?[0] == 9 && memory.weights(7)?[chunks.range(2).lowerBound] == 72)
        withExtendedLifetime(segment) {}
    }

    @Test func serversThatShareMemoryPutAVersionIntoOneBlock() throws {
        let segment = try BlockSegment.create(blockCount: 3, elementCount: 40_000, sharing: .creatorWrites, name: "test")
        let memory = WeightsMemory(chunks: chunks, shared: segment, sources: .alike)
        #expect(memory.accepts(7, sharedBlock: 1) && memory.accepts(7, sharedBlock: nil))
        memory.share(version: 7, chunk: 0, block: 1)
        #expect(memory.accepts(7, sharedBlock: 1) && memory.accepts(8, sharedBlock: 0))
        #expect(!memory.accepts(7, sharedBlock: 0) && !memory.accepts(7, sharedBlock: nil))
        // Others may say that the values stay before the rest of them is here.
        memory.renumber(to: 8)
        for chunk in 1..<3 { memory.share(version: 7, chunk: chunk, block: 1) }
        #expect(memory.isComplete(8))
        #expect(memory.weights(8).map(\.base) == segment.view(1).base)
    }

    @Test func sharedChunksOfBothNumbersComeTogetherWithoutACopy() throws {
        let segment = try BlockSegment.create(blockCount: 3, elementCount: 40_000, sharing: .creatorWrites, name: "test")
        let memory = WeightsMemory(chunks: chunks, shared: segment, sources: .alike)
        memory.share(version: 4, chunk: 0, block: 2)
        for chunk in 1..<3 { memory.share(version: 3, chunk: chunk, block: 2) }
        memory.renumber(to: 4)
        #expect(memory.isComplete(4))
        #expect(memory.weights(4).map(\.base) == segment.view(2).base)
    }
}
