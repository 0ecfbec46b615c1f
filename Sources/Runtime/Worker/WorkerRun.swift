internal import Datasets
internal import Exactness
internal import Foundation
internal import Kernels
internal import NeuralNet
internal import Training
internal import Wire
internal import ZeroMQ

/// Rows that a worker keeps from session to session, and the run that they belong to.
struct KeptRows {
    var loader: RowLoader
    var files: FileRows?
    var run: String
}

/// A worker's part in one session of a run: net, rows, weights, lease, and what it has computed of the current step.
final class WorkerRun {
    let session: UInt64
    let run: RunDescription
    let runSHA256: String
    let network: Network
    let engine: LeafEngine
    let chunks: ChunkMap
    let weights: WeightsMemory
    let gradients: GradientPool
    let connection: DataConnection
    let link: ComputeLink
    let tree: ShardTree
    let trainPlan: StepPlan
    /// As `WorkerOptions.computes`.
    var computes = true
    private(set) var loader: RowLoader
    /// nil: rows are sent.
    private(set) var files: FileRows?
    let auditSchedule: AuditSchedule
    /// Where nodes of others are computed; made when the first one is.
    var auditBlock: FloatBlock?
    /// What of the time since the step began was no work of its own.
    var waited = Duration.zero

    var lease: Lease?
    /// The lease whose rows are still on their way, where the coordinator waits for them.
    private var owedFetch: UInt64?
    private var isSubscribed = false
    private var pulledBest = false
    /// Whether the other servers are still to be told that no weights are wanted; the coordinator knows.
    private var owesUnsubscribe = false
    /// Versions to ask for as soon as the connection takes it.
    private var owedPulls: [UInt64] = []
    /// Who owns which chunks.
    private(set) var shares: ServerShares
    /// By node of a step and server: chunks of its sum from this position on, in order of travel, are not sent yet.
    var sentPositions: [Int] = []
    /// What a closure rule has opened last.
    private var openRound: GradientRound?
    /// Shards whose contribution to a step has been sent whole.
    private var done: (step: UInt64, shards: ShardSet) = (0, ShardSet())
    var stale = StaleWork()
    var orders: (epoch: UInt64, positions: [Int: [UInt32]]) = (.max, [:])
    private var evaluation: (order: Evaluation, tasks: [ShardKey])?
    var labels: [Int32]
    var identifiers: [UInt32]

    /// - Parameter kept: rows of an earlier session; they are kept if it was the same run.
    /// - Throws: `UnfitWorker` among others.
    init(
        welcome: Welcome, endpoint: String, context: Context, link: ComputeLink, threads: Int, kept: KeptRows?,
        security: ZeroMQ.Security, keys: WorkerKeys?, segments: (_ elementCount: Int) throws -> WorkerSegments?
    ) throws {
        run = try JSONDecoder().decode(RunDescription.self, from: Data(welcome.run))
        try run.validate()
        session = welcome.session
        runSHA256 = welcome.runSHA256 + welcome.dataSHA256
        self.link = link
        if let name = run.instructionSet, let set = InstructionSet(rawValue: name) { InstructionSet.cap(at: set) }
        try run.precision.checkAvailable()
        network = try Network(run.model)
        tree = run.tree
        trainPlan = run.plan(of: .train)
        auditSchedule = AuditSchedule(seed: run.seed, fraction: run.auditFraction ?? 0)
        engine = LeafEngine(
            network: network, tree: tree, leafRows: run.leafRows, seed: run.seed, threads: threads, precision: run.precision)
        chunks = network.layout.chunks(byteCount: run.chunkByteCount)
        let segments = try segments(network.layout.blockLength)
        shares = try ServerShares(welcome.servers ?? [], chunks: chunks)
        let areAlike = segments == nil || shares.sharesMemory.allSatisfy { $0 }
        weights = WeightsMemory(
            chunks: chunks, shared: segments?.weights, sources: shares.count == 1 ? .oneServer : areAlike ? .alike : .mixed)
        gradients = segments?.pool ?? GradientPool(elementCount: network.layout.blockLength)
        labels = Array(repeating: 0, count: run.leafRows)
        identifiers = Array(repeating: 0, count: run.leafRows)
        if let kept, kept.run == runSHA256 {
            (loader, files) = (kept.loader, kept.files)
        } else {
            loader = RowLoader(run: run)
        }
        if let dataFiles = run.dataFiles {
            if files == nil { files = try FileRows(dataFiles, run: run) }
        } else {
            files = nil
        }
        var options = SocketOptions.data(largestBody: run.largestBodyToWorker(chunks), chunkCount: chunks.count)
        options.linger = .milliseconds(500)  // a last contribution still gets out when the worker leaves
        let others = try (welcome.servers ?? []).map { server in
            DataConnection.End(
                endpoint: Endpoints.server(server.endpoint, coordinator: endpoint), security: try Self.security(of: server, keys: keys))
        }
        connection = try DataConnection(
            context: context, ends: [DataConnection.End(endpoint: endpoint, security: security)] + others, options: options,
            welcome: welcome, link: link)
        for server in 0..<connection.serverCount { try connection.send(DataHeader(kind: .attach), to: server) }
    }

