import Kernels
import OperatingSystem
import Testing

@testable import Runtime

@Suite struct SharedSegmentsTests {
    private let count = 4_096

    private func segments(workers: Int, hasServers: Bool) throws -> SharedSegments {
        let segments = try SharedSegments(elementCount: count, shardCount: 2, workers: workers, hasServers: hasServers)
        try segments.closeWeights()
        return segments
    }

    /// Its contributions may be to the open step and, where a server knows more than we do, to the next one.
    @Test(arguments: [false, true])
    func aSegmentHasANewOwnerTwoStepsAfterItsProcessHasEnded(hasServers: Bool) throws {
        let segments = try segments(workers: 1, hasServers: hasServers)
        let first = try #require(try segments.prepare()).place
        segments.adopt(first, of: 100)
        #expect(segments.place(of: 100) == first && segments.gradients(of: 100) != nil)
        try #require(segments.gradients(of: 100)).writableBlock(0).mutableView[0] = 5
        let former = try #require(segments.gradients(of: 100))
        segments.retire(100)
        #expect(segments.place(of: 100) == nil)
        segments.stepCompleted()
        let second = try #require(try segments.prepare()).place
        #expect(second != first)
        #expect(former.view(0)[0] == 5)
        segments.adopt(second, of: 101)
        segments.stepCompleted()
        #expect(try #require(try segments.prepare()).place == first)
        #expect(former.view(0)[0] == 0, "its pages are given back")
        #expect(segments.place(of: 101) == second)
    }

    /// What other servers were given when they were started is all there is; then values travel in messages.
    @Test func noSegmentIsMadeThatServersDoNotKnow() throws {
        let segments = try segments(workers: 1, hasServers: true)
        let count = segments.forServer.option.segmentCount
        #expect(segments.forServer.descriptors.count == count + 1)
        for process in 0..<Int32(count) {
            segments.adopt(try #require(try segments.prepare()).place, of: process)
            segments.retire(process)
        }
        #expect(try segments.prepare() == nil)
        segments.stepCompleted()
        segments.stepCompleted()
        #expect(try segments.prepare() != nil)
    }

    @Test func theCoordinatorAloneMakesAsManyAsItNeeds() throws {
        let segments = try segments(workers: 1, hasServers: false)
        for process in 0..<Int32(9) { segments.adopt(try #require(try segments.prepare()).place, of: process) }
        #expect(Set((0..<Int32(9)).map { segments.place(of: $0) }).count == 9)
    }

    @Test(arguments: ["3:4:6:12", "7:9:1:1"])
    func theServersOptionIsReadBack(text: String) throws {
        #expect(try #require(ServerSegmentsOption(text)).text == text)
    }

    @Test(arguments: ["", "3:4:6", "3:3:1:1", "2:3:1:1", "3:4:0:1", "3:4:1:0", "3:2147483647:9:1", "3:4:1:1:1", "a:4:1:1"])
    func anotherOptionIsNone(text: String) {
        #expect(ServerSegmentsOption(text) == nil)
    }
}
