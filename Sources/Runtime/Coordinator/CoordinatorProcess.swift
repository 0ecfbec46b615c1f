internal import Checkpoints
internal import Datasets
internal import Exactness
internal import Foundation
internal import Hashing
internal import Kernels
internal import NeuralNet
internal import OperatingSystem
internal import Optimization
internal import ParameterServer
internal import RunConfiguration
internal import Training
internal import Wire
internal import ZeroMQ

/// What the command line says of a run, beside its run file.
public struct CoordinatorOptions: Sendable {
    /// nil: as many as can share a step and have a core.
    public var workers: Int?
    /// Compute threads of each local worker.
    public var threads: Int
    /// A control endpoint for workers of other hosts.
    public var bind: String?
    /// How the endpoint of `bind` is protected.
    public var protection: LinkProtection
    public var isQuiet: Bool
    /// The cores to share out; nil: those this process may use.
    public var cores: Int?
    /// What is started as a local worker; nil: `dnn-worker` beside this program.
    public var workerProgram: WorkerProgram?

    public init(
        workers: Int? = nil, threads: Int = 1, bind: String? = nil, protection: LinkProtection = .none, isQuiet: Bool = false,
        cores: Int? = nil, workerProgram: WorkerProgram? = nil
    ) {
        self.workers = workers
        self.threads = threads
        self.bind = bind
        self.protection = protection
        self.isQuiet = isQuiet
        self.cores = cores
        self.workerProgram = workerProgram
    }
}

/// The shell around the coordinator's state machine and the parameter server: sockets, processes, files, the clock. One thread.
///
/// Events go in, effects come out and are carried out in order; bodies of gradients and weights pass by the state machine.
final class CoordinatorProcess {
    let run: PreparedRun
    let folder: RunFolder
    let beginning: RunBeginning
    let start = Machine.monotonicTime
    var machine: Coordinator
    let server: any GradientServer
    /// The same server, of whichever kind it is.
    let stepServer: ParameterServer?
    let closureServer: ClosureServer?
    let inbox: Inbox
    let lanes: [Lane]
    var peers: [WorkerID: Peer] = [:]
    var byControl: [Address: WorkerID] = [:]
    var byData: [Address: WorkerID] = [:]
    var byToken: [UInt64: WorkerID] = [:]
    var nextWorker: WorkerID = 1
    let locals: LocalWorkers
    /// nil: payload travels in messages to local workers too.
    let segments: SharedSegments?
    let rates: LearningRates
    let writer: SnapshotWriter
    var reporter: ProgressReporter
    var best: (step: UInt64, value: Double, weights: FloatBlock)?
    var stepLosses = StepLosses()
    var unitTally = UnitTally()
    /// What the starts before this one had counted by the checkpoint.
    let formerTotals: RunTotals
    let horizonEpochs: Int
    var framesDropped = 0
    var ending: Ending?
    /// What `result.json` holds, once the run is over.
    var resultJSON: [UInt8] = []
    /// Whether the model and the result are on disk.
    var isSaved = true
    var trainingBegan: Duration?
    var trainingEnded: Duration?
    /// Told when a version is complete, and of the version that is there when the first lease is given; for benchmarks.
    var stepObserver: ((UInt64, Duration) -> Void)?

    /// nil where nothing is encrypted.
    let gatekeeper: Gatekeeper?
    var strangers = StrangerFigures()

    private let context: Context
    private let signals: SignalDescriptor
    private let updates: EventDescriptor
    private var waiting: [Event] = []
    private var isDispatching = false
    private var lastTick = Duration.zero
    private var privateFolder: TemporaryFolder?

