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
internal import Scaling
internal import Training
internal import Wire
internal import ZeroMQ

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
    let staleServer: StaleServer?
    let inbox: Inbox
    let lanes: [Lane]
    /// The other parameter servers; nil where the own one is the only one.
    let fleet: ServerFleet?
    /// Why the run has to go back to its last checkpoint: a parameter server is lost.
    var lostServer: String?
    /// Whether the state machine runs: only when all parameter servers are there.
    var hasStarted = false
    /// The places of parameter servers that this process has started.
    var startedServers: Set<Int> = []
    /// Servers under the numbers by which their connections are watched.
    var serverNumbers: [WorkerID: String] = [:]
    /// Whether sessions are being ended: nobody who goes now is lost.
    var isClosing = false
    let acceptsRemoteServers: Bool
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
    /// nil in exact mode, where there is nothing to log.
    let orderLog: OrderLog?
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
    /// Takes norms in every second step, so that the others can be compared with them; for benchmarks.
    var takesNormsEverySecondStep = false

    /// nil where nothing is encrypted.
    let gatekeeper: Gatekeeper?
    var strangers = StrangerFigures()

    let context: Context
    let signals: SignalDescriptor
    let updates: EventDescriptor
    var waiting: [Event] = []
    var isDispatching = false
    var lastTick = Duration.zero
    var privateFolder: TemporaryFolder?

    /// - Parameters:
    ///   - signals: made first thing in `main`.
    ///   - search: in place of the rule's, where the plan has passes.
    init(
        _ run: PreparedRun, folder: RunFolder, beginning: RunBeginning, options: CoordinatorOptions, signals: SignalDescriptor,
        search: (any LossSearch)? = nil
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
        let ranges = ServerRanges(
            layout: run.network.layout, updater: run.updater, chunkByteCount: run.description.chunkByteCount,
            serverCount: run.configuration.cluster.parameterServers)
        if localWorkers > 0 || ranges.count > 1 {
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
                    isWatched: true, anyDataPort: options.isPortChosen))
        }
        self.lanes = lanes
        let segments =
            localWorkers > 0 && run.configuration.cluster.transport != .messages && !run.description.isStale
            ? try SharedSegments(
                elementCount: run.network.layout.blockLength, shardCount: run.plan.tree.shardCount, workers: localWorkers,
                hasServers: ranges.count > 1) : nil
        self.segments = segments
        var workerKeys: String?
        if case .keys(let keys) = options.protection { workerKeys = keys.forLocalWorkers }
        locals = try LocalWorkers(
            endpoint: ipc, threads: options.threads, logs: folder.logs, segments: segments, keys: ranges.count > 1 ? workerKeys : nil,
            cores: options.workerProgram?.isPinned == true
                ? WorkerCores(pinned: localWorkers, threads: options.threads)
                : WorkerCores(workers: localWorkers, threads: options.threads, available: Machine.cores),
            program: options.workerProgram)
        let spare = max(0, cores - localWorkers * options.threads) / ranges.count
        acceptsRemoteServers = options.bind != nil
        if ranges.count > 1, let sockets = privateFolder {
            let wait = min(ServerFleet.registrationTime, .seconds(run.configuration.cluster.joinTimeoutSeconds))
            fleet = ServerFleet(
                ranges: ranges,
                locals: try LocalServers(
                    endpoint: ipc, folder: sockets.path, threads: min(spare, ClusterModel.mostUpdateThreads), logs: folder.logs,
                    bind: options.isPortChosen ? options.anyPort : options.bind, isProtected: gatekeeper != nil, segments: segments),
                version: beginning.version, registrationEnd: Machine.monotonicTime - start + wait)
        } else {
            fleet = nil
        }

        auditFraction = options.auditFraction
        guard auditFraction == 0 || !run.description.isStale else {
            let text = "does not go with --audit: which weights a leaf is computed with hangs on time, so no other worker has its bits"
            throw ProblemList([run.configuration.sourceMap.problem(at: "training.mode", text)])
        }
        let cluster = run.configuration.cluster
        let workerOption = Self.workerOption(gatekeeper, lanes: lanes)
        self.workerOption = workerOption
        var limits = CoordinatorLimits(
            minimumWorkers: cluster.minimumWorkers, localWorkers: localWorkers, acceptsRemoteWorkers: options.bind != nil,
            joinTimeout: .seconds(cluster.joinTimeoutSeconds), idleTimeout: .seconds(cluster.idleTimeoutSeconds),
            heartbeat: .milliseconds(cluster.heartbeatMilliseconds),
            checkpointEvery: .seconds(run.configuration.training.checkpointEverySeconds),
            invitation: lanes.last.map { "dnn-worker --connect \($0.endpoint)\(workerOption)" } ?? "")
        limits.auditFraction = auditFraction
        if !run.configuration.shipsData { limits.readyTimeout = CoordinatorLimits.readingTimeout }
        machine = Coordinator(
            plan: run.plan, limits: limits,
            rules: AdmissionRules(numericsVersion: numericsVersion, leafClass: former?.identity.leafClass),
            version: beginning.version, stopping: former?.coordinator.stopping ?? EarlyStoppingState())

        // One place more than a window can fill: a message is put down before it is judged.
        // With several servers contributions to the next step may come before it is known that this one is complete.
        let steps = ranges.count > 1 ? 2 : 1
        let inbox = Inbox(
            count: steps * run.plan.tree.shardCount * min(chunks.count, WireProtocol.chunkWindow) + 1, chunks: chunks,
            wire: run.description.wire)
        self.inbox = inbox
        let published = PublishedWeights(
            wire: run.description.wire, chunks: chunks, shared: segments?.weightBlocks ?? [],
            sharing: ranges.count > 1 ? .common : .own, lenders: LenderTable())
        self.published = published
        let rates = LearningRates(run.schedule, plateau: former?.coordinator.plateau ?? PlateauState())
        self.rates = rates
        let orderLog = try run.orderLog(in: folder, beginning)
        self.orderLog = orderLog
        if run.plan.passes != nil {
            let made = try Self.closureServer(run, search: search, owned: ranges.ranges[0], published: published, inbox: inbox)
            (server, stepServer, closureServer, staleServer) = (made, nil, made, nil)
        } else if run.description.isStale {
            let made = Self.staleServer(run, rates: rates, published: published, log: orderLog)
            (server, stepServer, closureServer, staleServer) = (made, nil, nil, made)
        } else {
            let made = try ParameterServer(
                layout: run.network.layout, updater: run.updater, plan: run.plan.train, tree: run.plan.tree,
                chunkByteCount: run.description.chunkByteCount,
                threads: run.network.layout.count < ClusterModel.smallestSharedUpdate ? 0 : min(spare, ClusterModel.mostUpdateThreads),
                owned: ranges.ranges[0], version: beginning.version, completion: updates, weightBlocks: published.serverBlocks,
                policy: run.configuration.training.nonFinite, learningRate: { [rates] in rates.rate(step: $0) },
                isFree: { published.isFree($0) }, release: { inbox.release($0) })
            made.recomputes = true
            if let orderLog { made.sumInArrivalOrder { orderLog.noteArrivals($0) } }
            (server, stepServer, closureServer, staleServer) = (made, made, nil, nil)
        }
        server.window = WireProtocol.chunkWindow
        let tensors = StateTensors(layout: run.network.layout, slotNames: closureServer?.slotNames ?? run.updater.slotNames)
        writer = try SnapshotWriter(
            store: beginning.store, tensors: tensors,
            heading: SnapshotWriter.Heading(
                identity: { [runSHA256 = run.runSHA256, data = run.data.dataSHA256] leafClass in
                    RunIdentity(runSHA256: runSHA256, dataSHA256: data, leafClass: leafClass, numericsVersion: numericsVersion)
                }, incarnation: Int(beginning.start.incarnation), configuration: run.configuration.effectiveYAML,
                metadata: try run.modelMetadata),
            isFolderLost: { [start = beginning.start, path = folder.path] in start.isSuperseded(in: path) },
            syncHistory: folder.historySync(with: orderLog))
        reporter = ProgressReporter(isQuiet: options.isQuiet, plan: run.plan)
        localWorkerCount = localWorkers
        localServersAtOnce = options.servers
        threadsPerWorker = options.threads
        if let set = beginning.store.found.set {
            try restore(set, tensors: tensors)
        } else if search == nil {
            server.initializeWeights { run.initialize($0) }
        }
    }

    let deals: PartDeals
    let published: PublishedWeights
    /// What a worker of another host needs beside the endpoint, for messages.
    let workerOption: String
    /// The share of leaves that two workers compute.
    let auditFraction: Double
    let localWorkerCount: Int
    let localServersAtOnce: Int?
    let threadsPerWorker: Int

    /// Elements from which an update is worth a hand-over to another thread.

    var now: Duration { Machine.monotonicTime - start }
}
