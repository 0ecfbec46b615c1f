internal import Datasets
internal import Exactness
internal import Foundation
internal import Hashing
internal import Kernels
internal import OperatingSystem
internal import ParameterServer
internal import RunConfiguration
internal import Training
internal import Wire
internal import ZeroMQ

/// Effects out: what the state machine wants done.
extension CoordinatorProcess {
    func perform(_ effect: Effect) {
        switch effect {
        case .startLocalWorker(let slot): startLocalWorker(slot: slot)
        case .welcome(let worker): welcome(worker)
        case .refuse(let worker, let refusal):
            if let peer = peers[worker] { send(.refused(refusal), to: peer) }
            forget(worker)
        case .lease(let worker, let lease):
            if trainingBegan == nil {
                trainingBegan = now
                stepObserver?(server.version, now)
            }
            if let peer = peers[worker] { send(.lease(lease), to: peer) }
        case .evaluate(let worker, let order):
            unitTally.begin(order.number)
            if let peer = peers[worker] { send(.evaluate(order), to: peer) }
        case .unsubscribe(let worker): peers[worker]?.isSubscribed = false
        case .cut(let worker, let reason): cut(worker, reason: reason)
        case .release(let worker):
            if let peer = peers[worker] { send(.finished(outcome: "released"), to: peer) }
            forget(worker)
        case .record(let record): self.record(record)
        case .keepBest: keepBest()
        case .checkpoint: checkpoint()
        case .distrust(let step): setAsideCheckpoints(after: step)
        case .notice(let notice):
            switch notice.level {
            case .info: reporter.line(notice.text)
            case .warning: reporter.warning(notice.text)
            }
        case .finish(let ending): self.ending = ending
        }
    }

    private func startLocalWorker(slot: Int) {
        do {
            try locals.start(slot: slot)
        } catch {
            dispatch(.localWorkerExited(slot: slot, description: "can't be started: \(error)"))
        }
    }

    private func welcome(_ worker: WorkerID) {
        guard let peer = peers[worker] else { return }
        var servers: [ServerAddress]?
        if let fleet {
            servers = fleet.addresses(
                isLocal: lanes[peer.control.lane].isLocal, sharesMemory: segment(of: peer) != nil)
            guard servers != nil else {
                return dispatch(.lost(worker, reason: "it can't reach the parameter servers of this host: train with --bind tcp://…"))
            }
        }
        do {
            var description = run.description
            description.auditFraction = auditFraction > 0 ? auditFraction : nil
            let welcome = Welcome(
                session: peer.token, runID: beginning.start.run, incarnation: beginning.start.incarnation,
                runSHA256: run.runSHA256.description, dataSHA256: run.data.dataSHA256.description,
                heartbeatMilliseconds: run.configuration.cluster.heartbeatMilliseconds, dataPort: lanes[peer.control.lane].dataPort,
                servers: servers, run: Array(try JSONEncoder().encode(description)))
            send(.welcome(welcome), to: peer)
        } catch {
            preconditionFailure("a run's description can't be written as JSON: \(error)")
        }
    }

    private func cut(_ worker: WorkerID, reason: String) {
        let peer = peers[worker]
        endConnections(of: worker)
        forget(worker)
        guard let peer, lanes[peer.control.lane].isLocal else { return }
        // A process that has said hello again lives on in its newer session.
        let isBack = peers.values.contains { $0.processID == peer.processID && lanes[$0.control.lane].isLocal }
        // A local worker that is stopped or hung would hold its core and its memory for ever; a new one is started in its place.
        if !isBack { locals.kill(processID: peer.processID) }
    }

    private func forget(_ worker: WorkerID) {
        releaseConnections(of: worker)
        staleServer?.forget(UInt64(worker))
        guard let peer = peers.removeValue(forKey: worker) else { return }
        byControl[peer.control] = nil
        byToken[peer.token] = nil
        if let data = peer.data { byData[data] = nil }
        tellSessions()
    }

    // MARK: Sending

    func send(_ message: CoordinatorMessage, to peer: Peer) {
        send(message, to: peer.control)
    }

    func send(_ message: CoordinatorMessage, to address: Address) {
        let bytes = ControlCodec.encode(message)
        let delivery = bytes.withUnsafeBytes { try? lanes[address.lane].control.send(to: address.name, header: $0) }
        if delivery != .sent, let worker = byControl[address] { dispatch(.lost(worker, reason: "its control connection is gone")) }
    }

    /// Sends a data message; a peer that can't take it is lost: it has no way to catch up but to come again.
    ///
    /// - Parameter bodyChecksum: where it is known already, as of a body for many.
    func send(_ header: DataHeader, body: consuming Frame? = nil, bodyChecksum: UInt64? = nil, to worker: WorkerID) {
        guard let address = peers[worker]?.data else { return }
        var header = header
        header.incarnation = beginning.start.incarnation
        let lane = lanes[address.lane]
        var frame: Frame? = body
        if frame != nil {
            header.bodyByteCount = UInt64(frame?.byteCount ?? 0)
            if lane.usesChecksums { header.checksum = bodyChecksum ?? frame?.withBytes { checksum($0) } ?? 0 }
        }
        let delivery = withUnsafeTemporaryAllocation(byteCount: DataHeader.byteCount, alignment: 8) { buffer in
            header.encode(into: buffer)
            return try? lane.data.send(to: address.name, header: UnsafeRawBufferPointer(buffer), body: &frame)
        }
        switch delivery {
        case .sent: break
        case .wouldBlock: dispatch(.lost(worker, reason: "it does not take its data"))
        case .unroutable, nil: dispatch(.lost(worker, reason: "its data connection is gone"))
        }
    }

