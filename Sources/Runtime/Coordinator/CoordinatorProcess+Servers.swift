internal import Exactness
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import ParameterServer
internal import RunConfiguration
internal import Training
internal import Wire
internal import ZeroMQ

/// The other parameter servers: who they are, what they are told, and what they say.
extension CoordinatorProcess {
    // MARK: Registration

    /// How many servers there will be, and how those of other hosts are started.
    func describeServers() {
        let wanted = run.configuration.cluster.parameterServers
        let count = fleet?.ranges.count ?? 1
        if wanted > count {
            reporter.warning(
                "cluster.parameter_servers \(wanted): the net's chunks of \(run.description.chunkByteCount) bytes can be shared by "
                    + "\(count) only; smaller cluster.chunk_bytes give more places to cut at, none of which lies inside a row that max_norm bounds"
            )
        }
        guard fleet != nil, acceptsRemoteServers, let endpoint = lanes.last?.endpoint else { return }
        reporter.line(
            "servers   \(count - 1) beside the own one; others: dnn-coord serve --connect \(endpoint) --bind tcp://ADDRESS:PORT\(workerOption)"
        )
    }

    /// Starts those that nobody else will start; to be called until all are there.
    ///
    /// - Parameter atOnce: how many are started whoever else might.
    func startServers(atOnce: Int? = nil) {
        guard let fleet, !hasStarted, !fleet.openPlaces.isEmpty else { return }
        var count = fleet.count
        if acceptsRemoteServers, now < fleet.registrationEnd { count = atOnce ?? 0 }
        guard count > 0 else { return }
        // From the end, so that those who register by themselves find the first places.
        for place in fleet.openPlaces.suffix(count) where !startedServers.contains(place) {
            startedServers.insert(place)
            do {
                try fleet.locals.start(index: place)
            } catch {
                loseServer("server-\(place)", "it can't be started: \(error)")
            }
        }
    }

    func greet(_ hello: ServerHello, from address: Address) throws {
        guard let fleet else {
            return refuse(
                address, "parameter servers", theirs: "another one", ours: "the coordinator's own only",
                advice: "set cluster.parameter_servers to as many as there are, the coordinator's included")
        }
        if hello.protocolVersion != WireProtocol.version || hello.numericsVersion != numericsVersion {
            return refuse(
                address, "protocol and numerics version", theirs: "\(hello.protocolVersion), \(hello.numericsVersion)",
                ours: "\(WireProtocol.version), \(numericsVersion)", advice: "run dnn-coord of the same release everywhere")
        }
        if let former = fleet.links.first(where: { $0.control == address || $0.name == hello.name }) {
            return loseServer(former.name, "it said hello again, so what it held is gone")
        }
        let place = lanes[address.lane].isLocal ? fleet.locals.index(ofProcess: hello.processID) : nil
        guard let index = place ?? fleet.openPlaces.first(where: { !startedServers.contains($0) }) else {
            return refuse(
                address, "parameter servers", theirs: "one more", ours: "\(fleet.ranges.count), the coordinator's own included",
                advice: "those that are late are started on the coordinator's host; raise cluster.parameter_servers to have more")
        }
        let link = ServerLink(
            ServerLink.Identity(index: index, hello: hello, control: address, isLocal: place != nil, owned: fleet.ranges.ranges[index]),
            incarnation: beginning.start.incarnation, version: server.round, now: now)
        if let watch = lanes[address.lane].watches?.control {
            let number = nextWorker
            nextWorker += 1
            guard let descriptor = lanes[address.lane].message.sourceDescriptor, try watch.claim(descriptor, for: number, now: now)
            else { return drop() }
            serverNumbers[number] = link.name
            link.descriptor = descriptor
        }
        fleet.add(link)
        tellAllowedKeys(link)
        let assignment = ServerAssignment(run, owned: link.owned, version: server.round)
        send(
            .serve(
                ServerWelcome(
                    session: link.session, runID: beginning.start.run, incarnation: beginning.start.incarnation,
                    heartbeatMilliseconds: run.configuration.cluster.heartbeatMilliseconds, token: link.token,
                    assignment: assignment.json)), to: address)
    }