    private static func security(of server: ServerAddress, keys: WorkerKeys?) throws(WireError) -> ZeroMQ.Security {
        guard let text = server.publicKey else { return .none }
        guard let key = CurvePublicKey(z85: text), let keys else {
            throw .malformed("the parameter server at \(server.endpoint) asks for keys: this worker needs --keys")
        }
        return keys.security(of: key)
    }

    // MARK: Orders

    func take(_ lease: Lease) throws {
        guard lease.sequence > (self.lease?.sequence ?? 0) else { return }
        guard lease.shards.allSatisfy({ $0 >= 0 && $0 < run.shardCount }) else {
            throw WireError.malformed("a lease of shards \(lease.shards)")
        }
        guard (lease.fetch ?? []).allSatisfy({ $0 >= 0 && $0 < run.shardCount }),
            (lease.audits ?? []).allSatisfy({ tree.contains(TreeNode(number: $0)) })
        else { throw WireError.malformed("a lease with other work for shards \(lease.fetch ?? []), nodes \(lease.audits ?? [])") }
        if done.step == lease.step {
            for shard in lease.recompute ?? [] where lease.shards.contains(shard) { done.shards.remove(shard) }
        }
        let before = self.lease
        self.lease = lease
        keepTasks(of: lease)
        owedFetch = lease.fetch == nil ? nil : lease.sequence
        if lease.shards.isEmpty {
            owesUnsubscribe = owesUnsubscribe || isSubscribed && shares.count > 1
            isSubscribed = false
            owedPulls.removeAll { $0 != Evaluation.bestVersion }
        } else {
            engine.reserve(leaves: max(lease.shards.count, auditedNodes.map { tree.shards(of: $0).count }.max() ?? 0))
            if before?.shards != lease.shards {
                gradients.trim(nodeCount: tree.maximalSubtrees(of: ShardSet(lease.shards)).count, openStep: lease.step)
            }
            stale.forget()
            if !isSubscribed, !run.isStale {
                isSubscribed = true
                owedPulls.append(lease.step)
            }
        }
        let hasOtherRows = before?.shards != lease.shards || before?.audits != lease.audits || (before?.fetch ?? []) != (lease.fetch ?? [])
        if hasOtherRows, !lease.shards.isEmpty || lease.fetch != nil {
            try planRows(step: planStep(of: lease))
            orders.epoch = .max
        }
        link.report(.leaseTaken(session: session, sequence: lease.sequence))
    }

    private var auditedNodes: [TreeNode] { (lease?.audits ?? []).map { TreeNode(number: $0) } }

