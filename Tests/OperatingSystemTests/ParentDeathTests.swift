import Glibc
import OperatingSystem
import Testing

/// The test program starts itself again, from a shell that is then killed.
@Suite struct ParentDeathTests {
    private static let role = "DNN_TEST_PARENT_DEATH"
    private static let readyDescriptor: CInt = 5
    private static let gateDescriptor: CInt = 6

    @Test func theChildOfAKilledParentIsKilled() throws {
        let gate = try PipeEnds()
        var ready = try PipeEnds()
        let script = "\"$0\" --testing-library swift-testing --filter playsTheChild & read line <&\(Self.gateDescriptor)"
        let parent = try ChildProcess.spawn(
            executable: "/bin/sh", arguments: ["-c", script, try Machine.executablePath()],
            environment: [Self.role: "1", "LD_LIBRARY_PATH": getenv("LD_LIBRARY_PATH").map { String(cString: $0) } ?? ""],
            standardOutput: .discard,
            descriptors: [.init(ready.writingNumber, as: Self.readyDescriptor), .init(gate.reading.number, as: Self.gateDescriptor)])
        defer {
            parent.killGroup(.kill)
            _ = try? parent.waitForExit()
        }
        ready.closeWriting()
        try #require(becomesReadable(ready.reading.number))
        let byte = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { byte.deallocate() }
        try #require(ready.reading.read(into: byte) == 1, "the child has armed itself")
        #expect(byte[0] == 1, "the child found its parent alive")
        parent.kill(.kill)
        try #require(becomesReadable(ready.reading.number), "the child still holds its end of the pipe")
        #expect(try ready.reading.read(into: byte) == 0)
    }

    /// Not a test unless started by the one above: arms itself, says so, waits for ever.
    @Test(.enabled(if: getenv(role) != nil)) func playsTheChild() throws {
        let parent = getppid()
        let isAlive = ParentDeath.arrange(expectedParent: parent)
        var byte: UInt8 = isAlive ? 1 : 0
        #expect(write(Self.readyDescriptor, &byte, 1) == 1)
        #expect(read(Self.gateDescriptor, &byte, 1) == 0, "nobody ever opens the gate")
    }

    @Test func aParentThatIsGoneIsNoticed() throws {
        // On a thread of its own: the setting ends with the thread.
        let isAlive = try onAThread { ParentDeath.arrange(expectedParent: getpid()) }
        #expect(!isAlive)
    }
}
