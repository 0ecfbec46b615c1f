internal import Wire
internal import ZeroMQ

/// The workers' data connections to a parameter server, bound to the sessions that the coordinator says there are.
///
/// A connection can be here before the word of its session: until then its attach and its pull are kept, nothing else of it is taken.
struct ServedWorkers {
    struct Connection {
        var session: UInt64
        /// The key that it came with, as Z85.
        var userID: String?
        var descriptor: Int32?
        /// Whether its session is known and its key fits.
        var isBound = false
        var isAdmitted = false
        /// Whether new weights are pushed to it.
        var isSubscribed = false
        var owesWeights = false
    }

    /// Connections whose session is not known (yet); more are not kept.
    static let mostUnbound = 1_024

    private(set) var sessions: [UInt64: ServedSession] = [:]
    var connections: [Address: Connection] = [:]

    /// - Returns: false if there are too many strangers.
    mutating func attach(_ address: Address, _ connection: Connection) -> Bool {
        let unbound = connections.values.count { !$0.isBound }
        guard unbound < Self.mostUnbound || connections[address] != nil else { return false }
        connections[address] = connection
        bind(address)
        return true
    }

    /// Takes the list of sessions, all of them.
    ///
    /// - Returns: the connections of sessions that are over, which are forgotten.
    mutating func take(_ list: [ServedSession]) -> [(address: Address, connection: Connection)] {
        let former = sessions
        sessions = Dictionary(list.map { ($0.session, $0) }) { $1 }
        var gone: [(address: Address, connection: Connection)] = []
        for (address, connection) in connections {
            if sessions[connection.session] == nil, former[connection.session] != nil {
                connections[address] = nil
                gone.append((address, connection))
            } else {
                bind(address)
            }
        }
        return gone
    }

    private mutating func bind(_ address: Address) {
        guard let connection = connections[address], let session = sessions[connection.session] else { return }
        // Whoever has learnt a session's number still needs the key that the session was let in with.
        guard session.userID == nil || session.userID == connection.userID else { return }
        connections[address]?.isBound = true
        connections[address]?.isAdmitted = session.isAdmitted
    }

    mutating func forget(_ address: Address) {
        connections[address] = nil
    }
}