    /// Wants the rows of what it computes, of what it is about to get, and of what it audits.
    func planRows(step: UInt64) throws {
        guard let lease else { return }
        try loader.plan(
            shards: lease.shards, fetch: lease.fetch ?? [], audits: auditedNodes.flatMap { Array(tree.shards(of: $0)) }, step: step)
    }

    func take(_ order: Evaluation) throws {
        var tasks: [ShardKey] = []
        guard order.shards.allSatisfy({ $0 >= 0 && $0 < run.shardCount }) else {
            throw WireError.malformed("an evaluation of shards \(order.shards)")
        }
        for part in order.parts {
            let plan = run.plan(of: part)
            tasks += order.shards.filter { plan.rows(ofShard: $0) > 0 }.map { ShardKey(part: part, shard: $0) }
        }
        if let current = evaluation, current.order.number == order.number {
            tasks = current.tasks + tasks.filter { !current.tasks.contains($0) }
        }
        evaluation = (order, tasks)
        if order.version == Evaluation.bestVersion, !pulledBest {
            pulledBest = true
            owedPulls.append(order.version)
        } else if run.isStale, order.version != Evaluation.bestVersion, !weights.isComplete(order.version) {
            owedPulls.append(order.version)
        }
    }

    /// Drops what is left of an evaluation that is over, and of shards whose rows are no longer kept: neither could ever be done.
    private func keepTasks(of lease: Lease) {
        guard let order = evaluation?.order else { return }
        if order.version < lease.until {
            evaluation = nil
        } else {
            evaluation?.tasks.removeAll { !lease.shards.contains($0.shard) }
        }
    }

    // MARK: Messages

    /// Takes in whatever has arrived and asks for more rows.
    func drain() throws {
        if owesUnsubscribe {
            for server in 1..<shares.count { try connection.send(DataHeader(kind: .unsubscribe), to: server) }
            owesUnsubscribe = false
        }
        while let version = owedPulls.first {
            // The best weights are at the coordinator as a whole.
            for server in 0..<(version == Evaluation.bestVersion ? 1 : shares.count) {
                try connection.send(DataHeader(kind: .pull, step: version), to: server)
            }
            owedPulls.removeFirst()
        }
        try connection.drain { header, body, server in
            switch header.kind {
            case .weights:
                let chunk = Int(header.chunk)
                guard chunk < chunks.count, server == 0 || shares.owned[server].contains(chunk),
                    body.count == chunks.range(chunk).count * run.wire.byteCount(isTail: chunks.isTail(chunk))
                else {
                    throw WireError.malformed("weights of chunk \(chunk) with \(body.count) bytes")
                }
                guard weights.accepts(header.step, sharedBlock: nil) else {
                    throw WireError.malformed("weights of version \(header.step), chunk \(chunk), which lies in a shared block elsewhere")
                }
                weights.store(version: header.step, chunk: chunk, body: body)
            case .sharedWeights:
                let (chunk, block) = (Int(header.chunk), Int(clamping: header.checksum))
                guard chunk < chunks.count, server == 0 || shares.owned[server].contains(chunk), shares.sharesMemory[server],
                    weights.canShare(block), weights.accepts(header.step, sharedBlock: block)
                else {
                    throw WireError.malformed("shared weights of chunk \(chunk) in block \(block)")
                }
                weights.share(version: header.step, chunk: chunk, block: block)
            case .rows:
                try loader.arrived(header.count, packet: body)
            case .reduced:
                try shares.noteReduced(Int(header.chunk), step: header.step, by: server)
            case .sameWeights where run.countsRounds:
                weights.renumber(to: header.step)
            case .round where run.countsRounds:
                let notice = try RoundNotice(decoding: body)
                openRound = GradientRound(number: header.step, planStep: notice.planStep, maskStep: notice.maskStep)
            case .clocks where run.isStale:
                stale.take(
                    try ClockNotice(decoding: body, shardCount: run.shardCount), version: header.step, answering: header.count)
            case .attach, .gradient, .sharedGradient, .pull, .rowsWanted, .figures, .sameWeights, .round, .clocks, .contribution,
                .unsubscribe, .audit, .state, .norms, .stateEnd, .stateWanted, .built, .commit, .release, .squares, .judged, .suspicious,
                .notFinite, .uncovered,
                .peerLost:
                throw WireError.malformed("a \(header.kind) message from the \(DataConnection.name(of: server))")
            }
        }
        try askForRows()
        if let sequence = owedFetch, loader.isIdle {
            owedFetch = nil
            link.report(.fetched(session: session, sequence: sequence))
        }
    }