    private func refuse(_ address: Address, _ subject: String, theirs: String, ours: String, advice: String) {
        let refusal = Refusal(subject: subject, theirs: theirs, ours: ours, advice: advice)
        send(.refused(refusal), to: address)
        reporter.warning("a parameter server was refused: \(subject): it is \(theirs), the run has \(ours); \(advice)")
    }

    /// A message of a server's on its control connection.
    func handle(_ message: WorkerMessage, from link: ServerLink) throws {
        link.lastHeard = now
        switch message {
        case .heartbeat(let session, _, _):
            send(session == link.session ? .heartbeat : .unknownSession, to: link.control)
        case .serving(let session, let endpoints):
            guard session == link.session, link.endpoints.isEmpty, let fleet else { return }
            do {
                try link.connect(
                    to: endpoints, context: context, chunks: server.chunks,
                    security: { [gatekeeper] in gatekeeper?.clientSecurity(server: $0) ?? .none }, state: state(for: link))
                fleet.isPollerStale = true
            } catch {
                loseServer(link.name, "no connection to it can be made: \(error)")
            }
        case .leaving(_, let reason): loseServer(link.name, reason)
        case .failed(_, let error): loseServer(link.name, "it failed: \(error)")
        case .serve(let hello): try greet(hello, from: link.control)
        case .hello, .ready, .leaseTaken, .fetched: loseServer(link.name, "it broke the protocol")
        }
    }

    /// What a server begins with: all of the state or, with a rule that searches, the weights.
    private func state(for link: ServerLink) -> ServerLink.State {
        let index = link.isLocal && published.sharesExactValues ? published.sharedIndex(of: server.openWeights) : nil
        guard let stepServer else { return ServerLink.State(version: server.round, blocks: [server.openWeights], sharedIndex: index) }
        return ServerLink.State(
            version: stepServer.version, blocks: [stepServer.completeWeights] + stepServer.completeSlots, sharedIndex: index,
            norms: stepServer.normsVersion == stepServer.version ? stepServer.normValues(of: link.owned) : nil)
    }

    /// Who has a session, to every server: a connection of anybody else is nobody's there.
    func tellSessions() {
        guard let fleet else { return }
        let sessions = peers.map { worker, peer in
            ServedSession(session: peer.token, isAdmitted: machine.isAdmitted(worker), userID: peer.userID, segment: segment(of: peer))
        }
        for link in fleet.links { send(.sessions(sessions.sorted { $0.session < $1.session }), to: link.control) }
    }

    func tellAllowedKeys(_ link: ServerLink? = nil) {
        guard let fleet, let gatekeeper else { return }
        for link in link.map({ [$0] }) ?? fleet.links { send(.allowed(gatekeeper.keysForServers), to: link.control) }
    }

    // MARK: Loss

    /// What a server held of the state is gone with it: the run goes back to its last checkpoint.
    func loseServer(_ name: String, _ reason: String) {
        guard lostServer == nil, !isClosing else { return }
        lostServer = name
        reporter.warning("parameter server \(name) is lost: \(reason)")
    }

    func reapLocalServers() throws {
        guard let fleet else { return }
        for (index, exit) in try fleet.locals.reap() {
            loseServer("server-\(index)", "its process ended with \(exit); see \(folder.logs)/server-\(index).log")
        }
    }

    /// To be called at every tick.
    func lookAtServers() {
        guard let fleet else { return }
        startServers()
        if !hasStarted, now >= fleet.registrationEnd + CoordinatorLimits.usualReadyTimeout {
            let text = "\(fleet.links.count { $0.isReady }) of \(fleet.count) are ready after \(Int(now.seconds)) s"
            loseServer(fleet.links.first { !$0.isReady }?.name ?? "that was started", text)
        }
        let silence = Duration.milliseconds(run.configuration.cluster.heartbeatMilliseconds) * CoordinatorLimits.missedHeartbeats
        // While the coordinator did not get to look, nobody was silent.
        let pause = fleet.lastLook.map { CoordinatorLimits.ownPause(since: $0, now: now) } ?? .zero
        fleet.lastLook = now
        for link in fleet.links { link.lastHeard = min(now, link.lastHeard + pause) }
        for link in fleet.links where now - link.lastHeard >= silence {
            loseServer(link.name, "no heartbeat for \(Int((now - link.lastHeard).seconds)) s")
        }
    }

