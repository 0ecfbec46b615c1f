internal import Exactness
internal import Foundation
internal import NeuralNet
internal import OperatingSystem
internal import ParameterServer
internal import RunConfiguration
internal import Training
internal import Wire
internal import ZeroMQ

/// The loop: sockets, signals, the server and the clock become events; what waits is one poll.
extension CoordinatorProcess {
    private func makePoller() -> Poller {
        var poller = Poller()
        _ = poller.add(descriptor: signals.descriptor)
        _ = poller.add(descriptor: updates.descriptor)
        _ = poller.add(descriptor: writer.event.descriptor)
        for lane in lanes {
            _ = poller.add(lane.control)
            _ = poller.add(lane.data)
            lane.watches?.control.add(to: &poller)
            lane.watches?.data.add(to: &poller)
        }
        gatekeeper?.add(to: &poller)
        for link in fleet?.links ?? [] { link.add(to: &poller) }
        return poller
    }

    /// Runs until the run has ended and everything it leaves behind is on disk; nil if it has to go back to its last checkpoint.
    func execute() throws -> RunResult? {
        describe()
        try untilItEnds()
        if ending != nil, gatherState(withSlots: true) { return try finish() }
        try abandon()
        return nil
    }

    /// Runs to the end, and leaves nothing behind.
    func executeUnrecorded() throws -> Ending {
        describeWorkers()
        try untilItEnds()
        guard let ending else {
            try abandon()
            throw LostServer(name: lostServer ?? "of this run")
        }
        try closeSessions(outcome: "completed")
        writer.close()
        return ending
    }

    /// Until it has ended or, with several servers, one of them is lost.
    private func untilItEnds() throws {
        var poller = makePoller()
        if fleet == nil {
            hasStarted = true
            dispatch(.start)
        } else {
            startServers(atOnce: localServersAtOnce)
        }
        while ending == nil, lostServer == nil {
            if let fleet, fleet.isPollerStale {
                fleet.isPollerStale = false
                poller = makePoller()
            }
            try poller.wait(timeout: max(.zero, lastTick + machine.tickInterval - now))
            try readSignals()
            try answerHandshakes()
            for index in lanes.indices {
                try lookAtConnections(lane: index)
                try readControl(lane: index)
                try readData(lane: index)
                noteEndedConnections(lane: index)
            }
            if fleet != nil { try readServers() }
            updates.drain()
            advanceServer()
            for warning in writer.takeWarnings() { reporter.warning(warning) }
            if let failure = orderLog?.takeFailure() { reporter.warning(failure) }
            if writer.isSuperseded { dispatch(.superseded) }
            if now - lastTick >= machine.tickInterval {
                lastTick = now
                try enforceLimits()
                guard hasStarted else {
                    lookAtServers()
                    continue
                }
                dispatch(.tick(uncovered: uncoveredShards))
                lookAtServers()
                reporter.update(
                    step: machine.version, evaluations: closureServer?.evaluations, loss: server.lastLoss,
                    workers: machine.admittedWorkers, now: now)
            }
        }
    }

    /// The shards that some server waits for.
    private var uncoveredShards: ShardSet {
        var uncovered = server.uncoveredShards
        guard let fleet else { return uncovered }
        uncovered.formUnion(
            closureServer == nil ? fleet.uncoveredShards(version: server.version) : fleet.uncoveredShards(round: server.round))
        return uncovered
    }

    /// Ends this start of the run as a coordinator does that is killed: what other hosts started looks for the next one.
    private func abandon() throws {
        try closeSessions(outcome: nil)
        writer.close()
        for warning in writer.takeWarnings() { reporter.warning(warning) }
    }

    /// The exit code of a run that a signal has ended.
    var interruption: Int32? {
        if case .interrupted(let signal) = ending?.outcome { 128 + signal } else { nil }
    }

    /// What `--bind` came to, for another start to listen at.
    var boundEndpoint: String? {
        acceptsRemoteServers ? lanes.last?.endpoint : nil
    }

    /// Gives an event to the state machine and carries out what it says; events that arise from that wait their turn.
    func dispatch(_ event: Event) {
        waiting.append(event)
        guard !isDispatching else { return }
        isDispatching = true
        defer { isDispatching = false }
        while !waiting.isEmpty, ending == nil, lostServer == nil {
            for effect in machine.handle(waiting.removeFirst(), now: now) where ending == nil && lostServer == nil { perform(effect) }
        }
    }

    /// Takes what the server has ready: chunks of the next version go out, a complete version is an event.
    func advanceServer() {
        if let closureServer { advance(closureServer) }
        if let staleServer { advance(staleServer) }
        guard let stepServer else { return }
        advance(stepServer)
        // What has waited for the step may be all that there is to wait for.
        while fleet != nil, releaseStep() { advance(stepServer) }
    }

    private func advance(_ server: ParameterServer) {
        if fleet != nil {
            judgeIfPossible(server)
            commitIfPossible(server)
        }
        while ending == nil, lostServer == nil, let progress = server.nextProgress(wantsNorms: wantsNorms) {
            switch progress {
            case .reduced(let count): pushReduced(count)
            case .chunkReady(let chunk): pushWeights(chunk: chunk, version: server.version + 1, block: server.state.nextWeights)
            case .stepCompleted(let version):
                stepObserver?(version, now)
                segments?.stepCompleted()
                stepLosses.note(server.lastLoss, samples: server.lastSampleCount)
                dispatch(.stepCompleted(version: version))
            case .awaitsJudgement:
                fleet?.awaitsJudgement = true
                judgeIfPossible(server)
            case .built: commitIfPossible(server)
            case .suspicious(let element):
                dispatch(.suspicious(step: server.version, shards: server.suspectShards, where: place(of: element)))
            case .notFinite(let element):
                dispatch(.notFinite(step: server.version, shards: server.suspectShards, where: place(of: element)))
            }
        }
    }

    func wantsNorms(_ version: UInt64) -> Bool {
        takesNormsEverySecondStep ? FiguresMeasurement.hasNorms(version) : run.wantsNorms(version)
    }

    func place(of element: Int) -> String {
        run.network.layout.storedEntry(containing: element)?.name ?? "element \(element)"
    }

    private func readSignals() throws {
        while let signal = try signals.next() {
            switch signal {
            case .childEnded:
                try reapLocalWorkers()
                try reapLocalServers()
            default: dispatch(.interrupted(signal: signal.rawValue))
            }
        }
    }
}

/// A parameter server is gone, and there is no checkpoint to go back to.
struct LostServer: Error, CustomStringConvertible {
    var name: String

    var description: String { "parameter server \(name) is lost, and what was computed with it" }
}
