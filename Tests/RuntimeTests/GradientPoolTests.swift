import Kernels
import OperatingSystem
import Testing
import ZeroMQ

@testable import Runtime

@Suite struct GradientPoolTests {
    /// Long enough that a body is lent and not copied.
    private let count = Limits.smallestLentBody / 4

    @Test func blockOfTheSameStepIsNotGivenTwice() throws {
        let pool = GradientPool(elementCount: count)
        let first = try #require(pool.take(step: 4, nodeCount: 2))
        let second = try #require(pool.take(step: 4, nodeCount: 2))
        #expect(first !== second)
        #expect(pool.take(step: 5, nodeCount: 2) === first)
    }

    @Test func blockThatIsStillLentIsNotReused() throws {
        let pool = GradientPool(elementCount: count)
        let first = try #require(pool.take(step: 0, nodeCount: 1))
        var frame: Frame? = first.body(0..<count)
        let second = try #require(pool.take(step: 1, nodeCount: 1))
        #expect(second !== first)
        #expect(frame?.byteCount == count * 4)
        frame = nil
        #expect(pool.take(step: 2, nodeCount: 1) === first)
        withExtendedLifetime(second) {}
    }

    /// Three for the node, three for steps that are computed again.
    @Test func noneIsLeftWhileAllAreLent() throws {
        let pool = GradientPool(elementCount: count)
        var frames = FrameStore(count: 6)
        for step in 0..<6 {
            let block = try #require(pool.take(step: UInt64(step), nodeCount: 1))
            frames.store(block.body(0..<count), at: step)
        }
        #expect(pool.take(step: 6, nodeCount: 1) == nil)
        frames.clear(at: 4)
        #expect(pool.take(step: 6, nodeCount: 1)?.step == 6)
    }

    @Test func blockThatWasPutBackIsFreeInTheSameStep() throws {
        let pool = GradientPool(elementCount: count)
        let first = try #require(pool.take(step: 4, nodeCount: 1))
        pool.putBack(first)
        #expect(pool.take(step: 4, nodeCount: 1) === first)
    }

    /// The next step was begun while this one was open; then a lease grew, and this one is computed on.
    @Test func blockOfTheOpenStepIsNotWrittenAgainAfterTheNextStepGaveItBack() throws {
        let pool = GradientPool(elementCount: count)
        let sent = try #require(pool.take(step: 4, nodeCount: 1))
        let begun = try #require(pool.take(step: 5, nodeCount: 1))
        #expect(begun === sent)
        pool.putBack(begun)
        #expect(pool.take(step: 4, nodeCount: 1) !== sent)
        #expect(pool.take(step: 5, nodeCount: 1) === sent)
    }

    /// The weights of the next step come from one server while another still waits for somebody else's part of this one.
    @Test func sharedBlockIsNotWrittenAgainBeforeEveryServerIsDoneWithIt() throws {
        let segment = try BlockSegment.create(blockCount: 8, elementCount: count, sharing: .allWrite, name: "test")
        let pool = GradientPool(elementCount: count, shared: segment)
        let sent = try #require(pool.take(step: 4, over: 4, nodeCount: 1))
        let next = try #require(pool.take(step: 5, over: 4, nodeCount: 1))
        #expect(next !== sent)
        #expect(pool.take(step: 6, over: 5, nodeCount: 1) === sent)
        #expect(pool.take(step: 7, over: 7, nodeCount: 1) === sent)
    }

    @Test func trimmingKeepsTheBlocksOfTheOpenStep() throws {
        let segment = try BlockSegment.create(blockCount: 8, elementCount: count, sharing: .allWrite, name: "test")
        let pool = GradientPool(elementCount: count, shared: segment)
        for index in 0..<5 { #expect(try #require(pool.take(step: 4, nodeCount: 4)).sharedIndex == index) }
        pool.trim(nodeCount: 1, openStep: 4)
        #expect(pool.take(step: 4, nodeCount: 1)?.sharedIndex == 5)
        pool.trim(nodeCount: 1, openStep: 5)
        let left = (0..<6).compactMap { _ in pool.take(step: 5, nodeCount: 1)?.sharedIndex }
        #expect(left == [0, 1, 2, 3, 4, 5])
    }

    @Test func blocksComeFromTheSharedSegmentAsLongAsThereAreAny() throws {
        let segment = try BlockSegment.create(blockCount: 2, elementCount: count, sharing: .allWrite, name: "test")
        let pool = GradientPool(elementCount: count, shared: segment)
        let blocks = try (0..<3).map { _ in try #require(pool.take(step: 1, nodeCount: 1)) }
        #expect(blocks.map(\.sharedIndex) == [0, 1, nil])
        blocks[1].floats.mutableView[5] = 7
        #expect(segment.view(1)[5] == 7)
        #expect(segment.view(0)[5] == 0)
    }
}
