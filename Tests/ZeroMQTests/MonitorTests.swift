import OperatingSystem
import Testing
import ZeroMQ

extension Monitor {
    /// The next event of a kind, nil if it does not come within the tests' patience.
    mutating func wait(for kind: MonitorEvent.Kind) throws -> MonitorEvent? {
        try wait { $0.kind == kind }
    }

    mutating func wait(where isWanted: (MonitorEvent) -> Bool) throws -> MonitorEvent? {
        var poller = Poller()
        _ = poller.add(self)
        let deadline = Machine.monotonicTime + patience
        while Machine.monotonicTime < deadline {
            while let event = try next() {
                if isWanted(event) { return event }
            }
            try poller.wait(timeout: deadline - Machine.monotonicTime)
        }
        return nil
    }
}

/// An endpoint at which nobody listens any more.
func abandonedEndpoint(in context: Context) throws -> String {
    let listener = try Socket(.router, in: context)
    var monitor = try Monitor(of: listener)
    let endpoint = try listener.bind("tcp://127.0.0.1:*")
    try listener.unbind(endpoint)
    _ = try #require(try monitor.wait(for: .closed))
    return endpoint
}

extension MonitorEvent {
    var failure: HandshakeFailure? {
        if case .handshakeFailed(let failure) = kind { failure } else { nil }
    }
}

@Suite struct MonitorTests {
    @Test func tellsTheLifeOfAConnection() throws {
        let context = try Context()
        let server = try Socket(.router, in: context, options: .with())
        var serverMonitor = try Monitor(of: server)
        let endpoint = try server.bind("tcp://127.0.0.1:*")
        let listening = try #require(try serverMonitor.wait(for: .listening))
        #expect(listening.endpoint == endpoint)
        let descriptor: CInt?
        do {
            let client = try Socket(.dealer, in: context, options: .with())
            var clientMonitor = try Monitor(of: client)
            try client.connect(endpoint)
            let accepted = try #require(try serverMonitor.wait(for: .accepted))
            descriptor = accepted.descriptor
            #expect(descriptor != nil)
            let (connected, ready) = (try clientMonitor.wait(for: .connected), try clientMonitor.wait(for: .handshakeSucceeded))
            #expect(connected?.endpoint == endpoint)
            #expect(ready?.descriptor == nil)
            #expect(try serverMonitor.wait(for: .handshakeSucceeded) != nil)
        }
        let disconnected = try #require(try serverMonitor.wait(for: .disconnected))
        #expect(disconnected.descriptor == descriptor)
        let none = try serverMonitor.next()
        #expect(none == nil)
    }

    @Test func tellsThatNobodyListens() throws {
        let context = try Context()
        let endpoint = try abandonedEndpoint(in: context)
        let client = try Socket(.dealer, in: context, options: .with())
        var monitor = try Monitor(of: client)
        try client.connect(endpoint)
        #expect(try monitor.wait(for: .closed) != nil)
    }

    /// libzmq's I/O thread has more to tell of a socket that was closed a moment ago, and would wait for ever for a monitor that is not
    /// there to be told: with it every socket of the context stands still.
    @Test func goesWithItsSocketInTheMiddleOfAConnection() throws {
        let context = try Context()
        let server = try Socket(.router, in: context, options: .with())
        let endpoint = try server.bind("tcp://127.0.0.1:*")
        for _ in 0..<100 {
            let connection = try MonitoredConnection(to: endpoint, in: context)
            withExtendedLifetime(connection) {}
        }
        let client = try Socket(.dealer, in: context, options: .with())
        try client.connect(endpoint)
        let sent = try client.send(Frame(copying: [1]), dontWait: false)
        #expect(sent == .sent)
        var message = Message(maximumParts: 2)
        let reception = try server.receive(into: &message, dontWait: false)
        #expect(reception == .received)
    }

    /// The two go in the order in which they stand here.
    private final class MonitoredConnection {
        let socket: Socket
        let monitor: Monitor

        init(to endpoint: String, in context: Context) throws {
            socket = try Socket(.dealer, in: context)
            monitor = try Monitor(of: socket)
            try socket.connect(endpoint)
        }
    }

    @Test func outlivesItsSocket() throws {
        let context = try Context()
        var socket: Socket? = try Socket(.router, in: context)
        var monitor = try Monitor(of: socket!)  // made in the line above
        socket = nil
        let isGone = socket == nil
        #expect(isGone)
        #expect(try monitor.wait(for: .monitorStopped) != nil)
    }

    @Test func mayEndBeforeItsSocket() throws {
        let context = try Context()
        let server = try Socket(.router, in: context, options: .with())
        do {
            var monitor = try Monitor(of: server)
            let event = try monitor.next()
            #expect(event == nil)
        }
        let endpoint = try server.bind("tcp://127.0.0.1:*")
        let client = try Socket(.dealer, in: context, options: .with())
        try client.connect(endpoint)
        try client.send(texts: ["still alive"])
        var message = Message(maximumParts: 2)
        let reception = try server.receive(into: &message, dontWait: false)
        #expect(reception == .received)
    }
}
