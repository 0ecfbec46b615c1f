import Glibc
import OperatingSystem
import Testing

/// What must not compile, and what must: each snippet is compiled, as far as to the checks of ownership, against the built module.
@Suite struct SocketSharingTests {
    struct Snippet: Sendable, CustomTestStringConvertible {
        let claim: String
        let body: String
        /// What the compiler says, nil if it must accept.
        let complaint: String?

        var testDescription: String { claim }
    }

    static let snippets = [
        Snippet(
            claim: "a context is shared",
            body: "let context = try Context(); start { _ = try? Socket(.pair, in: context).kind }", complaint: nil),
        Snippet(
            claim: "a frame moves to another thread",
            body: "let box = Mutex<Frame?>(Frame()); _ = box.withLock { $0.take() }; requireSendable(Frame.self)", complaint: nil),
        Snippet(
            claim: "a socket is captured by another thread",
            body: "let socket = try Socket(.pair, in: Context()); start { _ = socket.kind }", complaint: "@Sendable"),
        Snippet(
            claim: "a socket is Sendable", body: "requireSendable(Socket.self)",
            complaint: "a socket belongs to one thread"),
        Snippet(
            claim: "a socket is copied",
            body: "let socket = try Socket(.pair, in: Context()); let a = socket; let b = socket; _ = a.kind; _ = b.kind",
            complaint: "'socket' consumed more than once"),
        Snippet(
            claim: "a frame is used after it was sent",
            body: "let socket = try Socket(.pair, in: Context()); let frame = Frame(); _ = try socket.send(frame); _ = frame.byteCount",
            complaint: "'frame' used after consume"),
        Snippet(claim: "a poller is shared", body: "let poller = Poller(); start { _ = poller }", complaint: "@Sendable"),
    ]

    @Test(arguments: snippets)
    func theCompilerDecides(snippet: Snippet) throws {
        let folder = try TemporaryFolder(prefix: "snippet-")
        let source = """
            import Synchronization
            import ZeroMQ
            func start(_ body: @escaping @Sendable () -> Void) {}
            func requireSendable<T: ~Copyable & Sendable>(_ type: T.Type) {}
            func snippet() throws {
                \(snippet.body)
            }
            """
        let path = folder.appending("snippet.swift")
        try AtomicFile.writeDurably(Array(source.utf8), to: path)
        let (text, exit) = try compile(path)
        if let complaint = snippet.complaint {
            #expect(exit == .exited(1))
            #expect(text.contains(complaint), "\(text)")
        } else {
            #expect(exit == .exited(0), "\(text)")
        }
    }

    /// The built modules lie beside the test program, the C module's map in the sources.
    private func compile(_ path: String) throws -> (text: String, exit: ChildProcess.Exit) {
        let products = parent(of: try Machine.executablePath())
        let sources = parent(of: parent(of: parent(of: #filePath))) + "/Sources"
        var pipe = try PipeEnds()
        let compiler = try ChildProcess.spawn(
            executable: "/usr/bin/env",
            arguments: [
                "swiftc", "-emit-sil", "-o", "/dev/null", "-swift-version", "6", "-I", "\(products)/Modules", "-I", "\(sources)/CZeroMQ",
                path,
            ],
            standardOutput: .discard, standardError: .descriptor(pipe.writingNumber))
        pipe.closeWriting()
        let text = String(decoding: try pipe.reading.readAll(), as: UTF8.self)
        return (text, try compiler.waitForExit())
    }

    private func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}
