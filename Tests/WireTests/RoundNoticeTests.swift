import Testing
import Wire

@Suite struct RoundNoticeTests {
    private func decode(_ bytes: [UInt8]) throws(WireError) -> RoundNotice {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 16)
        defer { memory.deallocate() }
        let shifted = UnsafeMutableRawBufferPointer(rebasing: memory[1...])
        shifted.copyBytes(from: bytes)
        return try RoundNotice(decoding: UnsafeRawBufferPointer(shifted))
    }

    @Test(arguments: [
        RoundNotice(planStep: 0, maskStep: 0), RoundNotice(planStep: .max, maskStep: 1), RoundNotice(planStep: 3, maskStep: .max - 1),
    ])
    func aNoticeSurvivesTheWire(notice: RoundNotice) throws {
        var bytes = [UInt8](repeating: 0xAA, count: RoundNotice.byteCount)
        bytes.withUnsafeMutableBytes { notice.encode(into: $0) }
        #expect(try decode(bytes) == notice)
    }

    @Test func everyOtherLengthIsRefused() {
        for length in 0...40 where length != RoundNotice.byteCount {
            #expect(throws: WireError.bodyLength(length, expected: RoundNotice.byteCount)) {
                try decode([UInt8](repeating: 0, count: length))
            }
        }
    }
}