    // MARK: Messages

    func readServers() throws {
        guard let fleet else { return }
        for link in fleet.links {
            do {
                if link.isUploading {
                    try link.goOnUploading(chunks: server.chunks, lenders: published.lenders)
                    if !link.isUploading { fleet.isPollerStale = true }
                }
                try link.drain { header, body in try take(header, body, from: link) }
            } catch {
                loseServer(link.name, "its messages can't be understood: \(error)")
            }
        }
        let events = fleet.events
        fleet.events.removeAll()
        for event in events { dispatch(event) }
        if !hasStarted, fleet.areReady, lostServer == nil {
            // Before there is a worker, and after every server of this host has mapped them.
            try segments?.closeWeights()
            hasStarted = true
            let places = fleet.links.map { link in "\(link.name)\(link.isLocal ? "" : " (\(link.endpoints.joined(separator: ", ")))")" }
            reporter.line("servers   this one and \(places.joined(separator: ", "))")
            dispatch(.start)
        }
    }

    private func take(_ header: DataHeader, _ body: UnsafeRawBufferPointer, from link: ServerLink) throws {
        guard let fleet else { return }
        switch header.kind {
        case .stateEnd: return link.hasSentState = true
        case .uncovered:
            let list = try ShardList(decoding: body, shardCount: run.plan.tree.shardCount)
            return link.uncovered = (header.step, ShardSet(list.shards.map(Int.init)))
        case .peerLost:
            guard let worker = byToken[header.session] else { return }
            return fleet.events.append(.lost(worker, reason: "its data connection to parameter server \(link.name) is gone"))
        default: break
        }
        if let closureServer { return try take(header, body, from: link, closureServer) }
        guard let stepServer else { return }
        switch header.kind {
        case .state: try takeState(header, body, from: link, into: stepServer)
        case .sharedWeights:
            // They are here already, where its version lies in the block that ours lies in.
            let index = published.sharesExactValues ? published.sharedIndex(of: stepServer.completeWeights) : nil
            guard link.isLocal, header.step == stepServer.version, header.checksum == index.map(UInt64.init) else {
                throw WireError.malformed("version \(header.step) in shared block \(header.checksum)")
            }
        case .norms:
            if header.step == stepServer.normsVersion { try stepServer.takeNorms(body, of: link.owned) }
        case .built:
            guard header.step == link.built + 1 else { throw WireError.malformed("version \(header.step) after \(link.built)") }
            link.built = header.step
        case .squares:
            let count = stepServer.figureBlocks(of: link.owned).count
            link.squares = (header.step, header.count == 1, try DoubleList.decode(body, count: count))
        case .suspicious, .notFinite:
            let list = try ShardList(decoding: body, shardCount: run.plan.tree.shardCount)
            let shards = ShardSet(list.shards.map(Int.init))
            guard header.step == stepServer.version, list.element < UInt64(run.network.layout.blockLength) else { return }
            let origin = place(of: Int(list.element))
            fleet.events.append(
                header.kind == .suspicious
                    ? .suspicious(step: header.step, shards: shards, where: origin)
                    : .notFinite(step: header.step, shards: shards, where: origin))
        default: throw WireError.malformed("a \(header.kind) message from a parameter server")
        }
    }

    private func takeState(
        _ header: DataHeader, _ body: UnsafeRawBufferPointer, from link: ServerLink, into server: ParameterServer
    ) throws(WireError) {
        let chunk = Int(header.chunk), block = Int(header.node)
        let blocks = [server.completeWeights] + server.completeSlots
        guard header.step == server.version, link.owned.contains(chunk), block < blocks.count else {
            throw .malformed("state of chunk \(chunk), block \(block), version \(header.step)")
        }
        let range = server.chunks.range(chunk)
        guard body.count == range.count * 4, range.upperBound <= blocks[block].count, let base = body.baseAddress else {
            throw .bodyLength(body.count, expected: range.count * 4)
        }
        blocks[block].mutableView[range].copy(from: FloatView(base: base, count: range.count))
    }

