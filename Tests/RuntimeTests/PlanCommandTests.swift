import Testing

@testable import Runtime

@Suite struct PlanCommandTests {
    @Test(arguments: [("10G", 1e10), ("100M", 1e8), ("2.5G", 2.5e9), ("64k", 64e3), ("1T", 1e12), ("5000", 5_000)])
    func aBandwidthIsANumberOfBitsPerSecond(text: String, expected: Double) {
        #expect(PlanCommand.bandwidth(text) == expected)
    }

    @Test(arguments: ["", "G", "-1G", "0", "10g", "10 G", "inf", "nan", "1e400"])
    func anythingElseIsNone(text: String) {
        #expect(PlanCommand.bandwidth(text) == nil)
    }
}

@Suite struct TimingTests {
    @Test func theMedianAndTheTenthsAreOfAllRepetitions() {
        let timing = Timing((1...100).shuffled().map(Double.init))
        #expect(timing.repetitions == 100)
        #expect([timing.fastestTenthMs, timing.medianMs, timing.slowestTenthMs] == [11, 51, 91])
    }

    @Test func timesBehindTheWarmUpCount() throws {
        let timing = try #require(Timing(between: [.zero, .seconds(5), .seconds(6), .seconds(8)], warmUp: 1))
        #expect(timing.repetitions == 2)
        #expect([timing.fastestTenthMs, timing.slowestTenthMs] == [1_000, 2_000])
        #expect(Timing(between: [.zero, .seconds(1)], warmUp: 1) == nil)
    }
}
