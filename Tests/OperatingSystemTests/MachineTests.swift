import Glibc
import OperatingSystem
import Synchronization
import Testing

@Suite struct MachineTests {
    @Test func countsTheCoresThisProcessMayUse() throws {
        var pipe = try PipeEnds()
        // nproc heeds OMP_NUM_THREADS, so it gets an empty environment.
        let child = try ChildProcess.spawn(executable: "/usr/bin/nproc", environment: [:], standardOutput: .descriptor(pipe.writingNumber))
        pipe.closeWriting()
        let text = String(decoding: try pipe.reading.readAll(), as: UTF8.self)
        #expect(try child.waitForExit() == .exited(0))
        #expect(text == "\(Machine.coreCount)\n")
    }

    /// What is started meanwhile stays on the cores; the thread itself gets its own back.
    @Test func aProcessStaysOnTheCoresThatItWasStartedOn() throws {
        let before = Machine.cores
        let last = try #require(before.last)
        var pipe = try PipeEnds()
        let child = try ChildProcess.spawn(
            executable: "/usr/bin/grep", arguments: ["Cpus_allowed_list", "/proc/self/status"],
            standardOutput: .descriptor(pipe.writingNumber), cores: [last])
        #expect(Machine.cores == before)
        pipe.closeWriting()
        let text = String(decoding: try pipe.reading.readAll(), as: UTF8.self)
        #expect(try child.waitForExit() == .exited(0))
        #expect(text == "Cpus_allowed_list:\t\(last)\n")
    }

    @Test func aCoreThatIsNotThereKeepsNobodyFromWorking() throws {
        let child = try ChildProcess.spawn(executable: "/usr/bin/true", cores: [1_023])
        #expect(try child.waitForExit() == .exited(0))
    }

    @Test func peakMemoryCoversWhatWasTouched() throws {
        let byteCount = 64 << 20
        let before = try #require(Machine.residentMemory)
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 4096)
        block.initializeMemory(as: UInt8.self, repeating: 1)
        let during = try #require(Machine.residentMemory)
        block.deallocate()
        let peak = try #require(Machine.peakMemory)
        #expect(peak >= byteCount)
        #expect(peak >= before)
        #expect(during >= byteCount)
    }

    /// Setting the system's clock moves CLOCK_REALTIME and leaves this one alone.
    @Test func monotonicTimeIsTheSystemsMonotonicClock() {
        func system() -> Duration {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        }
        let before = system()
        let own = Machine.monotonicTime
        #expect(before <= own && own <= system())
    }

    @Test func monotonicTimeNeverGoesBack() {
        let times = (0..<1000).map { _ in Machine.monotonicTime }
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(times[0] > .zero)
    }

    @Test func raisesTheDescriptorLimitToWhatIsAllowed() throws {
        let raised = try Machine.raiseDescriptorLimit()
        #expect(raised > 0)
        #expect(try Machine.raiseDescriptorLimit() == raised)
    }

    @Test func aPipeIsNoTerminal() throws {
        let pipe = try PipeEnds()
        #expect(!Machine.isTerminal(pipe.reading.number))
        #expect(Machine.terminalWidth(pipe.reading.number) == nil)
    }

    @Test func knowsItselfAndItsParent() throws {
        #expect(Machine.processIdentifier == getpid())
        #expect(Machine.parentProcessIdentifier == getppid())
        #expect(try access(Machine.executablePath(), X_OK) == 0)
        #expect(try contents(of: "/proc/sys/kernel/hostname") == Machine.hostName + "\n")
    }
}

@Suite struct WorkerThreadTests {
    @Test(arguments: [("short", "short"), ("a name that is too long", "a name that is ")])
    func isNamed(name: String, shown: String) throws {
        let seen = Box(Mutex(""))
        let thread = try WorkerThread.start(name: name) {
            let text = (try? contents(of: "/proc/thread-self/comm")) ?? ""
            seen.value.withLock { $0 = text }
        }
        thread.join()
        #expect(seen.value.withLock { $0 } == shown + "\n")
    }

    @Test func hasTheStackThatWasAskedFor() throws {
        // Half of it in one frame: an eighth of that would do on a default stack.
        let sum = try onAThread {
            withUnsafeTemporaryAllocation(byteCount: WorkerThread.defaultStackByteCount / 2, alignment: 16) { buffer in
                buffer.initializeMemory(as: UInt8.self, repeating: 1)
                return buffer.reduce(0) { $0 + Int($1) }
            }
        }
        #expect(sum == WorkerThread.defaultStackByteCount / 2)
    }

    @Test func joinsAfterTheBodyHasReturned() throws {
        let gate = try EventDescriptor()
        let finished = Box(Mutex(false))
        let thread = try WorkerThread.start(name: "gated") {
            if becomesReadable(gate.descriptor) { finished.value.withLock { $0 = true } }
        }
        gate.signal()
        thread.join()
        #expect(finished.value.withLock { $0 })
    }

    @Test func anImpossibleStackIsRefused() {
        #expect(throws: SystemError(code: .invalid, call: "pthread_attr_setstacksize", path: "tiny")) {
            try WorkerThread.start(name: "tiny", stackByteCount: 1) {}
        }
    }
}
