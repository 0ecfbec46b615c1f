internal import Exactness
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import Optimization
internal import ParameterServer
internal import Training
internal import Wire
internal import ZeroMQ

/// Rules that evaluate several times per step: rounds and trial weights to the workers, steps to the state machine.
extension CoordinatorProcess {
    static func closureServer(
        _ run: PreparedRun, search: (any LossSearch)?, owned: Range<Int>, published: PublishedWeights, inbox: Inbox
    ) throws -> ClosureServer {
        guard let passes = run.plan.passes else { preconditionFailure("a closure rule has passes") }
        let search =
            try search
            ?? ClosureMachine(
                rule: run.updater.rule, objective: run.updater.objective, weights: FloatBlock(count: run.network.layout.count))
        return ClosureServer(
            search: search, passes: passes, tree: run.plan.tree, chunkByteCount: run.description.chunkByteCount, owned: owned,
            isSteady: run.isSteady, weightBlocks: published.serverBlocks, isFree: { published.isFree($0) },
            release: { inbox.release($0) })
    }

    /// Begins a step wherever the state machine wants one, and takes what the server has ready.
    func advance(_ server: ClosureServer) {
        completeRoundIfPossible(server)
        while ending == nil, lostServer == nil {
            if machine.isTraining { server.beginStep() }
            guard let progress = server.nextProgress() else { return }
            switch progress {
            case .weights(let isNew, let isAfterGradient):
                pushVersion(isNew: isNew)
                if isAfterGradient { segments?.stepCompleted() }
                dispatch(.roundReached(server.round, afterGradient: isAfterGradient))
            case .roundOpened(let round):
                tellServers(of: round, server)
                for (worker, peer) in peers where peer.isSubscribed { sendRound(round, to: worker) }
            case .reduced(let count): pushReduced(count)
            case .stepCompleted(let version):
                stepObserver?(version, now)
                if let loss = server.stepLoss { stepLosses.note(loss, samples: server.passSamples) }
                dispatch(.stepCompleted(version: version))
            case .notFinite(let element):
                let place = element.map { run.network.layout.entry(containing: $0)?.name ?? "element \($0)" }
                dispatch(.notFinite(step: server.version, shards: ShardSet(), where: place ?? "the whole net, or its loss,"))
            }
        }
    }

    /// The weights of the present round to everybody who follows.
    private func pushVersion(isNew: Bool) {
        tellServersOfVersion(isNew: isNew)
        if isNew {
            for chunk in server.owned { pushWeights(chunk: chunk, version: server.round, block: server.openWeights) }
            return
        }
        for (worker, peer) in peers where peer.isSubscribed {
            send(DataHeader(kind: .sameWeights, step: server.round), to: worker)
        }
    }

    func sendRound(_ round: GradientRound, to worker: WorkerID) {
        let notice = RoundNotice(planStep: round.planStep, maskStep: round.maskStep)
        let body = Frame(byteCount: RoundNotice.byteCount) { notice.encode(into: $0) }
        send(DataHeader(kind: .round, step: round.number), body: body, to: worker)
    }

    // MARK: Other servers

    /// Every other server gets its part of the weights of the present round, which it gives to the workers.
    private func tellServersOfVersion(isNew: Bool) {
        guard let fleet else { return }
        guard isNew else { return sendToServers(DataHeader(kind: .sameWeights, step: server.round)) }
        let block = server.openWeights
        let index = published.sharesExactValues ? published.sharedIndex(of: block) : nil
        for link in fleet.links {
            for chunk in link.owned {
                if let index, link.isLocal {
                    send(
                        DataHeader(kind: .sharedWeights, chunk: UInt32(chunk), step: server.round, checksum: UInt64(index)), body: nil,
                        to: link)
                    continue
                }
                let body = Frame(lending: block.view[server.chunks.range(chunk)].bytes, from: published.lenders.lender(of: block))
                send(DataHeader(kind: .state, chunk: UInt32(chunk), step: server.round), body: body, to: link)
            }
        }
    }

    private func tellServers(of round: GradientRound, _ server: ClosureServer) {
        guard let fleet else { return }
        let notice = RoundNotice(planStep: round.planStep, maskStep: round.maskStep)
        var place: RoundNotice.Place = server.beginsPass ? .beginsPass : []
        if server.endsPass { place.insert(.endsPass) }
        for link in fleet.links {
            let body = Frame(byteCount: RoundNotice.byteCount) { notice.encode(into: $0) }
            send(DataHeader(kind: .round, count: place.rawValue, step: round.number), body: body, to: link)
        }
    }

    private func send(_ header: DataHeader, body: consuming Frame?, to link: ServerLink) {
        if (try? link.send(header, body: body)) != true { loseServer(link.name, "its data connection does not take its messages") }
    }

    /// A message of another server in a run that searches.
    func take(_ header: DataHeader, _ body: UnsafeRawBufferPointer, from link: ServerLink, _ server: ClosureServer) throws(WireError) {
        let chunk = Int(header.chunk)
        switch header.kind {
        case .gradient:
            guard link.owned.contains(chunk), body.count == server.chunks.range(chunk).count * 4, let base = body.baseAddress,
                server.takeSum(FloatView(base: base, count: body.count / 4), ofChunk: chunk, round: header.step)
            else { throw .malformed("the sum of chunk \(chunk) in round \(header.step), \(body.count) bytes") }
            link.summed.insert(chunk)
        case .built:
            guard let open = server.openRound, open.number == header.step, !server.endsPass || link.summed.count == link.owned.count
            else { throw .malformed("round \(header.step) is done with \(link.summed.count) of \(link.owned.count) sums") }
            link.reducedRound = header.step
            link.summed.removeAll(keepingCapacity: true)
        default: throw .malformed("a \(header.kind) message from a parameter server of a rule that searches")
        }
    }

    private func completeRoundIfPossible(_ server: ClosureServer) {
        guard let fleet, let open = server.openRound, fleet.links.allSatisfy({ $0.reducedRound == open.number }) else { return }
        server.othersHaveReduced()
    }

    /// How far the search has come, for a line of text; empty for other rules.
    var searchText: String {
        guard let closureServer else { return "" }
        let loss = closureServer.objectiveLoss.map { ", loss " + $0.formatted(digits: 6) } ?? ""
        return "step \(closureServer.version), \(closureServer.evaluations) evaluations\(loss)"
    }
}

extension PreparedRun {
    /// Layers whose output for a row hangs on random masks or on the other rows of its batch.
    private static let restlessLayers: Set<String> = ["dropout", "batch_norm"]

    /// Whether every pass over all rows is of the same function, whatever the step.
    var isSteady: Bool {
        network.layers.allSatisfy { !Self.restlessLayers.contains($0.keyword) }
    }
}