    // MARK: Steps

    func sendToServers(_ header: DataHeader) {
        guard let fleet else { return }
        for link in fleet.links {
            if (try? link.send(header)) != true { loseServer(link.name, "its data connection does not take its messages") }
        }
    }

    /// Joins what all servers have found of the gradient, if it is all there.
    func judgeIfPossible(_ server: ParameterServer) {
        guard let fleet, fleet.awaitsJudgement, fleet.links.allSatisfy({ $0.squares?.step == server.version }) else { return }
        fleet.awaitsJudgement = false
        for link in fleet.links {
            guard let squares = link.squares else { continue }
            server.takeSquares(squares.values, of: link.owned, isFinite: squares.isFinite)
            link.squares = nil
        }
        let scale = server.judgement
        sendToServers(DataHeader(kind: .judged, count: scale == nil ? 0 : 1, step: server.version, loss: Double(scale ?? 0)))
        server.judge(scale)
    }

    /// Commits the step if all servers have built their part of it.
    func commitIfPossible(_ server: ParameterServer) {
        guard let fleet, server.isBuilt, fleet.links.allSatisfy({ $0.built == server.version + 1 }) else { return }
        sendToServers(DataHeader(kind: .commit, count: wantsNorms(server.version + 2) ? 1 : 0, step: server.version + 1))
        server.allAreBuilt()
    }

    /// Lets the servers take the open step, with its rate: after the verdict, if there is one. False if there is nothing to do.
    func releaseStep() -> Bool {
        guard let fleet, hasStarted, lostServer == nil, machine.isTraining, fleet.released != server.version else { return false }
        fleet.released = server.version
        sendToServers(DataHeader(kind: .release, step: server.version, loss: rates.rate(step: server.version)))
        unpark()
        return true
    }

    /// Keeps a contribution to the next step: its sender has seen every server's part of its weights before us.
    func park(_ header: DataHeader, from worker: WorkerID, place: Int) {
        fleet?.parked.append(ServerFleet.Parked(header: header, worker: worker, place: place))
    }

    private func unpark() {
        guard let fleet, !fleet.parked.isEmpty else { return }
        let waiting = fleet.parked
        fleet.parked.removeAll(keepingCapacity: true)
        for contribution in waiting { takeParked(contribution) }
    }

    // MARK: The whole state

    /// Makes the complete version whole here: the other servers' weights and, if wanted, slots. False if one of them is lost over it.
    ///
    /// It waits: nobody goes on with the next step but one before, so what is copied stays as it is.
    @discardableResult
    func gatherState(withSlots: Bool) -> Bool {
        guard let fleet, let stepServer else { return true }
        guard lostServer == nil else { return false }
        let isHere = fleet.gathered.version == stepServer.version && (fleet.gathered.withSlots || !withSlots)
        guard !isHere else { return true }
        for link in fleet.links { link.hasSentState = false }
        sendToServers(DataHeader(kind: .stateWanted, count: withSlots ? 1 : 0, step: stepServer.version))
        let silence = Duration.milliseconds(run.configuration.cluster.heartbeatMilliseconds) * CoordinatorLimits.missedHeartbeats
        for link in fleet.links {
            var lastWord = now
            while !link.hasSentState, lostServer == nil {
                let before = now
                do {
                    try link.wait(timeout: CoordinatorLimits.tick)
                    var hasCome = false
                    try link.drain { header, body in
                        hasCome = true
                        try take(header, body, from: link)
                    }
                    if hasCome { lastWord = now }
                    lastWord = min(now, lastWord + CoordinatorLimits.ownPause(since: before, now: now))
                    try reapLocalServers()
                    try noteEndedServers()
                } catch {
                    loseServer(link.name, "its messages can't be understood: \(error)")
                }
                if now - lastWord >= silence { loseServer(link.name, "it does not send its part of the state") }
            }
            link.lastHeard = max(link.lastHeard, lastWord)
        }
        guard lostServer == nil else { return false }
        fleet.gathered = (stepServer.version, withSlots)
        return true
    }
}
