import Glibc
import OperatingSystem
import Testing

@Suite struct SignalDescriptorTests {
    @Test func readsBlockedSignalsInsteadOfDyingOfThem() throws {
        let seen = try onAThread {
            let signals = try SignalDescriptor([.interrupt, .terminate])
            pthread_kill(pthread_self(), SIGTERM)
            pthread_kill(pthread_self(), SIGINT)
            let isReadable = becomesReadable(signals.descriptor)
            let seen = [try signals.next(), try signals.next()]
            return (isReadable, Set(seen), try signals.next())
        }
        #expect(seen.0)
        #expect(seen.1 == [.interrupt, .terminate])
        #expect(seen.2 == nil)
    }

    @Test func threadsStartedLaterInheritTheMask() throws {
        let isBlocked = try onAThread {
            _ = try SignalDescriptor([.terminate])
            return try onAThread {
                var mask = sigset_t()
                pthread_sigmask(SIG_BLOCK, nil, &mask)
                return sigismember(&mask, SIGTERM) == 1
            }
        }
        #expect(isBlocked)
    }

    @Test(arguments: Signal.allCases)
    func numbersAreThoseOfTheSystem(signal: Signal) {
        let expected: CInt =
            switch signal {
            case .hangUp: SIGHUP
            case .interrupt: SIGINT
            case .quit: SIGQUIT
            case .kill: SIGKILL
            case .terminate: SIGTERM
            case .childEnded: SIGCHLD
            case .resume: SIGCONT
            case .stop: SIGSTOP
            }
        #expect(signal.rawValue == expected)
    }
}

@Suite struct EventDescriptorTests {
    @Test func isReadableFromSignalToDrain() throws {
        let event = try EventDescriptor()
        #expect(!event.drain())
        event.signal()
        event.signal()
        #expect(becomesReadable(event.descriptor))
        #expect(event.drain())
        #expect(!event.drain(), "two signals are drained at once")
    }

    @Test func wakesAnotherThread() throws {
        let (there, back) = (try EventDescriptor(), try EventDescriptor())
        let thread = try WorkerThread.start(name: "echo") {
            if becomesReadable(there.descriptor) { back.signal() }
        }
        there.signal()
        #expect(becomesReadable(back.descriptor))
        thread.join()
    }
}
