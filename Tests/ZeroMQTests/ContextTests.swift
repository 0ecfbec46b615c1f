import Glibc
import OperatingSystem
import Synchronization
import Testing

@testable import ZeroMQ

@Suite struct ContextTests {
    @Test func endsAlthoughDataIsUnsent() throws {
        let hasEnded = try EventDescriptor()
        let thread = try WorkerThread.start(name: "context") {
            do {
                let context = try Context()
                let endpoint = try abandonedEndpoint(in: context)
                let socket = try Socket(.pair, in: context)
                try socket.connect(endpoint)
                let delivery = try socket.send(Frame(copying: [1]))
                #expect(delivery == .sent, "queued for a connection that does not exist")
            } catch {
                Issue.record(error)
            }
            hasEnded.signal()
        }
        let ended = try isSignalled(hasEnded)
        #expect(ended)
        if ended { thread.join() }
    }

    @Test func shutdownEndsAWaitOnAnotherThread() throws {
        let context = try Context()
        let isMade = try EventDescriptor()
        let outcome = Box(Mutex<ZMQError?>(nil))
        let thread = try WorkerThread.start(name: "receiver") {
            do throws(ZMQError) {
                let socket = try Socket(.router, in: context)
                isMade.signal()
                _ = try socket.receive(dontWait: false)?.byteCount
            } catch {
                outcome.value.withLock { $0 = error }
            }
        }
        #expect(try isSignalled(isMade))
        context.shutdown()
        thread.join()
        let failure = outcome.value.withLock { $0 }
        #expect(failure?.code == .terminated)
        #expect(failure?.description.contains("terminated") == true)
    }

    @Test func isKeptAliveByItsSockets() throws {
        weak var watched: Context?
        do {
            let socket: Socket
            do {
                let context = try Context()
                watched = context
                socket = try Socket(.pair, in: context)
            }
            #expect(watched != nil)
            try socket.bind("inproc://alive")
        }
        #expect(watched == nil)
    }

    @Test func tooManySocketsAreAnError() throws {
        let context = try Context(maximumSockets: 1)
        let first = try Socket(.pair, in: context)
        let failure = #expect(throws: ZMQError.self) { _ = try Socket(.pair, in: context).kind }
        #expect(failure?.code == .tooManyDescriptors)
        #expect(first.kind == .pair)
    }

    @Test func anImpossibleSettingIsNamed() {
        let failure = #expect(throws: ZMQError.self) { try Context(ioThreads: -1) }
        #expect(failure?.subject == "ZMQ_IO_THREADS=-1")
    }
}

@Suite struct ZMQErrorTests {
    @Test func interruptedCallsAreRepeated() throws {
        var calls = 0
        let result = callRetrying {
            calls += 1
            if calls == 3 { return 5 }
            errno = EINTR
            return -1
        }
        #expect(result == 5)
        #expect(calls == 3)
    }

    @Test func otherFailuresThrowWithTheirNumber() {
        #expect(throws: ZMQError(code: .accessDenied, call: "zmq_test", subject: "x")) {
            try check("zmq_test", subject: "x") {
                errno = EACCES
                return -1
            }
        }
    }

    @Test(arguments: [
        (Duration.zero, 0), (.nanoseconds(1), 1), (.milliseconds(5), 5), (.microseconds(5001), 6), (.seconds(-1), -1000),
        (.seconds(1 << 40), Int(CInt.max)), (.seconds(Int64.max), Int(CInt.max)),
    ])
    func durationsAreRoundedUpToMilliseconds(duration: Duration, milliseconds: Int) {
        #expect(Int(duration.milliseconds) == milliseconds)
    }

    @Test func theLibraryIsNewEnoughAndEncrypts() {
        let parts = Library.version.split(separator: ".").compactMap { Int($0) }
        #expect(parts.count == 3)
        #expect(!parts.lexicographicallyPrecedes([4, 3, 4]))
        #expect(Library.hasCURVE)
    }
}
