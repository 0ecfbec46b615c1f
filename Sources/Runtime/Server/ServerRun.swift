internal import Exactness
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import Optimization
internal import ParameterServer
internal import Training
internal import Wire
internal import ZeroMQ

/// A parameter server's part in one session of a run: its chunks, the workers' connections, and what the coordinator has decided.
///
/// Its coordinator alone says when a step is complete and when the next may be taken; see `ParameterServer+Others.swift`.
final class ServerRun {
    let session: UInt64
    let incarnation: UInt32
    let server: any ChunkServer
    /// The same server, of whichever kind it is: that of a rule that steps, or of one that searches.
    let stepServer: ParameterServer?
    let roundServer: RoundServer?
    let ports: [DataPort]
    /// Says whom the tcp socket lets in; nil where it is not protected.
    private var authenticator: Authenticator?
    let inbox: Inbox
    let published: PublishedWeights
    /// What is shared with workers of this host and the coordinator; nil: payload travels in messages.
    let segments: ServerSegments?
    let shardCount: Int
    var workers = ServedWorkers()
    /// What the coordinator's connection attaches with, and that connection.
    let token: UInt64
    var coordinator: Address?
    /// Whether the state that it begins with is here.
    var isReady = false
    /// The step that may be taken, and its rate.
    let released: ReleasedStep
    var parked: [Parked] = []
    /// Whether the norms of the step after the next are wanted.
    var wantsNorms = false
    private var lastUncovered: (step: UInt64, shards: ShardSet)?
    /// The worst that its coordinator has done: the session can't go on.
    var failure: String?
    private(set) var nextNumber: WorkerID = 1

    /// A contribution to a step that may not be taken yet.
    struct Parked {
        var header: DataHeader
        /// Where its values lie, or, if they lie in a shared segment, which of them that is.
        var place: Int
        var segment: Int?
    }

    final class ReleasedStep {
        var step: UInt64?
        var rate = 0.0
    }

    init(
        _ welcome: ServerWelcome, endpoints: [String], threads: Int, completion: EventDescriptor, key: CurveSecretKey?,
        allowed: Set<CurvePublicKey>, segments: (_ elementCount: Int) throws -> ServerSegments?
    ) throws {
        let assignment = try ServerAssignment(json: welcome.assignment)
        session = welcome.session
        incarnation = welcome.incarnation
        token = welcome.token
        let run = assignment.run
        let network = try Network(run.model)
        let chunks = network.layout.chunks(byteCount: run.chunkByteCount)
        guard assignment.owned.upperBound <= chunks.count else {
            throw WireError.malformed("chunks \(assignment.owned) of \(chunks.count) for a parameter server")
        }
        // Of its own: its end waits until the addresses are free for the next session.
        let context = try Context()
        if key != nil { authenticator = try Authenticator(in: context, allowed: allowed) }
        ports = try endpoints.map {
            try DataPort(context: context, endpoint: $0, chunks: chunks, security: key.map { .curveServer($0) })
        }
        shardCount = run.shardCount
        // Those of the open step, those of the next one, and one that is put down before it is judged.
        let inbox = Inbox(
            count: 2 * shardCount * min(assignment.chunkCount, WireProtocol.chunkWindow) + 1, chunks: chunks, wire: run.wire)
        let segments = try segments(network.layout.blockLength)
        self.segments = segments
        let published = PublishedWeights(
            wire: run.wire, chunks: chunks, shared: segments?.weightBlocks ?? [], sharing: run.countsRounds ? .commonAndWritten : .common,
            lenders: LenderTable())
        let released = ReleasedStep()
        (self.inbox, self.published, self.released) = (inbox, published, released)
        if run.countsRounds {
            guard network.layout.tailCount == 0 else { throw WireError.malformed("running statistics beside a rule that searches") }
            let made = RoundServer(
                chunks: chunks, owned: assignment.owned, plan: run.plan(of: .train), tree: run.tree, round: assignment.version,
                weightBlocks: published.serverBlocks, isFree: { published.isFree($0) }, release: { inbox.release($0) })
            (server, stepServer, roundServer) = (made, nil, made)
        } else {
            let updater = try Updater(
                rule: assignment.rule, treatment: assignment.treatment, segments: network.layout.updateSegments, groups: assignment.groups)
            let made = try ParameterServer(
                layout: network.layout, updater: updater, plan: run.plan(of: .train), tree: run.tree, chunkByteCount: run.chunkByteCount,
                threads: threads, owned: assignment.owned, version: assignment.version, completion: completion,
                weightBlocks: published.serverBlocks, policy: assignment.policy, learningRate: { [released] _ in released.rate },
                isFree: { published.isFree($0) }, release: { inbox.release($0) })
            made.recomputes = true
            (server, stepServer, roundServer) = (made, made, nil)
        }
        server.window = WireProtocol.chunkWindow
    }

