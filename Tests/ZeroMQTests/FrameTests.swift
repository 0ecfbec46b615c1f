import OperatingSystem
import Synchronization
import Testing
import ZeroMQ

@Suite struct FrameTests {
    /// libzmq keeps 33 bytes inside the message itself.
    @Test(arguments: [0, 1, 33, 34, 100_000])
    func holdsTheBytesItWasMadeOf(byteCount: Int) {
        let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let frame = Frame(copying: bytes)
        let isEqual = frame.withBytes { $0.elementsEqual(bytes) }
        #expect(isEqual)
        let count = frame.byteCount
        #expect(count == byteCount)
        let more = frame.more
        #expect(!more)
    }

    @Test func isFilledInPlace() {
        let frame = Frame(byteCount: 4) { $0.copyBytes(from: [1, 2, 3, 4]) }
        let bytes = frame.withBytes { Array($0) }
        #expect(bytes == [1, 2, 3, 4])
    }

    @Test func aFillThatThrowsMakesNoFrame() {
        #expect(throws: CancellationError.self) {
            let frame = try Frame(byteCount: 4) { (_) throws(CancellationError) in throw CancellationError() }
            _ = frame.byteCount
        }
    }

    @Test(arguments: [10, 1000])
    func aSharedFrameOutlivesTheOriginal(byteCount: Int) {
        let bytes = [UInt8](repeating: 3, count: byteCount)
        var original: Frame? = Frame(copying: bytes)
        let copy = Frame(sharing: &original!)  // set in the line above
        original = nil
        let isEqual = copy.withBytes { $0.elementsEqual(bytes) }
        #expect(isEqual)
    }

    @Test func oneThatWasNotReceivedHasNoSource() {
        let frame = Frame(copying: [1])
        let (descriptor, user, address) = (frame.sourceDescriptor, frame.userID, frame.peerAddress)
        #expect(descriptor == nil)
        #expect(user == nil)
        #expect(address == nil)
    }

    @Test func movesBetweenThreads() throws {
        let block = Block(byteCount: 100_000)
        let lender = Lender(keeping: block)
        let box = Box(Mutex<Frame?>(Frame(lending: block.view, from: lender)))
        let thread = try WorkerThread.start(name: "taker") {
            let frame = box.value.withLock { $0.take() }
            if let frame, frame.byteCount != 100_000 { Issue.record("another frame came") }
        }
        thread.join()
        #expect(lender.outstanding == 0, "the other thread has released it")
    }
}

@Suite struct LenderTests {
    private static let large = Limits.smallestLentBody

    @Test(arguments: [(large - 1, false), (large, true)])
    func smallBodiesAreCopied(byteCount: Int, isLent: Bool) {
        let block = Block(byteCount: byteCount)
        let lender = Lender(keeping: block)
        let frame = Frame(lending: block.view, from: lender)
        let base = frame.withBytes { $0.baseAddress }
        #expect((base == block.view.baseAddress) == isLent)
        #expect(lender.outstanding == (isLent ? 1 : 0))
    }

    @Test func theBodyComesBackOnceWhenEveryCopyIsGone() throws {
        let returns = Box(Atomic<Int>(0))
        let block = Block(byteCount: Self.large)
        let lender = Lender(keeping: block, whenAllAreBack: { returns.value.add(1, ordering: .relaxed) })
        do {
            var body = Frame(lending: block.view, from: lender)
            let context = try Context()
            let server = try Socket(.router, in: context, options: .with())
            let endpoint = try server.bind("inproc://fan-out")
            var message = Message(maximumParts: 2)
            for peer in 0..<3 {
                let client = try Socket(.dealer, in: context, options: .with())
                try client.connect(endpoint)
                try client.send(texts: ["hello \(peer)"])
                let reception = try server.receive(into: &message, dontWait: false)
                #expect(reception == .received)
                let sender = try message.sender()
                var copy: Frame? = Frame(sharing: &body)
                let delivery = try server.send(header: [1, 2, 3], body: &copy, to: sender)
                #expect(delivery == .sent)
                let received = try client.receive(into: &message, dontWait: false)
                #expect(received == .received)
                let isSame = message.bytes(at: 1).baseAddress == block.view.baseAddress
                #expect(isSame, "inproc passes the body itself")
            }
            #expect(lender.outstanding == 1, "one body, however many frames")
            message.clear()
            #expect(lender.outstanding == 1)
        }
        #expect(lender.outstanding == 0)
        #expect(returns.value.load(ordering: .relaxed) == 1)
    }

