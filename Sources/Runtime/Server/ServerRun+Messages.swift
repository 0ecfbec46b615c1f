internal import Exactness
internal import Hashing
internal import Kernels
internal import OperatingSystem
internal import ParameterServer
internal import Wire
internal import ZeroMQ

/// Messages in: bounds first, then who it is, then the meaning. What does not fit is dropped; who breaks the protocol is cut.
extension ServerRun {
    /// Messages taken from one socket before the others get their turn.
    private static let messagesPerTurn = 256

    func readData(port index: Int, now: Duration) throws {
        let port = ports[index]
        for _ in 0..<Self.messagesPerTurn where failure == nil {
            switch try port.socket.receive(into: &port.message) {
            case .nothing: return
            case .tooManyParts: cutSender(port)
            case .received:
                if let watch = port.watch, let descriptor = port.message.sourceDescriptor { watch.heard(descriptor) }
                do {
                    try handle(port, index: index, now: now)
                } catch {
                    cutSender(port, index: index)
                }
            }
            advance()
        }
    }

    private func cutSender(_ port: DataPort, index: Int? = nil) {
        if let descriptor = port.message.sourceDescriptor { _ = PeerShutdown.shutdown(descriptor) }
        guard let index, let name = port.message.routingID else { return }
        let address = Address(lane: index, name: name)
        if address == coordinator { failure = "the coordinator's messages can't be understood" }
        lose(address)
    }

    private func handle(_ port: DataPort, index: Int, now: Duration) throws(WireError) {
        guard port.message.count >= 2, let name = port.message.routingID else { throw .malformed("a data message without a header") }
        let header = try DataHeader(decoding: port.message.bytes(at: 1))
        let bodyCount = port.message.count > 2 ? port.message.byteCount(at: 2) : 0
        guard header.bodyByteCount == UInt64(bodyCount) else {
            throw .bodyLength(bodyCount, expected: Int(clamping: header.bodyByteCount))
        }
        let address = Address(lane: index, name: name)
        guard header.incarnation == incarnation else { return }
        if header.kind == .attach { return attach(address, header, port, now: now) }
        let isCoordinator = address == coordinator
        guard isCoordinator || workers.connections[address]?.session == header.session else { return }
        if port.usesChecksums, bodyCount > 0, checksum(port.message.bytes(at: 2)) != header.checksum { throw .checksum }
        if isCoordinator {
            let body = bodyCount > 0 ? port.message.bytes(at: 2) : UnsafeRawBufferPointer(start: nil, count: 0)
            try takeFromCoordinator(header, body: body)
        } else {
            try takeFromWorker(header, address, port)
        }
    }

    private func attach(_ address: Address, _ header: DataHeader, _ port: DataPort, now: Duration) {
        if header.session == token {
            coordinator = address
            if let watch = port.watch, let descriptor = port.message.sourceDescriptor {
                _ = try? watch.claim(descriptor, for: takeNumber(), now: now)
            }
            return
        }
        let connection = ServedWorkers.Connection(
            session: header.session, userID: port.message.userID, descriptor: port.message.sourceDescriptor)
        guard workers.attach(address, connection) else { return cutSender(port) }
        if let bound = workers.connections[address], bound.isBound { claim(address, bound, now: now) }
    }

    // MARK: Workers

    private func takeFromWorker(_ header: DataHeader, _ address: Address, _ port: DataPort) throws(WireError) {
        guard let connection = workers.connections[address] else { return }
        switch header.kind {
        case .pull:
            workers.connections[address]?.owesWeights = true
            if connection.isBound, connection.isAdmitted, isReady { sendWeights(to: address) }
        case .unsubscribe:
            workers.connections[address]?.owesWeights = false
            workers.connections[address]?.isSubscribed = false
        case .gradient:
            guard connection.isBound, connection.isAdmitted, isReady else { return }
            try takeGradient(header, port)
        case .sharedGradient:
            guard connection.isBound, connection.isAdmitted, isReady else { return }
            try takeSharedGradient(header, from: address)
        default: throw .malformed("a \(header.kind) message from a worker")
        }
    }

    private func takeGradient(_ header: DataHeader, _ port: DataPort) throws(WireError) {
        try inbox.check(header, of: port.message)
        guard isOpen(header.step) || mayOpen(header.step) else { return }
        guard let place = inbox.keep(part: 2, of: &port.message) else { throw .malformed("more contributions than a window holds") }
        guard isOpen(header.step) else {
            // Its sender knows that what was before is complete everywhere; the word of it is still on its way to here.
            parked.append(Parked(header: header, place: place))
            return
        }
        try offer(Parked(header: header, place: place))
    }