    func add(to poller: inout Poller) {
        for port in ports {
            _ = poller.add(port.socket)
            port.watch?.add(to: &poller)
        }
        if authenticator != nil { _ = poller.add(authenticator!) }
    }

    func allow(_ keys: Set<CurvePublicKey>) {
        authenticator?.allowed = keys
    }

    func answerHandshakes() throws {
        while try authenticator?.answer() != nil {}
    }

    // MARK: Sending

    func send(_ header: DataHeader, body: consuming Frame? = nil, to address: Address) -> Bool {
        var header = header
        header.incarnation = incarnation
        return ports[address.lane].send(header, body: body, to: address.name)
    }

    /// To the coordinator; if it is gone, its control connection shows it.
    func report(_ header: DataHeader, body: consuming Frame? = nil) {
        guard let coordinator else { return }
        if !send(header, body: body, to: coordinator) { failure = "the coordinator's data connection is gone" }
    }

    func report(_ kind: DataHeader.Kind, element: Int = 0, shards: ShardSet) {
        let list = ShardList(element: UInt64(element), shards: shards.elements.map(UInt32.init))
        report(
            DataHeader(kind: kind, step: server.round),
            body: Frame(byteCount: list.byteCount) { list.encode(into: $0) })
    }

    /// A worker that can't be sent to has no way to catch up: the coordinator is told, and ends its session.
    func lose(_ address: Address) {
        guard let connection = workers.connections[address] else { return }
        workers.forget(address)
        if connection.isBound { report(DataHeader(kind: .peerLost, session: connection.session)) }
    }

    func push(_ header: DataHeader) {
        for (address, connection) in workers.connections where connection.isSubscribed {
            if !send(header, to: address) { lose(address) }
        }
    }

    /// A chunk of a version to everybody who follows: one body for all.
    func pushWeights(_ chunk: Int, version: UInt64, block: FloatBlock) {
        published.publish(chunk, of: block)
        var isWanted = false
        for (address, connection) in workers.connections where connection.isSubscribed {
            guard let header = announcement(chunk, version: version, block: block, to: address) else {
                isWanted = true
                continue
            }
            if !send(header, to: address) { lose(address) }
        }
        guard isWanted else { return }
        var body = published.body(chunk, of: block)
        let header = DataHeader(kind: .weights, chunk: UInt32(chunk), step: version)
        for (address, connection) in workers.connections where connection.isSubscribed {
            guard announcement(chunk, version: version, block: block, to: address) == nil else { continue }
            if !send(header, body: Frame(sharing: &body), to: address) { lose(address) }
        }
    }

    /// What tells a worker that shares memory with us where a chunk lies; nil if its values have to travel.
    private func announcement(_ chunk: Int, version: UInt64, block: FloatBlock, to address: Address) -> DataHeader? {
        guard segment(of: address) != nil, let index = published.sharedIndex(of: block) else { return nil }
        return DataHeader(kind: .sharedWeights, chunk: UInt32(chunk), step: version, checksum: UInt64(index))
    }

    /// The number of a worker's gradient segment; nil if it shares none with us.
    func segment(of address: Address) -> Int? {
        guard segments != nil, ports[address.lane].isLocal, let connection = workers.connections[address], connection.isBound
        else { return nil }
        return workers.sessions[connection.session]?.segment
    }