    @Test func theBodyComesBackFromTheNetwork() throws {
        let folder = try TemporaryFolder(prefix: "lend-")
        for endpoint in endpoints(in: folder).dropFirst() {
            let isBack = try EventDescriptor()
            let block = Block(byteCount: 1 << 20)
            let lender = Lender(keeping: block, whenAllAreBack: { isBack.signal() })
            let context = try Context()
            let pair = try Pair(.pair, .pair, at: endpoint, in: context)
            let delivery = try pair.client.send(Frame(lending: block.view, from: lender), dontWait: false)
            #expect(delivery == .sent)
            let received = try pair.server.receive(dontWait: false)
            let isEqual = received?.withBytes { $0.elementsEqual(block.view) }
            #expect(isEqual == true)
            #expect(try isSignalled(isBack))
            #expect(lender.outstanding == 0)
        }
    }

    @Test func keepsItsOwnerUntilTheLastBodyIsBack() {
        weak var watched: Block?
        var frame: Frame?
        do {
            let block = Block(byteCount: Self.large)
            watched = block
            frame = Frame(lending: block.view, from: Lender(keeping: block))
        }
        #expect(watched != nil)
        frame = nil
        let isGone = frame == nil
        #expect(isGone)
        #expect(watched == nil)
    }
}

@Suite struct FrameStoreTests {
    @Test func keepsFramesWithoutCopyingThem() {
        let block = Block(byteCount: 100_000)
        let lender = Lender(keeping: block)
        var store = FrameStore(count: 3)
        store.store(Frame(lending: block.view, from: lender), at: 1)
        let (empty, base) = (store.bytes(at: 0).isEmpty, store.bytes(at: 1).baseAddress)
        #expect(empty)
        #expect(base == block.view.baseAddress)
        #expect(lender.outstanding == 1)
        store.clear(at: 1)
        #expect(lender.outstanding == 0)
    }

    @Test func storingReleasesWhatWasThere() {
        let block = Block(byteCount: 100_000)
        let lender = Lender(keeping: block)
        var store = FrameStore(count: 1)
        store.store(Frame(lending: block.view, from: lender), at: 0)
        store.store(Frame(copying: [1, 2]), at: 0)
        #expect(lender.outstanding == 0)
        let bytes = store.withBytes(at: 0) { Array($0) }
        #expect(bytes == [1, 2])
    }

    @Test func givesAFrameBack() {
        var store = FrameStore(count: 1)
        store.store(Frame(copying: [1, 2]), at: 0)
        let taken = store.take(at: 0)
        let bytes = taken.withBytes { Array($0) }
        #expect(bytes == [1, 2])
        let isEmpty = store.bytes(at: 0).isEmpty
        #expect(isEmpty)
    }

    @Test func releasesEverythingAtItsEnd() {
        let block = Block(byteCount: 100_000)
        let lender = Lender(keeping: block)
        do {
            var store = FrameStore(count: 4)
            for place in 0..<store.count {
                store.store(Frame(lending: block.view, from: lender), at: place)
            }
            #expect(lender.outstanding == 4)
        }
        #expect(lender.outstanding == 0)
    }

    @Test func takesPartsOutOfAMessage() throws {
        let context = try Context()
        let pair = try Pair(.pair, .pair, in: context)
        try pair.client.send(texts: ["header", "body"])
        var message = Message(maximumParts: 2)
        _ = try pair.server.receive(into: &message, dontWait: false)
        var store = FrameStore(count: 1)
        store.store(part: 1, of: &message, at: 0)
        let left = message.texts
        #expect(left == ["header", ""])
        let body = store.withBytes(at: 0) { String(decoding: $0, as: UTF8.self) }
        #expect(body == "body")
    }
}
