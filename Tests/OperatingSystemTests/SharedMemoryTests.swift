import Glibc
import OperatingSystem
import Testing

@Suite struct SharedMemoryTests {
    private static let byteCount = 10_000

    private func copyOfDescriptor(of memory: SharedMemory, from lowest: CInt = 3) -> CInt {
        fcntl(memory.descriptor, F_DUPFD_CLOEXEC, lowest)
    }

    @Test func twoMappingsShareBytes() throws {
        let ours = try SharedMemory.create(byteCount: Self.byteCount, sharing: .allWrite, name: "test")
        let theirs = try SharedMemory.adopt(descriptor: copyOfDescriptor(of: ours), byteCount: Self.byteCount, access: .readWrite)
        #expect(ours.bytes.allSatisfy { $0 == 0 })
        ours.mutableBytes[0] = 7
        theirs.mutableBytes[Self.byteCount - 1] = 9
        #expect(theirs.bytes[0] == 7)
        #expect(ours.bytes[Self.byteCount - 1] == 9)
    }

    @Test func onlyTheCreatorWritesIfSoSealed() throws {
        let ours = try SharedMemory.create(byteCount: Self.byteCount, sharing: .creatorWrites, name: "test")
        let theirs = try SharedMemory.adopt(descriptor: copyOfDescriptor(of: ours), byteCount: Self.byteCount, access: .read)
        ours.mutableBytes[3] = 5
        #expect(theirs.bytes[3] == 5)
        let descriptor = copyOfDescriptor(of: ours)
        let failure = #expect(throws: SystemError.self) {
            try SharedMemory.adopt(descriptor: descriptor, byteCount: Self.byteCount, access: .readWrite)
        }
        #expect(failure?.code == .notPermitted)
    }

    /// As parameter servers and workers of one host: those who come before write on, those who come later only read.
    @Test func whoMapsItBeforeItIsClosedGoesOnWriting() throws {
        let ours = try SharedMemory.create(byteCount: Self.byteCount, sharing: .earlyWrite, name: "test")
        let early = try SharedMemory.adopt(descriptor: copyOfDescriptor(of: ours), byteCount: Self.byteCount, access: .readWrite)
        try ours.closeToWriters()
        let descriptor = copyOfDescriptor(of: ours)
        let failure = #expect(throws: SystemError.self) {
            try SharedMemory.adopt(descriptor: descriptor, byteCount: Self.byteCount, access: .readWrite)
        }
        #expect(failure?.code == .notPermitted)
        let late = try SharedMemory.adopt(descriptor: copyOfDescriptor(of: ours), byteCount: Self.byteCount, access: .read)
        early.mutableBytes[3] = 5
        ours.mutableBytes[4] = 6
        #expect(late.bytes[3] == 5 && late.bytes[4] == 6)
        #expect(throws: SystemError.self, "nothing is added to what is sealed") { try ours.closeToWriters() }
    }

    @Test func discardedBytesAreZerosForEverybody() throws {
        let ours = try SharedMemory.create(byteCount: Self.byteCount, sharing: .allWrite, name: "test")
        let theirs = try SharedMemory.adopt(descriptor: copyOfDescriptor(of: ours), byteCount: Self.byteCount, access: .read)
        ours.mutableBytes[3] = 5
        #expect(theirs.bytes[3] == 5)
        try ours.discard()
        #expect(theirs.bytes.allSatisfy { $0 == 0 })
        ours.mutableBytes[3] = 7
        #expect(theirs.bytes[3] == 7)
    }

    @Test(arguments: [SharedMemory.Sharing.creatorWrites, .earlyWrite, .allWrite])
    func cannotBeResized(sharing: SharedMemory.Sharing) throws {
        let memory = try SharedMemory.create(byteCount: Self.byteCount, sharing: sharing, name: "test")
        for size in [0, 2 * Self.byteCount] {
            #expect(ftruncate(memory.descriptor, size) == -1)
            #expect(errno == EPERM)
        }
    }

    /// Each case in a range of its own, where no test beside it opens a descriptor of the same number.
    @Test(arguments: [(0, 400), (byteCount - 1, 500), (byteCount + 1, 600)] as [(Int, CInt)])
    func anotherSizeIsRefused(expected: Int, lowest: CInt) throws {
        let memory = try SharedMemory.create(byteCount: Self.byteCount, sharing: .allWrite, name: "test")
        let descriptor = copyOfDescriptor(of: memory, from: lowest)
        let failure = #expect(throws: SystemError.self) {
            try SharedMemory.adopt(descriptor: descriptor, byteCount: expected, access: .read)
        }
        #expect(failure?.code == .invalid)
        #expect(fcntl(descriptor, F_GETFD) == -1, "the descriptor is closed")
    }

    @Test func aFileThatCouldShrinkIsRefused() throws {
        let folder = try TemporaryFolder(prefix: "unsealed-")
        try AtomicFile.writeDurably([UInt8](repeating: 0, count: Self.byteCount), to: folder.appending("file"))
        let descriptor = open(folder.appending("file"), O_RDWR | O_CLOEXEC)
        #expect(throws: SystemError.self) {
            try SharedMemory.adopt(descriptor: descriptor, byteCount: Self.byteCount, access: .read)
        }
    }

    @Test func reachesAnotherProcessByInheritance() throws {
        let memory = try SharedMemory.create(byteCount: 5, sharing: .allWrite, name: "test")
        let child = try ChildProcess.spawn(
            executable: "/bin/sh", arguments: ["-c", "printf hello >&9"], descriptors: [.init(memory.descriptor, as: 9)])
        #expect(try child.waitForExit() == .exited(0))
        #expect(String(decoding: memory.bytes, as: UTF8.self) == "hello")
    }
}