    /// A chunk of a version to everybody who follows: one body for all.
    func pushWeights(chunk: Int, version: UInt64, block: FloatBlock) {
        published.publish(chunk, of: block)
        var isWanted = false
        for (worker, peer) in peers where peer.isSubscribed {
            isWanted = !announce(chunk, version: version, block: block, to: worker, peer) || isWanted
        }
        guard isWanted else { return }
        var body = published.body(chunk, of: block)
        let header = DataHeader(kind: .weights, chunk: UInt32(chunk), step: version)
        var sum: UInt64?
        for (worker, peer) in peers where peer.isSubscribed && !reads(block, peer) {
            if sum == nil, lanes[peer.control.lane].usesChecksums { sum = body.withBytes { checksum($0) } }
            send(header, body: Frame(sharing: &body), bodyChecksum: sum, to: worker)
        }
    }

    /// Lets more of a gradient in that has to be there as a whole before any of it is used.
    func pushReduced(_ count: Int) {
        guard server.owned.count > WireProtocol.chunkWindow else { return }
        for (worker, peer) in peers where peer.isSubscribed { sendReduced(count, to: worker) }
    }

    private func sendReduced(_ count: Int, to worker: WorkerID) {
        send(DataHeader(kind: .reduced, chunk: UInt32(count), step: server.round), to: worker)
    }

    /// Tells a worker that shares memory with us where a chunk lies; false if its values have to travel.
    private func announce(_ chunk: Int, version: UInt64, block: FloatBlock, to worker: WorkerID, _ peer: Peer) -> Bool {
        guard reads(block, peer), let index = published.sharedIndex(of: block) else { return false }
        send(DataHeader(kind: .sharedWeights, chunk: UInt32(chunk), step: version, checksum: UInt64(index)), to: worker)
        return true
    }

    /// Whether a worker finds what is published of a block in memory that it shares.
    private func reads(_ block: FloatBlock, _ peer: Peer) -> Bool {
        segment(of: peer) != nil && published.sharedIndex(of: block) != nil
    }

    /// The number of the gradient segment that a worker of this host was started with; nil if its values travel in messages.
    func segment(of peer: Peer) -> Int? {
        lanes[peer.control.lane].isLocal ? segments?.place(of: peer.processID) : nil
    }

    /// All of the complete version, first layers first, then what is ready of the next; from then on the worker is pushed to.
    func sendWeights(to worker: WorkerID, wanted: UInt64) {
        func send(_ chunk: Int, version: UInt64, block: FloatBlock) {
            published.publish(chunk, of: block)
            if let peer = peers[worker], announce(chunk, version: version, block: block, to: worker, peer) { return }
            let header = DataHeader(kind: .weights, chunk: UInt32(chunk), step: version)
            self.send(header, body: published.body(chunk, of: block), to: worker)
        }
        if wanted == Evaluation.bestVersion {
            guard let best else { return }
            for chunk in 0..<server.chunks.count { send(chunk, version: Evaluation.bestVersion, block: best.weights) }
            return
        }
        for chunk in server.owned { send(chunk, version: server.round, block: server.openWeights) }
        for chunk in server.owned where server.isReady(chunk) { send(chunk, version: server.round + 1, block: server.nextWeights) }
        if let round = closureServer?.openRound { sendRound(round, to: worker) }
        if server.lowestIncomplete > 0, server.owned.count > WireProtocol.chunkWindow { sendReduced(server.lowestIncomplete, to: worker) }
        peers[worker]?.isSubscribed = true
    }

    /// Answers a request for rows of a shard; the positions are the worker's, every one is checked.
    func sendRows(to worker: WorkerID, header: DataHeader, positions bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard let part = PartID(rawValue: header.node), header.chunk < UInt32(run.description.shardCount),
            let rows = deals.rows(of: part, deal: header.step)
        else { throw .malformed("a request for part \(header.node), shard \(header.chunk), dealing \(header.step)") }
        let shard = Int(header.chunk)
        let count = bytes.count / 4
        guard bytes.count % 4 == 0, count > 0, count <= WireProtocol.maximumRowsPerRequest else {
            throw .malformed("a request for rows of \(bytes.count) bytes")
        }
        let positions = (0..<count).map { UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)) }
        let limit = UInt32(rows.rowCount(ofShard: shard))
        guard positions.allSatisfy({ $0 < limit }) else { throw .malformed("a request for a row beyond shard \(shard)'s \(limit)") }
        let size = rows.packetByteCount(rowCount: count)
        guard size <= max(WireProtocol.rowPacketBytes * 2, rows.packetByteCount(rowCount: 1)) else {
            throw .oversized(bytes: size, limit: WireProtocol.rowPacketBytes * 2)
        }
        let body = Frame(byteCount: size) { rows.gather(shard: shard, positions: positions[...], into: $0) }
        send(DataHeader(kind: .rows, node: header.node, chunk: header.chunk, count: header.count), body: body, to: worker)
    }
}
