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
        default: throw .malformed("a \(header.kind) message from a worker")
        }
    }

    private func takeGradient(_ header: DataHeader, _ port: DataPort) throws(WireError) {
        try inbox.check(header, of: port.message)
        let isOpen = header.step == server.version
        guard isOpen || header.step == server.version + 1 && server.isBuilt else { return }
        guard let place = inbox.keep(part: 2, of: &port.message) else { throw .malformed("more contributions than a window holds") }
        guard isOpen, released.step == server.version else {
            // Its sender knows that the step before is complete everywhere; the word of it is still on its way to here.
            parked.append(Parked(header: header, place: place))
            return
        }
        try offer(header, place: place)
    }

    private func offer(_ header: DataHeader, place: Int) throws(WireError) {
        let chunk = Int(header.chunk)
        let offer = server.offer(
            step: header.step, node: TreeNode(number: header.node), chunk: chunk, samples: Int(header.count),
            loss: header.loss, body: inbox.floats(at: place, chunk: chunk), token: place)
        switch offer {
        case .accepted: break
        case .ignored: inbox.release(place)
        case .refused(let text):
            inbox.release(place)
            throw .malformed(text)
        }
    }

    /// Takes what has come for the step that may be taken now. Who has sent something wrong is not known any more: it is dropped.
    private func unpark() {
        let waiting = parked
        parked.removeAll(keepingCapacity: true)
        for contribution in waiting {
            if contribution.header.step == server.version {
                try? offer(contribution.header, place: contribution.place)
            } else {
                inbox.release(contribution.place)
            }
        }
    }

    // MARK: The coordinator

    private func takeFromCoordinator(_ header: DataHeader, body: UnsafeRawBufferPointer) throws(WireError) {
        switch header.kind {
        case .state:
            guard !isReady else { throw .malformed("state for a server that has some") }
            try takeState(header, body)
        case .norms:
            guard !isReady, header.step == server.version else { throw .malformed("norms for a server that has some") }
            try server.takeNorms(body, of: server.owned)
            server.noteNorms()
        case .stateEnd:
            isReady = true
            report(DataHeader(kind: .stateEnd, step: server.version))
            for (address, connection) in workers.connections where connection.isAdmitted && connection.owesWeights {
                sendWeights(to: address)
            }
        case .stateWanted:
            guard header.step == server.version else { throw .malformed("version \(header.step) is not here") }
            sendState(withSlots: header.count == 1)
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

    private func takeState(_ header: DataHeader, _ body: UnsafeRawBufferPointer) throws(WireError) {
        let chunk = Int(header.chunk), block = Int(header.node)
        let blocks = [server.completeWeights] + server.completeSlots
        guard header.step == server.version, server.owned.contains(chunk), block < blocks.count else {
            throw .malformed("state of chunk \(chunk), block \(block)")
        }
        let range = server.chunks.range(chunk)
        guard body.count == range.count * 4, range.upperBound <= blocks[block].count, let base = body.baseAddress else {
            throw .bodyLength(body.count, expected: range.count * 4)
        }
        blocks[block].mutableView[range].copy(from: FloatView(base: base, count: range.count))
    }

    private func sendState(withSlots: Bool) {
        let blocks = withSlots ? [server.completeWeights] + server.completeSlots : [server.completeWeights]
        for (number, block) in blocks.enumerated() {
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
