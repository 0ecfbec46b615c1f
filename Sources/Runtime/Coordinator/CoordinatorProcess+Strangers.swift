internal import Training
internal import Wire
internal import ZeroMQ

/// What strangers have brought about, for `result.json`.
struct StrangerFigures {
    var connectionsCut = 0
    var handshakesFailed = 0
    var notices = RepeatedNotices()
}

/// Who is let in, who is cut, whose connection has ended.
extension CoordinatorProcess {
    func answerHandshakes() throws {
        guard let gatekeeper else { return }
        for text in try gatekeeper.answer() { warnOfStranger(text) }
    }

    func lookAtConnections(lane index: Int) throws {
        guard let watches = lanes[index].watches else { return }
        for watch in [watches.control, watches.data] {
            try watch.collect(now: now)
            for failure in watch.takeFailures() { warnOfStranger("a handshake failed: \(failure)") }
        }
    }

    /// To be called when the messages that came before the end have been read.
    func noteEndedConnections(lane index: Int) {
        guard let watches = lanes[index].watches else { return }
        for worker in Set(watches.control.takeEndings() + watches.data.takeEndings()) {
            if let name = serverNumbers[worker] {
                loseServer(name, "its connection has ended")
                continue
            }
            // Half a worker is none: it comes again with both.
            endConnections(of: worker)
            peers[worker]?.isSubscribed = false
            dispatch(.disconnected(worker))
        }
    }

    /// As above, of servers only: while one of them is waited for, what workers have sent stays unread.
    func noteEndedServers() throws {
        for watch in lanes.compactMap(\.watches?.control) {
            try watch.collect(now: now)
            for number in watch.takeEndings(where: { serverNumbers[$0] != nil }) {
                loseServer(serverNumbers[number] ?? "", "its connection has ended")
            }
        }
    }

    /// The allow-list as it is now, and the limits of strangers; to be called at every tick.
    func enforceLimits() throws {
        if let change = gatekeeper?.refresh() { try applyAllowList(change) }
        for lane in lanes {
            guard let watches = lane.watches else { continue }
            for watch in [watches.control, watches.data] {
                for (worker, text) in try watch.enforceLimits(now: now) {
                    warnOfStranger(text)
                    if let worker { dispatch(.lost(worker, reason: "it broke the protocol")) }
                }
            }
        }
    }

    private func applyAllowList(_ change: AllowList.Change) throws {
        tellAllowedKeys()
        if let problem = change.problem { reporter.warning("\(problem); until it can be read nobody is let in") }
        if change.addedCount > 0 { reporter.line("\(change.addedCount) more key\(change.addedCount == 1 ? "" : "s") let in from now on") }
        guard !change.revoked.isEmpty else { return }
        let revoked = Set(change.revoked.map(\.z85))
        reporter.line("\(revoked.count) key\(revoked.count == 1 ? "" : "s") revoked")
        // Which key a connection came with is known once it has spoken: the silent ones have to show theirs again.
        for lane in lanes {
            try lane.watches?.control.cutStrangers(now: now)
            try lane.watches?.data.cutStrangers(now: now)
        }
        for (worker, peer) in peers where peer.userID.map(revoked.contains) ?? false {
            endConnections(of: worker)
            dispatch(.lost(worker, reason: "its key was revoked"))
        }
    }

    func warnOfStranger(_ text: String) {
        if let line = strangers.notices.note(text, now: now) { reporter.warning(line) }
    }

    // MARK: A worker's connections

    func endConnections(of worker: WorkerID) {
        guard let peer = peers[worker], let watches = lanes[peer.control.lane].watches else { return }
        peers[worker]?.descriptors = Peer.Descriptors()
        if let descriptor = peer.descriptors.control { watches.control.cut(descriptor, of: worker, now: now) }
        if let descriptor = peer.descriptors.data { watches.data.cut(descriptor, of: worker, now: now) }
    }

    /// The connections of a session that is over are strangers' again.
    func releaseConnections(of worker: WorkerID) {
        guard let peer = peers[worker], let watches = lanes[peer.control.lane].watches else { return }
        if let descriptor = peer.descriptors.control { watches.control.unclaim(descriptor, of: worker, now: now) }
        if let descriptor = peer.descriptors.data { watches.data.unclaim(descriptor, of: worker, now: now) }
    }

    /// Adds what the watches have counted.
    func strangerTotals() -> StrangerFigures {
        var totals = strangers
        for watches in lanes.compactMap(\.watches) {
            for watch in [watches.control, watches.data] {
                totals.connectionsCut += watch.cutConnections
                totals.handshakesFailed += watch.failedHandshakes
            }
        }
        return totals
    }

    static func workerOption(_ gatekeeper: Gatekeeper?, lanes: [Lane]) -> String {
        guard lanes.contains(where: { !$0.isLocal }) else { return "" }
        return gatekeeper == nil ? " --insecure" : " --keys FOLDER"
    }
}
