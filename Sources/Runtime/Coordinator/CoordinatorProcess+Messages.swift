internal import Exactness
internal import Hashing
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import ParameterServer
internal import Training
internal import Wire
internal import ZeroMQ

/// Messages in: bounds first, then the session, then the meaning. What does not fit is dropped and counted; nothing traps.
extension CoordinatorProcess {
    /// Messages taken from one socket before the others get their turn.
    private static let messagesPerTurn = 256

    func readControl(lane index: Int) throws {
        let lane = lanes[index]
        for _ in 0..<Self.messagesPerTurn where ending == nil {
            switch try lane.control.receive(into: &lane.message) {
            case .nothing: return
            case .tooManyParts: cutSender(lane)
            case .received:
                if let watch = lane.watches?.control, let descriptor = lane.message.sourceDescriptor { watch.heard(descriptor) }
                guard lane.message.count == 2, let name = lane.message.routingID else {
                    cutSender(lane)
                    continue
                }
                let message: WorkerMessage
                do {
                    message = try ControlCodec.decode(WorkerMessage.self, from: lane.message.bytes(at: 1))
                } catch {
                    cutSender(lane)
                    continue
                }
                try handle(message, from: Address(lane: index, name: name))
            }
        }
    }

    private func handle(_ message: WorkerMessage, from address: Address) throws {
        func session(_ token: UInt64) -> WorkerID? {
            if let worker = byToken[token], peers[worker]?.control == address { return worker }
            send(.unknownSession, to: address)
            return nil
        }
        if let link = fleet?.link(at: address) { return try handle(message, from: link) }
        switch message {
        case .hello(let hello):
            // Whoever comes before the parameter servers says hello again.
            if hasStarted { try greet(hello, from: address) }
        case .serve(let hello): try greet(hello, from: address)
        case .serving: send(.unknownSession, to: address)
        case .ready(let token, let leafClass):
            guard let worker = session(token) else { return }
            dispatch(.ready(worker, leafClass: leafClass))
            tellSessions()
        case .heartbeat(let token, _, let leafMicroseconds):
            if let worker = session(token) {
                dispatch(.heartbeat(worker, leafTime: leafMicroseconds.flatMap { $0 > 0 ? .microseconds($0) : nil }))
                send(.heartbeat, to: address)
            }
        case .leaseTaken(let token, let sequence):
            if let worker = session(token) { dispatch(.leaseTaken(worker, sequence: sequence)) }
        case .fetched(let token, let sequence):
            if let worker = session(token) { dispatch(.fetched(worker, sequence: sequence)) }
        case .leaving(let token, let reason):
            guard let worker = session(token) else { return }
            // Its last contributions were sent before the word, over the other connection.
            try readData(lane: address.lane)
            dispatch(.leaving(worker, reason: reason))
        case .failed(let token, let error):
            if let worker = session(token) { dispatch(.failed(worker, error: error)) }
        }
    }

    private func greet(_ hello: Hello, from address: Address) throws {
        // The connection stays, for the new session.
        if let former = byControl[address] { peers[former]?.descriptors.control = nil }
        if let former = byControl[address] { dispatch(.lost(former, reason: "it said hello again")) }
        let worker = nextWorker
        nextWorker += 1
        let token = UInt64.random(in: 1...UInt64.max)
        var peer = Peer(
            token: token, control: address, processID: hello.processID, userID: lanes[address.lane].message.userID)
        if let watch = lanes[address.lane].watches?.control {
            guard let descriptor = lanes[address.lane].message.sourceDescriptor, try watch.claim(descriptor, for: worker, now: now)
            else { return drop() }
            peer.descriptors.control = descriptor
        }
        peers[worker] = peer
        byControl[address] = worker
        byToken[token] = worker
        tellSessions()
        let localSlot = lanes[address.lane].isLocal ? locals.slot(ofProcess: hello.processID) : nil
        dispatch(.hello(worker, hello, localSlot: localSlot))
    }

    // MARK: Data