    /// The chunks of the complete version, and what is ready of the next; from then on the worker is pushed to.
    func sendWeights(to address: Address) {
        func send(_ chunk: Int, version: UInt64, block: FloatBlock) -> Bool {
            published.publish(chunk, of: block)
            if let header = announcement(chunk, version: version, block: block, to: address) { return self.send(header, to: address) }
            let header = DataHeader(kind: .weights, chunk: UInt32(chunk), step: version)
            return self.send(header, body: published.body(chunk, of: block), to: address)
        }
        for chunk in server.owned {
            guard send(chunk, version: server.round, block: server.openWeights) else { return lose(address) }
        }
        for chunk in server.owned where server.isReady(chunk) {
            guard send(chunk, version: server.round + 1, block: server.nextWeights) else { return lose(address) }
        }
        if server.lowestIncomplete > 0, server.owned.count > WireProtocol.chunkWindow {
            let header = DataHeader(kind: .reduced, chunk: UInt32(server.lowestIncomplete), step: server.round)
            guard self.send(header, to: address) else { return lose(address) }
        }
        workers.connections[address]?.isSubscribed = true
        workers.connections[address]?.owesWeights = false
    }

    // MARK: Progress

    /// Lets more of a gradient in that has to be there as a whole before any of it is used.
    func pushReduced(_ count: Int) {
        guard server.owned.count > WireProtocol.chunkWindow else { return }
        push(DataHeader(kind: .reduced, chunk: UInt32(count), step: server.round))
    }

    /// Takes what the server has ready.
    func advance() {
        if let stepServer { advance(stepServer) }
        if let roundServer { advance(roundServer) }
    }

    private func advance(_ server: ParameterServer) {
        while let progress = server.nextProgress(wantsNorms: { [wantsNorms] _ in wantsNorms }) {
            switch progress {
            case .chunkReady(let chunk): pushWeights(chunk, version: server.version + 1, block: server.nextWeights)
            case .reduced(let count): pushReduced(count)
            case .awaitsJudgement:
                let squares = server.ownSquares
                report(
                    DataHeader(kind: .squares, count: server.foundFinite ? 1 : 0, step: server.version),
                    body: Frame(byteCount: 8 * squares.count) { DoubleList.encode(squares, into: $0) })
            case .built: report(DataHeader(kind: .built, step: server.version + 1))
            case .stepCompleted: break
            case .suspicious(let element): report(.suspicious, element: element, shards: server.suspectShards)
            case .notFinite(let element): report(.notFinite, element: element, shards: server.suspectShards)
            }
        }
    }

    /// Tells which shards are waited for, now and then, where that is news.
    func reportUncovered() {
        guard isReady, isTaking else { return }
        let uncovered = server.uncoveredShards
        if let last = lastUncovered, last.step == server.round, last.shards == uncovered { return }
        lastUncovered = (server.round, uncovered)
        report(.uncovered, shards: uncovered)
    }

    /// Whether contributions are wanted.
    private var isTaking: Bool {
        if let stepServer { return released.step == stepServer.version && !stepServer.isBuilt }
        return roundServer?.openRound != nil
    }

    // MARK: Sessions

    /// The coordinator's list of workers; connections of those that are gone are ended.
    func take(_ list: [ServedSession], now: Duration) {
        for (address, connection) in workers.take(list) {
            guard let watch = ports[address.lane].watch, let descriptor = connection.descriptor else { continue }
            if let number = numbers.removeValue(forKey: address) { watch.cut(descriptor, of: number, now: now) }
        }
        for (address, connection) in workers.connections where connection.isBound {
            claim(address, connection, now: now)
            if connection.isAdmitted, connection.owesWeights { sendWeights(to: address) }
        }
    }

    /// Numbers under which the watches know the bound connections.
    private var numbers: [Address: WorkerID] = [:]

    /// A connection with a session is no stranger's.
    func claim(_ address: Address, _ connection: ServedWorkers.Connection, now: Duration) {
        guard numbers[address] == nil, let watch = ports[address.lane].watch, let descriptor = connection.descriptor else { return }
        let number = takeNumber()
        if (try? watch.claim(descriptor, for: number, now: now)) == true { numbers[address] = number }
    }

    func takeNumber() -> WorkerID {
        nextNumber += 1
        return nextNumber
    }

    /// Connections that have ended.
    func takeEndings() {
        for port in ports {
            for number in port.watch?.takeEndings() ?? [] {
                guard let address = numbers.first(where: { $0.value == number })?.key else { continue }
                numbers[address] = nil
                lose(address)
            }
        }
    }
}