    /// - Parameter signals: made first thing in `main`.
    init(
        _ run: PreparedRun, folder: RunFolder, beginning: RunBeginning, options: CoordinatorOptions, signals: SignalDescriptor
    ) throws {
        self.run = run
        deals = PartDeals(run)
        self.folder = folder
        self.beginning = beginning
        let former = beginning.former
        formerTotals = former?.coordinator.totals ?? RunTotals()
        horizonEpochs = former?.coordinator.horizonEpochs ?? run.plan.epochs
        self.signals = signals
        _ = try Machine.raiseDescriptorLimit()
        Machine.keepFreedMemory()
        let cores = options.cores ?? Machine.coreCount
        let localWorkers = options.workers ?? min(run.plan.tree.shardCount, max(1, cores / max(options.threads, 1)))
        if localWorkers > 0, let obstacle = run.description.precision.obstacle {
            throw ProblemList([run.configuration.sourceMap.problem(at: "training.precision", obstacle)])
        }
        let chunks = run.network.layout.chunks(byteCount: run.description.chunkByteCount)
        context = try Context(ioThreads: 1)
        updates = try EventDescriptor()

        if case .keys(let keys) = options.protection, options.bind != nil {
            gatekeeper = try Gatekeeper(keys, context: context)
        } else {
            gatekeeper = nil
        }

        let largestBody = run.description.largestBodyToCoordinator(chunks)
        var lanes: [Lane] = []
        var ipc = "ipc:///nowhere"
        if localWorkers > 0 {
            let folder = try TemporaryFolder(prefix: "dnn-")
            privateFolder = folder
            lanes.append(
                try Lane(
                    context: context, endpoint: "ipc://" + folder.appending("control"), largestBody: largestBody,
                    chunkCount: chunks.count))
            ipc = lanes[0].endpoint
        }
        if let bind = options.bind {
            lanes.append(
                try Lane(
                    context: context, endpoint: bind, largestBody: largestBody, chunkCount: chunks.count, gatekeeper: gatekeeper,
                    isWatched: true))
        }
        self.lanes = lanes
        let segments =
            localWorkers > 0 && run.configuration.cluster.transport != .messages
            ? try SharedSegments(elementCount: run.network.layout.blockLength, shardCount: run.plan.tree.shardCount) : nil
        self.segments = segments
        locals = try LocalWorkers(
            endpoint: ipc, threads: options.threads, logs: folder.logs, segments: segments, program: options.workerProgram)

        let cluster = run.configuration.cluster
        let workerOption = Self.workerOption(gatekeeper, lanes: lanes)
        self.workerOption = workerOption
        machine = Coordinator(
            plan: run.plan,
            limits: CoordinatorLimits(
                minimumWorkers: cluster.minimumWorkers, localWorkers: localWorkers, acceptsRemoteWorkers: options.bind != nil,
                joinTimeout: .seconds(cluster.joinTimeoutSeconds), idleTimeout: .seconds(cluster.idleTimeoutSeconds),
                heartbeat: .milliseconds(cluster.heartbeatMilliseconds),
                checkpointEvery: .seconds(run.configuration.training.checkpointEverySeconds),
                invitation: lanes.last.map { "dnn-worker --connect \($0.endpoint)\(workerOption)" } ?? ""),
            rules: AdmissionRules(numericsVersion: numericsVersion, leafClass: former?.identity.leafClass),
            version: beginning.version, stopping: former?.coordinator.stopping ?? EarlyStoppingState())

        // One place more than a window can fill: a message is put down before it is judged.
        let inbox = Inbox(count: run.plan.tree.shardCount * min(chunks.count, WireProtocol.chunkWindow) + 1)
        self.inbox = inbox
        let spare = max(0, cores - localWorkers * options.threads)
        let lenderTable = LenderTable()
        let rates = LearningRates(run.schedule, plateau: former?.coordinator.plateau ?? PlateauState())
        self.rates = rates
        if run.plan.passes != nil {
            let made = try Self.closureServer(run, segments: segments, lenders: lenderTable, inbox: inbox)
            (server, stepServer, closureServer) = (made, nil, made)
        } else {
            let made = try ParameterServer(
                layout: run.network.layout, updater: run.updater, plan: run.plan.train, tree: run.plan.tree,
                chunkByteCount: run.description.chunkByteCount,
                threads: run.network.layout.count < Self.smallestSharedUpdate ? 0 : min(spare, Self.mostUpdateThreads),
                version: beginning.version, completion: updates, weightBlocks: segments?.weightBlocks,
                policy: run.configuration.training.nonFinite, learningRate: { [rates] in rates.rate(step: $0) },
                isFree: { lenderTable.isFree($0) }, release: { inbox.release($0) })
            made.recomputes = true
            (server, stepServer, closureServer) = (made, made, nil)
        }
        server.window = WireProtocol.chunkWindow
        self.lenderTable = lenderTable
        let tensors = StateTensors(layout: run.network.layout, slotNames: closureServer?.slotNames ?? run.updater.slotNames)
        writer = try SnapshotWriter(
            store: beginning.store, tensors: tensors,
            heading: SnapshotWriter.Heading(
                identity: { [runSHA256 = run.runSHA256, data = run.data.dataSHA256] leafClass in
                    RunIdentity(runSHA256: runSHA256, dataSHA256: data, leafClass: leafClass, numericsVersion: numericsVersion)
                }, incarnation: Int(beginning.start.incarnation), configuration: run.configuration.effectiveYAML,
                metadata: try run.modelMetadata),
            isFolderLost: { [start = beginning.start, path = folder.path] in start.isSuperseded(in: path) },
            syncHistory: folder.historySync)
        reporter = ProgressReporter(isQuiet: options.isQuiet, plan: run.plan)
        localWorkerCount = localWorkers
        threadsPerWorker = options.threads
        if let set = beginning.store.found.set {
            try restore(set, tensors: tensors)
        } else {
            server.initializeWeights { run.initialize($0) }
        }
    }