    func readData(lane index: Int) throws {
        let lane = lanes[index]
        for _ in 0..<Self.messagesPerTurn where ending == nil {
            switch try lane.data.receive(into: &lane.message) {
            case .nothing: return
            case .tooManyParts: cutSender(lane)
            case .received:
                if let watch = lane.watches?.data, let descriptor = lane.message.sourceDescriptor { watch.heard(descriptor) }
                do {
                    try handleData(lane: lane, index: index)
                } catch {
                    warnOfStranger("a worker's message was dropped and its connection cut: \(error)")
                    cutSender(lane)
                }
            }
            advanceServer()
        }
    }

    private func handleData(lane: Lane, index: Int) throws(WireError) {
        guard lane.message.count >= 2, let name = lane.message.routingID else { throw .malformed("a data message without a header") }
        let header = try DataHeader(decoding: lane.message.bytes(at: 1))
        let bodyCount = lane.message.count > 2 ? lane.message.byteCount(at: 2) : 0
        guard header.bodyByteCount == UInt64(bodyCount) else {
            throw .bodyLength(bodyCount, expected: Int(clamping: header.bodyByteCount))
        }
        let address = Address(lane: index, name: name)
        if header.kind == .attach {
            // Whoever has learnt a session's number still needs the key that the session was let in with.
            guard let worker = byToken[header.session], peers[worker]?.control.lane == index, peers[worker]?.userID == lane.message.userID
            else { return drop() }
            if let watch = lane.watches?.data {
                guard let descriptor = lane.message.sourceDescriptor, (try? watch.claim(descriptor, for: worker, now: now)) == true
                else { return drop() }
                if let former = peers[worker]?.descriptors.data, former != descriptor { watch.cut(former, of: worker, now: now) }
                peers[worker]?.descriptors.data = descriptor
            }
            if let former = peers[worker]?.data { byData[former] = nil }
            peers[worker]?.data = address
            byData[address] = worker
            return
        }
        guard let worker = byData[address], let peer = peers[worker], peer.token == header.session,
            header.incarnation == beginning.start.incarnation
        else { return drop() }
        if lane.usesChecksums, bodyCount > 0, checksum(lane.message.bytes(at: 2)) != header.checksum { throw .checksum }
        switch header.kind {
        case .gradient, .sharedGradient, .contribution:
            // Who has not shown that its kernels give the run's bits has no say in them.
            guard machine.isAdmitted(worker) else { return drop() }
            if let staleServer {
                try takeStale(header, from: worker, lane: lane, server: staleServer)
            } else if header.kind == .contribution {
                throw .malformed("a contribution of a mode that this run does not have")
            } else if header.kind == .gradient {
                try takeGradient(header, lane: lane, from: worker)
            } else {
                try takeSharedGradient(header, from: peer, worker)
            }
        case .pull:
            sendWeights(to: worker, wanted: header.step)
            sendClocks(to: worker, answering: header.count)
        case .rowsWanted: try sendRows(to: worker, header: header, positions: body(of: lane))
        case .figures: try takeFigures(from: worker, header: header, body: body(of: lane))
        case .unsubscribe: peers[worker]?.isSubscribed = false
        case .audit: try takeAudit(header, from: worker, body: body(of: lane))
        case .attach, .weights, .sharedWeights, .rows, .reduced, .sameWeights, .round, .clocks, .state, .norms, .stateEnd, .stateWanted,
            .built, .commit, .release, .squares, .judged, .suspicious, .notFinite, .uncovered, .peerLost:
            throw .malformed("a \(header.kind) message from a worker")
        }
    }

