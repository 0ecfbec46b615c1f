import OperatingSystem
import Testing
import ZeroMQ

@Suite struct PollerTests {
    @Test func nothingIsReadyAfterTheTime() throws {
        let context = try Context()
        let pair = try Pair(in: context)
        var poller = Poller()
        let item = poller.add(pair.server)
        for timeout in [Duration.zero, .microseconds(1), .milliseconds(2), .seconds(-1)] {
            let (ready, isReadable) = (try poller.wait(timeout: timeout), poller.isReadable(item))
            #expect(ready == 0)
            #expect(!isReadable)
        }
    }

    @Test func waitsNoShorterThanAskedFor() throws {
        var poller = Poller()
        let start = Machine.monotonicTime
        try poller.wait(timeout: .microseconds(1500))
        #expect(Machine.monotonicTime - start >= .microseconds(1500))
    }

    @Test func tellsSocketsAndDescriptorsApart() throws {
        let context = try Context()
        let pair = try Pair(.pair, .pair, in: context)
        let event = try EventDescriptor()
        var poller = Poller()
        let (socket, descriptor) = (poller.add(pair.server), poller.add(descriptor: event.descriptor))
        event.signal()
        let first = (try poller.wait(timeout: patience), poller.isReadable(socket), poller.isReadable(descriptor))
        #expect(first == (1, false, true))
        event.drain()
        try pair.client.send(texts: ["x"])
        let second = (try poller.wait(timeout: patience), poller.isReadable(socket), poller.isReadable(descriptor))
        #expect(second == (1, true, false))
    }

    @Test func aDescriptorOfAnotherThreadWakesIt() throws {
        let event = try EventDescriptor()
        var poller = Poller()
        let item = poller.add(descriptor: event.descriptor)
        let thread = try WorkerThread.start(name: "waker") { event.signal() }
        let (ready, isReadable) = (try poller.wait(timeout: nil), poller.isReadable(item))
        thread.join()
        #expect(ready == 1)
        #expect(isReadable)
    }

    @Test func writableMeansThatSendingWouldNotBlock() throws {
        let context = try Context()
        let limit = SocketOptions.with { ($0.sendHighWaterMark, $0.receiveHighWaterMark) = (1, 1) }
        let pair = try Pair(.pair, .pair, in: context, serverOptions: limit, clientOptions: limit)
        var poller = Poller()
        let item = poller.add(pair.client, .writable)
        try poller.wait(timeout: patience)
        let before = poller.isWritable(item)
        #expect(before)
        while try pair.client.send(Frame()) == .sent {}
        try poller.wait(timeout: .zero)
        let after = poller.isWritable(item)
        #expect(!after)
    }

    @Test func waitsOnlyForWhatIsWanted() throws {
        let event = try EventDescriptor()
        event.signal()
        var poller = Poller()
        let item = poller.add(descriptor: event.descriptor)
        poller.setEvents([], of: item)
        let silenced = try poller.wait(timeout: .zero)
        #expect(silenced == 0)
        poller.setEvents(.readable, of: item)
        let heard = try poller.wait(timeout: .zero)
        #expect(heard == 1)
        poller.remove(item)
        let removed = try poller.wait(timeout: .zero)
        #expect(removed == 0)
        let again = poller.add(descriptor: event.descriptor)
        #expect(again == item, "the place is used again")
    }

    @Test func aClosedSocketIsPassedOver() throws {
        let context = try Context()
        let event = try EventDescriptor()
        var poller = Poller()
        do {
            let socket = try Socket(.pair, in: context)
            _ = poller.add(socket)
        }
        let item = poller.add(descriptor: event.descriptor)
        event.signal()
        let (ready, isReadable) = (try poller.wait(timeout: patience), poller.isReadable(item))
        #expect(ready == 1)
        #expect(isReadable)
    }
}
