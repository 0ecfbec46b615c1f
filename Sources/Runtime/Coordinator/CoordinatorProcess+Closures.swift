internal import Exactness
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
        _ run: PreparedRun, published: PublishedWeights, inbox: Inbox
    ) throws -> ClosureServer {
        guard let passes = run.plan.passes else { preconditionFailure("a closure rule has passes") }
        return try ClosureServer(
            elementCount: run.network.layout.count, rule: run.updater.rule, objective: run.updater.objective, passes: passes,
            tree: run.plan.tree, chunkByteCount: run.description.chunkByteCount, isSteady: run.isSteady,
            weightBlocks: published.serverBlocks, isFree: { published.isFree($0) }, release: { inbox.release($0) })
    }

    /// Begins a step wherever the state machine wants one, and takes what the server has ready.
    func advance(_ server: ClosureServer) {
        while ending == nil {
            if machine.isTraining { server.beginStep() }
            guard let progress = server.nextProgress() else { return }
            switch progress {
            case .weights(let isNew, let isAfterGradient):
                pushVersion(isNew: isNew)
                if isAfterGradient { segments?.stepCompleted() }
                dispatch(.roundReached(server.round, afterGradient: isAfterGradient))
            case .roundOpened(let round):
                for (worker, peer) in peers where peer.isSubscribed { sendRound(round, to: worker) }
            case .reduced(let count): pushReduced(count)
            case .stepCompleted(let version):
                stepObserver?(version, now)
                dispatch(.stepCompleted(version: version))
            case .notFinite(let element):
                let place = element.map { run.network.layout.entry(containing: $0)?.name ?? "element \($0)" }
                dispatch(.notFinite(step: server.version, shards: ShardSet(), where: place ?? "the whole net, or its loss,"))
            }
        }
    }

    /// The weights of the present round to everybody who follows.
    private func pushVersion(isNew: Bool) {
        if isNew {
            for chunk in 0..<server.chunks.count { pushWeights(chunk: chunk, version: server.round, block: server.openWeights) }
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
