import Kernels
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
        var frame: Frame? = Frame(lending: first.floats.view.bytes, from: first.lender)
        let second = try #require(pool.take(step: 1, nodeCount: 1))
        #expect(second !== first)
        #expect(frame?.byteCount == count * 4)
        frame = nil
        #expect(pool.take(step: 2, nodeCount: 1) === first)
        withExtendedLifetime(second) {}
    }

    @Test func noneIsLeftWhileThreeAreLent() throws {
        let pool = GradientPool(elementCount: count)
        let first = try #require(pool.take(step: 0, nodeCount: 1))
        let one = Frame(lending: first.floats.view.bytes, from: first.lender)
        let second = try #require(pool.take(step: 1, nodeCount: 1))
        let two = Frame(lending: second.floats.view.bytes, from: second.lender)
        let third = try #require(pool.take(step: 2, nodeCount: 1))
        do {
            let three = Frame(lending: third.floats.view.bytes, from: third.lender)
            #expect(pool.take(step: 3, nodeCount: 1) == nil)
            #expect(three.byteCount == count * 4)
        }
        #expect(pool.take(step: 3, nodeCount: 1) === third)
        #expect(one.byteCount == two.byteCount)
    }
}
