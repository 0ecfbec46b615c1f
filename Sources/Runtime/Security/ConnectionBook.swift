internal import Training

/// The connections of one socket that strangers can reach. Pure: descriptors and times in, the descriptors to be cut out.
///
/// A connection is a stranger's until a session claims it, and again when that session is over. libzmq tells neither when a handshake
/// has succeeded on which connection nor that a message without an end fills the memory: so what counts is what a connection has
/// come to.
struct ConnectionBook {
    /// Strangers at a time. A coordinator that comes back sees all its workers as strangers for a moment, once per socket.
    static let mostStrangers = 128
    /// How long a stranger may stay: the handshake has its own, shorter time in libzmq, hello and attach follow at once.
    static let strangersTime = Duration.seconds(30)
    /// Bytes that a stranger may send without a message arriving: a handshake, a hello.
    static let strangersBytes: UInt64 = 1 << 20

    struct Entry {
        /// As `Connection.peer`; nil if it was gone before it could be asked.
        var peer: String?
        var since: Duration
        /// Whose session it belongs to.
        var worker: WorkerID?
        /// Bytes received by the time the last message had been taken from it.
        var receivedAtMessage: UInt64 = 0
        var wasHeard = false
    }

    /// A connection to be cut.
    struct Cut: Equatable {
        enum Reason: Equatable {
            case tooManyStrangers
            case silentStranger
            case endlessMessage(byteCount: UInt64)
        }

        var descriptor: Int32
        var reason: Reason
    }

    private(set) var entries: [Int32: Entry] = [:]
    /// Bytes without a message that a worker in a session may send: its largest frames, and what the kernel holds.
    let sessionBytes: UInt64

    init(maximumFrameByteCount: Int) {
        sessionBytes = UInt64(2 * maximumFrameByteCount) + 16 << 20
    }

    var strangerCount: Int { entries.values.count { $0.worker == nil } }

    mutating func began(_ descriptor: Int32, peer: String?, now: Duration) {
        entries[descriptor] = Entry(peer: peer, since: now)
    }

    /// - Returns: what was known of it.
    mutating func ended(_ descriptor: Int32) -> Entry? {
        entries.removeValue(forKey: descriptor)
    }

    /// False if there is no such connection.
    mutating func claim(_ descriptor: Int32, for worker: WorkerID) -> Bool {
        guard entries[descriptor] != nil else { return false }
        entries[descriptor]?.worker = worker
        return true
    }

    mutating func unclaim(_ descriptor: Int32, now: Duration) {
        entries[descriptor]?.worker = nil
        entries[descriptor]?.since = now
    }

    /// A whole message has come over it.
    mutating func heard(_ descriptor: Int32) {
        entries[descriptor]?.wasHeard = true
    }

    /// Who has to go; `received` tells the bytes that have come over a connection, nil where that is not known.
    mutating func overdue(now: Duration, received: (Int32) -> UInt64?) -> [Cut] {
        var cuts: [Cut] = []
        for (descriptor, entry) in entries {
            if let count = received(descriptor) {
                if entry.wasHeard {
                    entries[descriptor]?.receivedAtMessage = count
                    entries[descriptor]?.wasHeard = false
                } else if count - min(count, entry.receivedAtMessage) > (entry.worker == nil ? Self.strangersBytes : sessionBytes) {
                    cuts.append(Cut(descriptor: descriptor, reason: .endlessMessage(byteCount: count - entry.receivedAtMessage)))
                    continue
                }
            }
            if entry.worker == nil, now - entry.since >= Self.strangersTime {
                cuts.append(Cut(descriptor: descriptor, reason: .silentStranger))
            }
        }
        let staying = entries.filter { descriptor, entry in entry.worker == nil && !cuts.contains { $0.descriptor == descriptor } }
        if staying.count > Self.mostStrangers {
            let oldest = staying.sorted { ($0.value.since, $0.key) < ($1.value.since, $1.key) }.prefix(staying.count - Self.mostStrangers)
            cuts += oldest.map { Cut(descriptor: $0.key, reason: .tooManyStrangers) }
        }
        return cuts.sorted { $0.descriptor < $1.descriptor }
    }
}
