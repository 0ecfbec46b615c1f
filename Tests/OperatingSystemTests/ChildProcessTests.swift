import Glibc
import OperatingSystem
import Testing

/// Runs a shell script with its output in a pipe; what it wrote, and how it ended.
private func run(
    _ script: String, environment: [String: String]? = nil, descriptors: [ChildProcess.Inheritance] = []
) throws -> (output: String, exit: ChildProcess.Exit) {
    var pipe = try PipeEnds()
    let child = try ChildProcess.spawn(
        executable: "/bin/sh", arguments: ["-c", script], environment: environment, standardOutput: .descriptor(pipe.writingNumber),
        descriptors: descriptors)
    pipe.closeWriting()
    let bytes = try pipe.reading.readAll()
    return (String(decoding: bytes, as: UTF8.self), try child.waitForExit())
}

@Suite struct ChildProcessTests {
    @Test(arguments: [("exit 0", ChildProcess.Exit.exited(0)), ("exit 7", .exited(7)), ("kill -9 $$", .signalled(9))])
    func tellsHowTheChildEnded(script: String, exit: ChildProcess.Exit) throws {
        #expect(try run(script).exit == exit)
    }

    @Test func reapsWithoutWaiting() throws {
        var gate = try PipeEnds()
        let child = try ChildProcess.spawn(
            executable: "/bin/sh", arguments: ["-c", "read line <&3"], descriptors: [.init(gate.reading.number, as: 3)])
        #expect(try child.reap() == nil)
        gate.closeWriting()
        #expect(try child.waitForExit() == .exited(1))
        #expect(try child.reap() == .exited(1), "the end is remembered")
    }

    @Test func passesArgumentsAndEnvironment() throws {
        let result = try run("printf '%s|%s' \"$GREETING\" \"$HOME\"", environment: ["GREETING": "a b=c"])
        #expect(result.output == "a b=c|", "the environment is replaced, not added to")
    }

    @Test func keepsOurEnvironmentUnlessToldOtherwise() throws {
        let path = try #require(getenv("PATH").map { String(cString: $0) })
        #expect(try run("printf '%s' \"$PATH\"").output == path)
    }

    @Test func handsDownOnlyWhatWasAskedFor() throws {
        let stray = try #require(Optional(fcntl(1, F_DUPFD, 300)).flatMap { $0 >= 300 ? $0 : nil })
        defer { close(stray) }
        let handed = try PipeEnds()
        let script = "for n in 3 4 5 6 \(stray); do [ -e /proc/$$/fd/$n ] && printf '%s ' $n; done; true"
        let result = try run(script, descriptors: [.init(handed.reading.number, as: 5)])
        #expect(result.output == "5 ")
    }

    @Test func handsDownDescriptorsWhoseNumbersCross() throws {
        var first = try PipeEnds()
        var second = try PipeEnds()
        try write("first\n", to: first.writingNumber)
        try write("second\n", to: second.writingNumber)
        first.closeWriting()
        second.closeWriting()
        let (low, high) = (first.reading.number, second.reading.number)
        let result = try run("cat /proc/$$/fd/\(high) /proc/$$/fd/\(low)", descriptors: [.init(low, as: high), .init(high, as: low)])
        #expect(result.output == "first\nsecond\n")
    }

    @Test func hasAProcessGroupOfItsOwn() throws {
        let gate = try PipeEnds()
        let child = try ChildProcess.spawn(
            executable: "/bin/sh", arguments: ["-c", "read line <&3"], descriptors: [.init(gate.reading.number, as: 3)])
        #expect(getpgid(child.pid) == child.pid)
        let isKilled = child.killGroup(.kill)
        #expect(isKilled)
        if !isKilled { child.kill(.kill) }
        #expect(try child.waitForExit() == .signalled(SIGKILL))
    }

    @Test func startsWithUnblockedSignals() throws {
        let exit = try onAThread {
            _ = try SignalDescriptor([.terminate])
            return try run("kill -TERM $$; exit 3").exit
        }
        #expect(exit == .signalled(SIGTERM))
    }

    @Test func readsNothingFromStandardInput() throws {
        #expect(try run("cat").output.isEmpty)
    }

    @Test func appendsOutputToAFile() throws {
        let folder = try TemporaryFolder(prefix: "child-")
        let path = folder.appending("log")
        for word in ["one", "two"] {
            let child = try ChildProcess.spawn(
                executable: "/bin/sh", arguments: ["-c", "echo \(word) >&2"], standardOutput: .discard, standardError: .file(path))
            #expect(try child.waitForExit() == .exited(0))
        }
        #expect(try contents(of: path) == "one\ntwo\n")
    }

    @Test func isNotSignalledOnceReaped() throws {
        let child = try ChildProcess.spawn(executable: "/bin/true")
        _ = try child.waitForExit()
        #expect(!child.kill(.terminate))
        #expect(!child.killGroup(.terminate))
    }

    @Test func namesAProgramThatIsNotThere() {
        #expect(throws: SystemError(code: .notFound, call: "posix_spawn", path: "/no/such/program")) {
            try ChildProcess.spawn(executable: "/no/such/program")
        }
    }
}
