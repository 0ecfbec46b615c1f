internal import Exactness
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import ParameterServer
internal import RunConfiguration
internal import Training
internal import Wire
internal import ZeroMQ

/// What a checkpoint of mode ssp or async holds beside the state: how many updates have made it, and how far every shard is.
struct StaleProgress: Codable, Sendable {
    var updates: UInt64
    var clocks: [UInt64]
}

/// Modes ssp and async: contributions in, whole versions and clocks out, completed steps to the state machine.
extension CoordinatorProcess {
    static func staleServer(_ run: PreparedRun, rates: LearningRates, published: PublishedWeights, log: OrderLog?) -> StaleServer {
        let training = run.configuration.training
        let server = StaleServer(
            layout: run.network.layout, updater: run.updater, plan: run.plan.train, tree: run.plan.tree,
            chunkByteCount: run.description.chunkByteCount, staleness: training.mode.staleness, policy: training.nonFinite,
            learningRate: { rates.rate(step: $0) }, wantsNorms: { run.wantsNorms($0) }, isFree: { published.isFree($0) })
        server.noteUpdate = { log?.note($0) }
        return server
    }

    func advance(_ server: StaleServer) {
        if machine.isTraining { server.open(until: run.plan.nextBarrier(after: machine.version)) }
        while ending == nil, let progress = server.nextProgress() {
            switch progress {
            case .updated:
                stepLosses.note(server.lastLoss, samples: server.lastSampleCount)
                dispatch(.roundReached(server.round, afterGradient: true))
            case .stepCompleted(let version):
                stepObserver?(version, now)
                dispatch(.stepCompleted(version: version))
            case .limitRaised:
                for (worker, peer) in peers where peer.isSubscribed { sendClocks(to: worker) }
            case .dropped(let sender):
                drop()
                if let worker = WorkerID(exactly: sender), peers[worker] != nil { sendClocks(to: worker) }
            case .notFinite(let element, let shards, let clock):
                let list = shards.map(String.init).joined(separator: ", ")
                let source = "\(place(of: element)) from shard\(shards.count == 1 ? "" : "s") \(list)"
                dispatch(.notFinite(step: clock, shards: ShardSet(), where: source))
            }
        }
    }

    /// How far the shards are, as an answer to a request for weights, behind them; or of itself.
    func sendClocks(to worker: WorkerID, answering request: UInt32 = 0) {
        guard let staleServer else { return }
        let notice = ClockNotice(limit: staleServer.limit, clocks: staleServer.clocks)
        let body = Frame(byteCount: notice.byteCount) { notice.encode(into: $0) }
        send(DataHeader(kind: .clocks, count: request, step: staleServer.round), body: body, to: worker)
    }

    /// A notice of what a worker is about to send, or a chunk of it.
    func takeStale(
        _ header: DataHeader, from worker: WorkerID, lane: Lane, server: StaleServer
    ) throws(WireError) {
        guard machine.isTraining else { return drop() }
        guard lane.message.count == 3 else { throw .malformed("a \(header.kind) message without a body") }
        let bytes = lane.message.bytes(at: 2)
        let offer: ParameterServer.Offer
        switch header.kind {
        case .contribution:
            let notice = try ContributionNotice(decoding: bytes, shardCount: run.plan.tree.shardCount)
            offer = server.begin(from: UInt64(worker), shards: notice.shards, clock: notice.clock, read: header.step)
        case .gradient:
            guard bytes.count > 0, bytes.count % 4 == 0, let base = bytes.baseAddress else { throw .malformed("a gradient without values") }
            offer = server.take(
                from: UInt64(worker), chunk: Int(header.chunk), samples: Int(header.count), loss: header.loss,
                body: FloatView(base: base, count: bytes.count / 4))
        default: throw .malformed("a \(header.kind) message in mode \(run.configuration.training.mode.keyword)")
        }
        switch offer {
        case .accepted: break
        case .ignored: drop()
        case .refused(let text): throw .malformed(text)
        }
    }
}