    let deals: PartDeals
    let lenderTable: LenderTable
    /// What a worker of another host needs beside the endpoint, for messages.
    let workerOption: String
    let localWorkerCount: Int
    let threadsPerWorker: Int

    /// Elements from which an update is worth a hand-over to another thread.
    private static let smallestSharedUpdate = 262_144
    private static let mostUpdateThreads = 8

    var now: Duration { Machine.monotonicTime - start }

    // MARK: The loop

    /// Runs until the run has ended and everything it leaves behind is on disk.
    func execute() throws -> RunResult {
        describe()
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
        dispatch(.start)
        while ending == nil {
            try poller.wait(timeout: max(.zero, lastTick + machine.tickInterval - now))
            try readSignals()
            try answerHandshakes()
            for index in lanes.indices {
                try lookAtConnections(lane: index)
                try readControl(lane: index)
                try readData(lane: index)
                noteEndedConnections(lane: index)
            }
            updates.drain()
            advanceServer()
            for warning in writer.takeWarnings() { reporter.warning(warning) }
            if writer.isSuperseded { dispatch(.superseded) }
            if now - lastTick >= machine.tickInterval {
                lastTick = now
                try enforceLimits()
                dispatch(.tick(uncovered: server.uncoveredShards))
                reporter.update(
                    step: machine.version, evaluations: closureServer?.evaluations, loss: server.lastLoss,
                    workers: machine.admittedWorkers, now: now)
            }
        }
        return try finish()
    }

    /// Gives an event to the state machine and carries out what it says; events that arise from that wait their turn.
    func dispatch(_ event: Event) {
        waiting.append(event)
        guard !isDispatching else { return }
        isDispatching = true
        defer { isDispatching = false }
        while !waiting.isEmpty, ending == nil {
            for effect in machine.handle(waiting.removeFirst(), now: now) where ending == nil { perform(effect) }
        }
    }

    /// Takes what the server has ready: chunks of the next version go out, a complete version is an event.
    func advanceServer() {
        if let closureServer { advance(closureServer) }
        if let stepServer { advance(stepServer) }
    }

    private func advance(_ server: ParameterServer) {
        while ending == nil, let progress = server.nextProgress(wantsNorms: wantsNorms) {
            switch progress {
            case .reduced(let count): pushReduced(count)
            case .chunkReady(let chunk): pushWeights(chunk: chunk, version: server.version + 1, block: server.state.nextWeights)
            case .stepCompleted(let version):
                stepObserver?(version, now)
                segments?.stepCompleted()
                stepLosses.note(server.lastLoss)
                dispatch(.stepCompleted(version: version))
            case .suspicious(let element):
                dispatch(.suspicious(step: server.version, shards: server.suspectShards, where: place(of: element)))
            case .notFinite(let element):
                dispatch(.notFinite(step: server.version, shards: server.suspectShards, where: place(of: element)))
            }
        }
    }

    /// At barriers for their line of the history, and now and then – at powers of two – for the line of a run that ends before one.
    private func wantsNorms(_ version: UInt64) -> Bool {
        run.plan.isBarrier(version) || version & (version - 1) == 0
    }

    private func place(of element: Int) -> String {
        run.network.layout.storedEntry(containing: element)?.name ?? "element \(element)"
    }

    private func readSignals() throws {
        while let signal = try signals.next() {
            switch signal {
            case .childEnded: try reapLocalWorkers()
            default: dispatch(.interrupted(signal: signal.rawValue))
            }
        }
    }

    func reapLocalWorkers() throws {
        for (slot, processID, exit) in try locals.reap() {
            let text = "\(exit)"
            if let worker = peers.first(where: { $0.value.processID == processID && lanes[$0.value.control.lane].isLocal })?.key {
                dispatch(.lost(worker, reason: "its process \(text)"))
            }
            dispatch(.localWorkerExited(slot: slot, description: "\(text); see \(folder.logs)/worker-\(slot + 1).log"))
        }
    }

    /// Ends the sessions, waits for the local workers, and removes what was private.
    ///
    /// - Parameter outcome: what workers are told; nil: nothing, they are another coordinator's.
    func closeSessions(outcome: String?) throws {
        if let outcome {
            for peer in peers.values { send(.finished(outcome: outcome), to: peer) }
        } else {
            try locals.killAll()
        }
        let deadline = now + .seconds(5)
        var poller = Poller()
        _ = poller.add(descriptor: signals.descriptor)
        while !locals.isEmpty, now < deadline {
            _ = try locals.reap()
            if locals.isEmpty { break }
            try poller.wait(timeout: deadline - now)
            while try signals.next() != nil {}
        }
        try locals.killAll()
        privateFolder = nil
    }
}