    private func takeSharedGradient(_ header: DataHeader, from address: Address) throws(WireError) {
        guard let segment = segment(of: address), header.chunk < UInt32(server.chunks.count),
            segments?.gradient(segment: segment, block: header.checksum) != nil
        else { throw .malformed("a shared gradient in block \(header.checksum), chunk \(header.chunk)") }
        guard isOpen(header.step) || mayOpen(header.step) else { return }
        let contribution = Parked(header: header, place: Inbox.noPlace, segment: segment)
        guard isOpen(header.step) else { return parked.append(contribution) }
        try offer(contribution)
    }

    /// Whether contributions to a step or round may be taken now.
    private func isOpen(_ number: UInt64) -> Bool {
        if let roundServer { return roundServer.openRound?.number == number }
        return number == server.round && released.step == number
    }

    /// Whether it is what may be taken next.
    private func mayOpen(_ number: UInt64) -> Bool {
        if let roundServer { return roundServer.mayOpen(number) }
        return number == server.round || number == server.round + 1 && (stepServer?.isBuilt ?? false)
    }

    private func offer(_ contribution: Parked) throws(WireError) {
        let (header, place) = (contribution.header, contribution.place)
        let chunk = Int(header.chunk)
        let offer = server.offer(
            step: header.step, node: TreeNode(number: header.node), chunk: chunk, samples: Int(header.count),
            loss: header.loss, body: values(of: contribution), token: place)
        switch offer {
        case .accepted: break
        case .ignored: inbox.release(place)
        case .refused(let text):
            inbox.release(place)
            throw .malformed(text)
        }
    }

    private func values(of contribution: Parked) -> FloatView {
        let header = contribution.header, chunk = Int(header.chunk)
        guard let segment = contribution.segment else { return inbox.floats(at: contribution.place, chunk: chunk) }
        guard let block = segments?.gradient(segment: segment, block: header.checksum) else { preconditionFailure("it was checked") }
        return block[server.chunks.range(chunk)]
    }

    /// Takes what has come for the step or round that may be taken now. Who has sent something wrong is not known any more: it is dropped.
    func unpark() {
        let waiting = parked
        parked.removeAll(keepingCapacity: true)
        for contribution in waiting {
            if contribution.header.step == server.round {
                try? offer(contribution)
            } else {
                inbox.release(contribution.place)
            }
        }
    }

    // MARK: The coordinator

    private func takeFromCoordinator(_ header: DataHeader, body: UnsafeRawBufferPointer) throws(WireError) {
        switch header.kind {
        case .state where !isReady: return try takeState(header, body)
        case .sharedWeights where !isReady: return try takeSharedState(header)
        case .stateEnd where !isReady:
            isReady = true
            report(DataHeader(kind: .stateEnd, step: server.round))
            for (address, connection) in workers.connections where connection.isAdmitted && connection.owesWeights {
                sendWeights(to: address)
            }
            return
        default: break
        }
        if let stepServer { try take(header, body, for: stepServer) }
        if let roundServer { try take(header, body, for: roundServer) }
    }

    private func take(_ header: DataHeader, _ body: UnsafeRawBufferPointer, for server: ParameterServer) throws(WireError) {
        switch header.kind {
        case .norms:
            guard !isReady, header.step == server.version else { throw .malformed("norms for a server that has some") }
            try server.takeNorms(body, of: server.owned)
            server.noteNorms()
        case .stateWanted:
            guard header.step == server.version else { throw .malformed("version \(header.step) is not here") }
            sendState(of: server, withSlots: header.count == 1)
        case .commit:
            guard header.step == server.version + 1, server.isBuilt else { throw .malformed("version \(header.step) is not built") }
            wantsNorms = header.count == 1
            server.allAreBuilt()
            advance()
        case .release:
            guard header.step == server.version, header.loss.isFinite else { throw .malformed("step \(header.step) is not the open one") }
            (released.step, released.rate) = (header.step, header.loss)
            unpark()
        case .judged:
            guard header.step == server.version, server.canBeJudged else { throw .malformed("a judgement of step \(header.step)") }
            server.judge(header.count == 1 ? Float(header.loss) : nil)
        default: throw .malformed("a \(header.kind) message from the coordinator")
        }
    }