@Suite struct DescriptorPassingTests {
    @Test func aDescriptorArrivesAsACopy() throws {
        let (ours, theirs) = try DescriptorPassing.makePair()
        let sender = Descriptor(adopting: ours)
        let receiver = Descriptor(adopting: theirs)
        let memory = try SharedMemory.create(byteCount: 8, sharing: .allWrite, name: "test")
        try DescriptorPassing.send(memory.descriptor, over: sender.number)
        let arrived = try #require(try DescriptorPassing.receive(over: receiver.number))
        #expect(arrived != memory.descriptor)
        #expect(fcntl(arrived, F_GETFD) == FD_CLOEXEC)
        let copy = try SharedMemory.adopt(descriptor: arrived, byteCount: 8, access: .read)
        memory.mutableBytes[0] = 42
        #expect(copy.bytes[0] == 42)
    }

    @Test func aMessageWithoutADescriptorAndTheEndAreNil() throws {
        let (ours, theirs) = try DescriptorPassing.makePair()
        let receiver = Descriptor(adopting: theirs)
        do {
            let sender = Descriptor(adopting: ours)
            try write("x", to: sender.number)
        }
        #expect(try DescriptorPassing.receive(over: receiver.number) == nil)
        #expect(try DescriptorPassing.receive(over: receiver.number) == nil)
    }

    @Test func sendingToAClosedEndIsAnErrorNotASignal() throws {
        let (ours, theirs) = try DescriptorPassing.makePair()
        let sender = Descriptor(adopting: ours)
        close(theirs)
        #expect(throws: SystemError(code: .brokenPipe, call: "sendmsg")) { try DescriptorPassing.send(0, over: sender.number) }
    }
}

@Suite struct PeerShutdownTests {
    @Test func bothEndsSeeTheEnd() throws {
        let (ours, theirs) = try DescriptorPassing.makePair()
        let near = Descriptor(adopting: ours)
        let far = Descriptor(adopting: theirs)
        #expect(PeerShutdown.shutdown(near.number))
        #expect(try near.readAll().isEmpty)
        #expect(try far.readAll().isEmpty)
    }

    @Test func aDescriptorThatIsNoConnectionIsTold() throws {
        let pipe = try PipeEnds()
        #expect(!PeerShutdown.shutdown(pipe.reading.number))
    }
}
