internal import Training
internal import ZeroMQ

/// Says who is let in over tcp: answers handshakes by the allow-list, and keeps that list as it is on disk.
final class Gatekeeper {
    /// How the sockets are protected that other hosts can reach.
    let security: ZeroMQ.Security
    private let folder: KeyFolder
    private let pair: CurveKeyPair
    private var authenticator: Authenticator
    private var list: AllowList
    /// What has become of the list since the last `refresh`.
    private var unapplied: AllowList.Change?

    /// To be made before the first socket is bound.
    init(_ keys: CoordinatorKeys, context: Context) throws {
        folder = keys.folder
        pair = keys.pair
        security = .curveServer(keys.pair.secretKey)
        list = try AllowList(keys.folder.allowList)
        authenticator = try Authenticator(in: context, allowed: Set(list.keys.keys))
    }

    /// How the coordinator comes to a parameter server.
    func clientSecurity(server: CurvePublicKey) -> ZeroMQ.Security { .curveClient(pair, server: server) }

    /// Whom a parameter server is to let in: the workers, and the coordinator itself.
    var keysForServers: [String] { ([pair.publicKey] + list.keys.keys).map(\.z85).sorted() }

    func add(to poller: inout Poller) {
        _ = poller.add(authenticator)
    }

    /// Answers the handshakes that wait, by the list as it is on disk at that moment, and says whom it has refused.
    func answer() throws(ZMQError) -> [String] {
        var refused: [String] = []
        while try authenticator.takeRequest() {
            look()
            let decision = try authenticator.decide()
            guard !decision.isAllowed else { continue }
            let key = decision.key.map { "key \($0.z85)" } ?? "no key"
            refused.append("somebody at \(decision.address) was refused: \(key) is not in \(folder.allowList)")
        }
        return refused
    }

    /// Looks whether the allow-list has changed; new handshakes are answered by the new one from now on.
    func refresh() -> AllowList.Change? {
        look()
        defer { unapplied = nil }
        return unapplied
    }

    private func look() {
        guard let change = list.refresh() else { return }
        authenticator.allowed = Set(list.keys.keys)
        unapplied = unapplied?.followed(by: change) ?? change
    }
}

/// How the endpoint of `--bind` is protected.
public enum LinkProtection: Sendable {
    case keys(CoordinatorKeys)
    /// Not at all over tcp; over ipc by the folder in which the socket lies.
    case none
}
