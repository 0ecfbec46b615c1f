import Testing
import Wire

@Suite struct ClockNoticeTests {
    private func bytes(_ count: Int, _ encode: (UnsafeMutableRawBufferPointer) -> Void) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xAA, count: count)
        bytes.withUnsafeMutableBytes { encode($0) }
        return bytes
    }

    @Test func clocksComeBack() throws {
        let notice = ClockNotice(limit: 7, clocks: [5, .max, 6])
        let encoded = bytes(notice.byteCount) { notice.encode(into: $0) }
        #expect(encoded.prefix(9) == [7, 0, 0, 0, 0, 0, 0, 0, 5])
        #expect(try encoded.withUnsafeBytes { try ClockNotice(decoding: $0, shardCount: 3) } == notice)
        for count in [0, 8, 31, 33] {
            let other = [UInt8](repeating: 0, count: count)
            #expect(throws: WireError.bodyLength(count, expected: 32)) {
                try other.withUnsafeBytes { try ClockNotice(decoding: $0, shardCount: 3) }
            }
        }
    }

    @Test func contributionsComeBack() throws {
        let notice = ContributionNotice(clock: 9, shards: [0, 2, 3])
        let encoded = bytes(notice.byteCount) { notice.encode(into: $0) }
        #expect(try encoded.withUnsafeBytes { try ContributionNotice(decoding: $0, shardCount: 4) } == notice)
    }

    @Test(arguments: [[], [4], [1, 1], [2, 1], [0, 1, 2, 3, 4]] as [[Int]])
    func shardsThatCanNotBeAreRefused(shards: [Int]) throws {
        let notice = ContributionNotice(clock: 1, shards: shards)
        let encoded = bytes(notice.byteCount) { notice.encode(into: $0) }
        #expect(throws: WireError.self) { try encoded.withUnsafeBytes { try ContributionNotice(decoding: $0, shardCount: 4) } }
    }

    @Test(arguments: [0, 4, 8, 11, 13])
    func bytesThatAreCutOffAreRefused(count: Int) {
        let bytes = [UInt8](repeating: 0, count: count)
        #expect(throws: WireError.self) { try bytes.withUnsafeBytes { try ContributionNotice(decoding: $0, shardCount: 4) } }
    }
}