    private func body(of lane: Lane) -> UnsafeRawBufferPointer {
        lane.message.count > 2 ? lane.message.bytes(at: 2) : UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Whether a contribution is to the step behind the open one, which other servers may have completed already.
    private func isAhead(_ header: DataHeader) -> Bool {
        guard fleet != nil, let stepServer else { return false }
        return header.step == stepServer.version + 1 && stepServer.isBuilt && machine.isTraining
    }

    /// Takes a contribution that has waited for its step to open.
    func takeParked(_ contribution: ServerFleet.Parked) {
        let isOpen = contribution.header.step == server.round && machine.isTraining
        guard isOpen, let peer = peers[contribution.worker] else { return inbox.release(contribution.place) }
        do {
            if contribution.place == Inbox.noPlace {
                try takeSharedGradient(contribution.header, from: peer, contribution.worker)
            } else {
                try offer(contribution.header, place: contribution.place)
            }
        } catch {
            dispatch(.lost(contribution.worker, reason: "it broke the protocol"))
        }
    }

    private func takeGradient(_ header: DataHeader, lane: Lane, from worker: WorkerID) throws(WireError) {
        try inbox.check(header, of: lane.message)
        let isAhead = isAhead(header)
        guard header.step == server.round && machine.isTraining || isAhead else { return drop() }
        guard let place = inbox.keep(part: 2, of: &lane.message) else { throw .malformed("more contributions than a window holds") }
        if isAhead { return park(header, from: worker, place: place) }
        try offer(header, place: place)
    }

    private func offer(_ header: DataHeader, place: Int) throws(WireError) {
        let chunk = Int(header.chunk)
        let offer = server.offer(
            step: header.step, node: TreeNode(number: header.node), chunk: chunk, samples: Int(header.count), loss: header.loss,
            body: inbox.floats(at: place, chunk: chunk), token: place)
        switch offer {
        case .accepted: break
        case .ignored:
            inbox.release(place)
            drop()
        case .refused(let text):
            inbox.release(place)
            throw .malformed(text)
        }
    }

    private func takeSharedGradient(_ header: DataHeader, from peer: Peer, _ worker: WorkerID) throws(WireError) {
        if isAhead(header) { return park(header, from: worker, place: Inbox.noPlace) }
        guard header.step == server.round, machine.isTraining else { return drop() }
        guard lanes[peer.control.lane].isLocal, let segment = segments?.gradients(of: peer.processID),
            header.checksum < UInt64(segment.blockCount),
            header.chunk < UInt32(server.chunks.count)
        else { throw .malformed("a shared gradient in block \(header.checksum), chunk \(header.chunk)") }
        let range = server.chunks.range(Int(header.chunk))
        switch server.offer(
            step: header.step, node: TreeNode(number: header.node), chunk: Int(header.chunk), samples: Int(header.count),
            loss: header.loss, body: segment.view(Int(header.checksum))[range], token: Inbox.noPlace)
        {
        case .accepted: break
        case .ignored: drop()
        case .refused(let text): throw .malformed(text)
        }
    }

    private func takeFigures(from worker: WorkerID, header: DataHeader, body: UnsafeRawBufferPointer) throws(WireError) {
        guard let part = PartID(rawValue: header.node), let plan = run.plan.parts[part], header.chunk < UInt32(plan.shardCount) else {
            throw .malformed("figures of part \(header.node), shard \(header.chunk)")
        }
        let shard = Int(header.chunk)
        let expected = (0..<plan.blockCount(ofShard: shard)).map { plan.block($0, ofShard: shard).count }
        let isSample = part == .sample
        let figureBytes = isSample ? min(expected.count * BlockFigures.byteCount, body.count) : body.count
        let figures = try ShardFigures.decode(
            UnsafeRawBufferPointer(rebasing: body[..<figureBytes]), expectedRows: expected,
            classes: run.network.confusionClasses(of: part))
        let units = try UnitFigures.decode(
            UnsafeRawBufferPointer(rebasing: body[figureBytes...]), expected: isSample ? run.network.observedUnits.count : 0)
        if isSample { unitTally.take(evaluation: header.step, shard: shard, units) }
        dispatch(.figures(worker, evaluation: header.step, part: part, shard: shard, figures))
    }

    func drop() {
        framesDropped += 1
    }

    /// Ends the connection that the last message came over; its session ends with it.
    private func cutSender(_ lane: Lane) {
        framesDropped += 1
        if let descriptor = lane.message.sourceDescriptor { _ = PeerShutdown.shutdown(descriptor) }
        strangers.connectionsCut += 1
        guard let name = lane.message.routingID, let index = lanes.firstIndex(where: { $0 === lane }) else { return }
        let address = Address(lane: index, name: name)
        if let worker = byControl[address] ?? byData[address] { dispatch(.lost(worker, reason: "it broke the protocol")) }
    }
}