    /// What outlives the session.
    var keptRows: KeptRows { KeptRows(loader: loader, files: files, run: runSHA256) }

    /// Takes some of the rows that are missing from the run's files: no more than would be under way at a time.
    private func readRows(from files: FileRows) throws {
        for _ in 0..<WireProtocol.rowRequestsUnderWay {
            guard let (number, request) = loader.nextRequest() else { return }
            try files.packet(for: request).withUnsafeBytes { try loader.arrived(number, packet: $0) }
        }
    }

    /// Sends the requests that may be under way; whoever adds to them calls it, since the loop then waits for what they bring.
    func askForRows() throws {
        if let files { return try readRows(from: files) }
        while let (number, request) = loader.nextRequest() {
            let body = Frame(byteCount: request.positions.count * 4) { bytes in
                request.positions.withUnsafeBytes { bytes.copyMemory(from: $0) }
            }
            try connection.send(
                DataHeader(
                    kind: .rowsWanted, node: request.key.part.rawValue, chunk: UInt32(request.key.shard), count: number,
                    step: request.key.deal), body: body)
        }
    }

    /// Does the next thing that can be done; false if there is nothing but to wait.
    func advance() throws -> Bool {
        try advanceWork() || files != nil && !loader.isIdle
    }

    private func advanceWork() throws -> Bool {
        if let (order, tasks) = evaluation, let task = tasks.first {
            guard weights.isComplete(order.version), try evaluate(task, order: order) else { return false }
            evaluation?.tasks.removeFirst()
            return true
        }
        guard let lease, !lease.shards.isEmpty else { return false }
        if run.isStale { return try advanceStale(lease) }
        guard let step = nextStep(lease), let round = round(step), let leaves = try presentLeaves(round, lease: lease) else { return false }
        try computeStep(round, leaves: leaves)
        return true
    }

    /// The step to compute next: the newest complete version's if something of it is left, else the one that is arriving.
    private func nextStep(_ lease: Lease) -> UInt64? {
        let newest = weights.newestComplete.flatMap { $0 == Evaluation.bestVersion ? nil : $0 }
        for step in [newest, weights.arriving].compactMap({ $0 }) where step >= lease.step && step < lease.until && step >= (newest ?? 0) {
            guard let round = round(step) else { continue }
            if lease.shards.contains(where: { trainPlan.isPresent(shard: $0, step: round.planStep) && !isDone($0, step: step) }) {
                return step
            }
        }
        return nil
    }

    /// The step of the plan whose rows a lease begins with, as far as is known.
    private func planStep(of lease: Lease) -> UInt64 {
        if run.isStale { return stale.due(lease.shards)?.clock ?? 0 }
        return run.countsRounds ? openRound?.planStep ?? 0 : lease.step
    }

    /// Which rows and masks a number of the wire stands for; nil for a round that is not open.
    private func round(_ step: UInt64) -> GradientRound? {
        guard run.countsRounds else { return GradientRound(number: step, planStep: step, maskStep: step) }
        return openRound.flatMap { $0.number == step ? $0 : nil }
    }

    func isDone(_ shard: Int, step: UInt64) -> Bool {
        done.step == step && done.shards.contains(shard)
    }

    func markDone(_ shards: some Sequence<Int>, step: UInt64) {
        if done.step != step { done = (step, ShardSet()) }
        for shard in shards { done.shards.insert(shard) }
    }
}
