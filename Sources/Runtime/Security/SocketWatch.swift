internal import OperatingSystem
internal import Training
internal import ZeroMQ

/// Watches the connections of a socket that strangers can reach. Stays on the socket's thread.
final class SocketWatch {
    private var monitor: Monitor
    private(set) var book: ConnectionBook
    /// Connections that have ended and belonged to a session.
    private var endings: [WorkerID] = []
    private var failures: [String] = []
    private(set) var failedHandshakes = 0
    private(set) var cutConnections = 0

    /// To be made before the socket is bound.
    init(_ socket: borrowing Socket, maximumFrameByteCount: Int) throws(ZMQError) {
        monitor = try Monitor(of: socket)
        book = ConnectionBook(maximumFrameByteCount: maximumFrameByteCount)
    }

    func add(to poller: inout Poller) {
        _ = poller.add(monitor)
    }

    /// Takes what the monitor has to tell.
    func collect(now: Duration) throws(ZMQError) {
        while let event = try monitor.next() {
            switch event.kind {
            case .accepted:
                guard let descriptor = event.descriptor else { continue }
                book.began(descriptor, peer: Connection.peer(of: descriptor), now: now)
            case .disconnected, .closed:
                guard let descriptor = event.descriptor, let worker = book.ended(descriptor)?.worker else { continue }
                endings.append(worker)
            case .handshakeFailed(let failure):
                failedHandshakes += 1
                // Whom the authenticator refuses it names itself.
                if case .refused = failure { continue }
                if failures.count < RepeatedNotices.mostKinds { failures.append("\(failure)") }
            case .acceptFailed(let number): failures.append("a connection can't be accepted: errno \(number)")
            default: break
            }
        }
    }

    func takeEndings() -> [WorkerID] {
        defer { endings.removeAll() }
        return endings
    }

    /// Those of these sessions only; the others are kept.
    func takeEndings(where isWanted: (WorkerID) -> Bool) -> [WorkerID] {
        let taken = endings.filter(isWanted)
        endings.removeAll(where: isWanted)
        return taken
    }

    func takeFailures() -> [String] {
        defer { failures.removeAll() }
        return failures
    }

    func heard(_ descriptor: CInt) {
        book.heard(descriptor)
    }

    /// Binds a connection to a session; false if it has ended meanwhile.
    func claim(_ descriptor: CInt, for worker: WorkerID, now: Duration) throws(ZMQError) -> Bool {
        // Its message can be here before the word that it was accepted has been looked at.
        if book.entries[descriptor] == nil { try collect(now: now) }
        return book.claim(descriptor, for: worker)
    }

    /// Ends a connection, whosever it is; it counts as nobody's from now on.
    private func cut(_ descriptor: CInt, now: Duration) {
        guard let entry = book.entries[descriptor] else { return }
        book.unclaim(descriptor, now: now)
        if Connection.end(descriptor, to: entry.peer) { cutConnections += 1 }
    }

    /// Ends a worker's connection, unless it has ended already: its number may be somebody else's by now.
    func cut(_ descriptor: CInt, of worker: WorkerID, now: Duration) {
        if book.entries[descriptor]?.worker == worker { cut(descriptor, now: now) }
    }

    /// A worker's connection is a stranger's again.
    func unclaim(_ descriptor: CInt, of worker: WorkerID, now: Duration) {
        if book.entries[descriptor]?.worker == worker { book.unclaim(descriptor, now: now) }
    }

    /// Ends the connections of everybody who has no session: they may come again, and are asked for their keys again.
    func cutStrangers(now: Duration) throws(ZMQError) {
        try collect(now: now)
        for (descriptor, entry) in book.entries where entry.worker == nil { cut(descriptor, now: now) }
    }

    /// Ends what has to go, and says what was cut: whom, and the session that it was.
    func enforceLimits(now: Duration) throws(ZMQError) -> [(worker: WorkerID?, text: String)] {
        try collect(now: now)
        return book.overdue(now: now, received: Connection.receivedByteCount(of:)).map { overdue in
            let entry = book.entries[overdue.descriptor]
            cut(overdue.descriptor, now: now)
            // Which port a stranger comes from would make every line another one.
            let host = entry?.peer.map { $0.prefix(upTo: $0.lastIndex(of: ":") ?? $0.endIndex) } ?? "somebody"
            let text =
                switch overdue.reason {
                case .tooManyStrangers:
                    "more than \(ConnectionBook.mostStrangers) connections are no worker's; the oldest are cut, from \(host)"
                case .silentStranger: "a connection from \(host) did not become a worker's and was cut"
                case .endlessMessage: "a connection from \(host) sent a message without an end and was cut"
                }
            return (entry?.worker, text)
        }
    }
}
