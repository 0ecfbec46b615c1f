import Testing
import ZeroMQ

@Suite struct MessageTests {
    @Test(arguments: [(2, Reception.received), (3, .tooManyParts(4)), (1000, .tooManyParts(1001))])
    func aMessageOfTooManyPartsIsDropped(parts: Int, expected: Reception) throws {
        let context = try Context()
        let pair = try Pair(in: context)
        try pair.client.send(texts: (0..<parts).map { "part \($0)" })
        try pair.client.send(texts: ["next"])
        var message = Message(maximumParts: 3)
        let reception = try pair.server.receive(into: &message, dontWait: false)
        #expect(reception == expected)
        let (kept, sender) = (message.count, message.routingID)
        #expect(kept == (expected == .received ? 3 : 1))
        #expect(sender != nil, "the sender is known either way")
        let following = try pair.server.receive(into: &message, dontWait: false)
        #expect(following == .received)
        let texts = message.texts.dropFirst()
        #expect(texts == ["next"])
    }

    @Test func partsAreTakenOutWithoutCopying() throws {
        let context = try Context()
        let pair = try Pair(.pair, .pair, in: context)
        let block = Block(byteCount: 100_000)
        let lender = Lender(keeping: block)
        var sent: Frame? = Frame(lending: block.view, from: lender)
        let delivery = try pair.client.send(header: [1, 2], body: &sent)
        #expect(delivery == .sent)
        var message = Message(maximumParts: 2)
        _ = try pair.server.receive(into: &message, dontWait: false)
        let body = message.take(at: 1)
        let (base, left) = (body.withBytes { $0.baseAddress }, message.byteCount(at: 1))
        #expect(base == block.view.baseAddress)
        #expect(left == 0)
    }

    @Test func receivingAgainReleasesWhatWasHeld() throws {
        let context = try Context()
        let pair = try Pair(.pair, .pair, in: context)
        let block = Block(byteCount: 100_000)
        let lender = Lender(keeping: block)
        _ = try pair.client.send(Frame(lending: block.view, from: lender))
        var message = Message(maximumParts: 1)
        _ = try pair.server.receive(into: &message, dontWait: false)
        #expect(lender.outstanding == 1)
        let reception = try pair.server.receive(into: &message)
        #expect(reception == .nothing)
        #expect(lender.outstanding == 0)
        let count = message.count
        #expect(count == 0)
    }
}

@Suite struct RoutingIDTests {
    @Test(arguments: [1, 5, 8, 9, 255])
    func keepsItsBytes(byteCount: Int) throws {
        let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 + 1) }
        let name = try #require(bytes.withUnsafeBytes { RoutingID($0) })
        #expect(name.withBytes { Array($0) } == bytes)
        #expect(name.byteCount == byteCount)
    }

    @Test(arguments: [0, 256])
    func refusesALengthThatZMTPDoesNotHave(byteCount: Int) {
        let bytes = [UInt8](repeating: 1, count: byteCount)
        #expect(bytes.withUnsafeBytes { RoutingID($0) } == nil)
    }

    @Test func tellsLengthsApartThatDifferByZeroes() throws {
        let short = try #require(([1, 2] as [UInt8]).withUnsafeBytes { RoutingID($0) })
        let long = try #require(([1, 2, 0] as [UInt8]).withUnsafeBytes { RoutingID($0) })
        #expect(short != long)
        #expect(Set([short, long, short]).count == 2)
        #expect("\(long)" == "010200")
    }
}