    /// What it begins with: weights, and the slots of a rule that steps.
    private func takeState(_ header: DataHeader, _ body: UnsafeRawBufferPointer) throws(WireError) {
        let chunk = Int(header.chunk), block = Int(header.node)
        let blocks = [server.openWeights] + (stepServer?.completeSlots ?? [])
        guard header.step == server.round, server.owned.contains(chunk), block < blocks.count else {
            throw .malformed("state of chunk \(chunk), block \(block)")
        }
        let range = server.chunks.range(chunk)
        guard range.upperBound <= blocks[block].count else { throw .malformed("state of chunk \(chunk), block \(block)") }
        blocks[block].mutableView[range].copy(from: try values(body, ofChunk: chunk))
    }

    /// As `takeState` for weights that the coordinator has in shared memory: where it is our block, they are here.
    private func takeSharedState(_ header: DataHeader) throws(WireError) {
        let values = try sharedValues(header), target = server.openWeights.mutableView[server.chunks.range(Int(header.chunk))]
        guard header.step == server.round, published.sharedIndex(of: server.openWeights).map(UInt64.init) == header.checksum else {
            throw .malformed("version \(header.step) in shared block \(header.checksum)")
        }
        if values.base != UnsafeRawPointer(target.base) { target.copy(from: values) }
    }

    /// A chunk of ours that the coordinator has in shared memory.
    func sharedValues(_ header: DataHeader) throws(WireError) -> FloatView {
        let chunk = Int(header.chunk)
        guard server.owned.contains(chunk), let block = published.sharedBlock(header.checksum) else {
            throw .malformed("weights of chunk \(chunk) in shared block \(header.checksum)")
        }
        return block.view[server.chunks.range(chunk)]
    }

    /// A body that holds the floats of a chunk.
    func values(_ body: UnsafeRawBufferPointer, ofChunk chunk: Int) throws(WireError) -> FloatView {
        let count = server.chunks.range(chunk).count
        guard body.count == count * 4, let base = body.baseAddress else { throw .bodyLength(body.count, expected: count * 4) }
        return FloatView(base: base, count: count)
    }

    private func sendState(of server: ParameterServer, withSlots: Bool) {
        let blocks = withSlots ? [server.completeWeights] + server.completeSlots : [server.completeWeights]
        let index = published.sharesExactValues ? published.sharedIndex(of: server.completeWeights) : nil
        if let index {
            report(DataHeader(kind: .sharedWeights, step: server.version, checksum: UInt64(index)))
        }
        for (number, block) in blocks.enumerated() where number > 0 || index == nil {
            for chunk in server.owned where number == 0 || !server.chunks.isTail(chunk) {
                report(
                    DataHeader(kind: .state, node: UInt32(number), chunk: UInt32(chunk), step: server.version),
                    body: Frame(lending: block.view[server.chunks.range(chunk)].bytes, from: published.lenders.lender(of: block)))
            }
        }
        if let version = server.normsVersion {
            let values = server.normValues(of: server.owned)
            report(
                DataHeader(kind: .norms, step: version), body: Frame(byteCount: 8 * values.count) { DoubleList.encode(values, into: $0) })
        }
        report(DataHeader(kind: .stateEnd, step: server.version))
    }
}

extension ParameterServer {
    private func normPieces(of chunks: Range<Int>) -> [Int] {
        guard !chunks.isEmpty else { return [] }
        let first = self.chunks.range(chunks.lowerBound).lowerBound
        return norms.pieces(in: first..<max(first, min(self.chunks.range(chunks.upperBound - 1).upperBound, self.chunks.updatedCount)))
    }

    /// The norms of the pieces that some chunks hold.
    func normValues(of chunks: Range<Int>) -> [Double] {
        normPieces(of: chunks).flatMap { norms[$0].values }
    }

    /// Puts in norms that were taken elsewhere.
    func takeNorms(_ body: UnsafeRawBufferPointer, of chunks: Range<Int>) throws(WireError) {
        let pieces = normPieces(of: chunks)
        let values = try DoubleList.decode(body, count: pieces.count * SquareSums.valueCount)
        for (index, piece) in pieces.enumerated() {
            norms[piece] = SquareSums(values: values[(index * SquareSums.valueCount)...])
        }
    }
}
