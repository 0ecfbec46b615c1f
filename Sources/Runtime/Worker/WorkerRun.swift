internal import Datasets
internal import Exactness
internal import Foundation
internal import Kernels
internal import NeuralNet
internal import Wire
internal import ZeroMQ

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

    var lease: Lease?
    private var isSubscribed = false
    private var pulledBest = false
    /// Versions to ask for as soon as the connection takes it.
    private var owedPulls: [UInt64] = []
    /// How many chunks of a step's gradient the coordinator is done with before there are new weights; in order of travel.
    private(set) var reduced: (step: UInt64, count: Int) = (0, 0)
    /// What a closure rule has opened last.
    private var openRound: GradientRound?
    /// Shards whose contribution to a step has been sent whole.
    private var done: (step: UInt64, shards: ShardSet) = (0, ShardSet())
    private var orders: (epoch: UInt64, positions: [Int: [UInt32]]) = (.max, [:])
    private var evaluation: (order: Evaluation, tasks: [ShardKey])?
    private var labels: [Int32]
    private var identifiers: [UInt32]

    /// - Parameter loader: rows of an earlier session; they are kept if it was the same run.
    init(
        welcome: Welcome, endpoint: String, context: Context, link: ComputeLink, threads: Int, loader: RowLoader?, loaderRun: String?,
        security: ZeroMQ.Security, segments: (_ elementCount: Int) throws -> WorkerSegments?
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
        engine = LeafEngine(
            network: network, tree: tree, leafRows: run.leafRows, seed: run.seed, threads: threads, precision: run.precision)
        chunks = network.layout.chunks(byteCount: run.chunkByteCount)
        let segments = try segments(network.layout.blockLength)
        weights = WeightsMemory(chunks: chunks, shared: segments?.weights)
        gradients = segments?.pool ?? GradientPool(elementCount: network.layout.blockLength)
        labels = Array(repeating: 0, count: run.leafRows)
        identifiers = Array(repeating: 0, count: run.leafRows)
        if let loader, loaderRun == runSHA256 {
            self.loader = loader
        } else {
            self.loader = RowLoader(run: run)
        }
        var options = SocketOptions.data(largestBody: run.largestBodyToWorker(chunks), chunkCount: chunks.count)
        options.security = security
        options.linger = .milliseconds(500)  // a last contribution still gets out when the worker leaves
        connection = try DataConnection(context: context, endpoint: endpoint, options: options, welcome: welcome, link: link)
        try connection.send(DataHeader(kind: .attach))
    }

    // MARK: Orders

    func take(_ lease: Lease) throws {
        guard lease.sequence > (self.lease?.sequence ?? 0) else { return }
        guard lease.shards.allSatisfy({ $0 >= 0 && $0 < run.shardCount }) else {
            throw WireError.malformed("a lease of shards \(lease.shards)")
        }
        if done.step == lease.step {
            for shard in lease.recompute ?? [] where lease.shards.contains(shard) { done.shards.remove(shard) }
        }
        let before = self.lease?.shards ?? []
        self.lease = lease
        keepTasks(of: lease)
        if lease.shards.isEmpty {
            isSubscribed = false
            owedPulls.removeAll { $0 != Evaluation.bestVersion }
        } else {
            if before != lease.shards {
                engine.reserve(leaves: lease.shards.count)
                gradients.trim(nodeCount: tree.maximalSubtrees(of: ShardSet(lease.shards)).count, openStep: lease.step)
                try loader.plan(shards: lease.shards, step: run.countsRounds ? openRound?.planStep ?? 0 : lease.step)
                orders.epoch = .max
            }
            if !isSubscribed {
                isSubscribed = true
                owedPulls.append(lease.step)
            }
        }
        link.report(.leaseTaken(session: session, sequence: lease.sequence))
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
        while let version = owedPulls.first {
            try connection.send(DataHeader(kind: .pull, step: version))
            owedPulls.removeFirst()
        }
        try connection.drain { header, body in
            switch header.kind {
            case .weights:
                let chunk = Int(header.chunk)
                guard chunk < chunks.count, body.count == chunks.range(chunk).count * 4, let base = body.baseAddress else {
                    throw WireError.malformed("weights of chunk \(chunk) with \(body.count) bytes")
                }
                weights.store(version: header.step, chunk: chunk, body: FloatView(base: base, count: body.count / 4))
            case .sharedWeights:
                let (chunk, block) = (Int(header.chunk), Int(clamping: header.checksum))
                guard chunk < chunks.count, weights.canShare(block) else {
                    throw WireError.malformed("shared weights of chunk \(chunk) in block \(block)")
                }
                weights.share(version: header.step, chunk: chunk, block: block)
            case .rows:
                try loader.arrived(header.count, packet: body)
            case .reduced:
                guard Int(header.chunk) <= chunks.count else { throw WireError.malformed("\(header.chunk) reduced chunks") }
                reduced = (header.step, Int(header.chunk))
            case .sameWeights where run.countsRounds:
                weights.renumber(to: header.step)
            case .round where run.countsRounds:
                let notice = try RoundNotice(decoding: body)
                openRound = GradientRound(number: header.step, planStep: notice.planStep, maskStep: notice.maskStep)
            case .attach, .gradient, .sharedGradient, .pull, .rowsWanted, .figures, .sameWeights, .round:
                throw WireError.malformed("a \(header.kind) message from the coordinator")
            }
        }
        try askForRows()
    }

    /// Sends the requests that may be under way; whoever adds to them calls it, since the loop then waits for what they bring.
    private func askForRows() throws {
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
        if let (order, tasks) = evaluation, let task = tasks.first {
            guard weights.isComplete(order.version), try evaluate(task, order: order) else { return false }
            evaluation?.tasks.removeFirst()
            return true
        }
        guard let lease, !lease.shards.isEmpty else { return false }
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

    /// Which rows and masks a number of the wire stands for; nil for a round that is not open.
    private func round(_ step: UInt64) -> GradientRound? {
        guard run.countsRounds else { return GradientRound(number: step, planStep: step, maskStep: step) }
        return openRound.flatMap { $0.number == step ? $0 : nil }
    }

    private func isDone(_ shard: Int, step: UInt64) -> Bool {
        done.step == step && done.shards.contains(shard)
    }

    func markDone(_ shards: some Sequence<Int>, step: UInt64) {
        if done.step != step { done = (step, ShardSet()) }
        for shard in shards { done.shards.insert(shard) }
    }

    // MARK: Rows

    /// The leaves of `round` that are due, in shard order; nil while rows are missing.
    private func presentLeaves(_ round: GradientRound, lease: Lease) throws -> [Int]? {
        let step = round.planStep
        let epoch = trainPlan.epoch(ofStep: step)
        let deal = run.deal(ofStep: step)
        if orders.epoch != epoch {
            if loader.deal != deal {
                try loader.plan(shards: lease.shards, step: step)
                try askForRows()
            }
            orders = (epoch, [:])
            for shard in lease.shards {
                orders.positions[shard] = EpochOrder.positions(
                    rowCount: trainPlan.rows(ofShard: shard), seed: run.seed, epoch: epoch, shard: shard)
            }
        }
        var due: [Int] = []
        for shard in lease.shards.sorted() where !isDone(shard, step: round.number) {
            let range = trainPlan.positions(step: step, shard: shard)
            if !range.isEmpty, let order = orders.positions[shard] {
                guard try loader.holds(ShardKey(part: .train, shard: shard, deal: deal), order[range]) else { return nil }
            }
            due.append(shard)
        }
        return due
    }

    /// Fills a slot with the rows of a leaf of a step of the plan and returns how many there are.
    func fillLeaf(slot: Int, shard: Int, step: UInt64) throws -> Int {
        let range = trainPlan.positions(step: step, shard: shard)
        guard !range.isEmpty, let order = orders.positions[shard] else { return 0 }
        let key = ShardKey(part: .train, shard: shard, deal: run.deal(ofStep: step))
        try fill(slot: slot, from: loader.store(key), positions: order[range], isTraining: true)
        return range.count
    }

    /// Whether the first `count` rows of a shard are here.
    func holdsRows(_ key: ShardKey, _ count: Int) throws -> Bool {
        let positions = (0..<UInt32(count)).map { $0 }
        let stored = ShardKey(part: key.part.storedAs, shard: key.shard)
        if try loader.holds(stored, positions[...]) { return true }
        try loader.request(stored, positions[...])
        try askForRows()
        return false
    }

    /// Fills a slot with a block of a long pass; false while rows are missing.
    func fillBlock(slot: Int, key: ShardKey, rows: Range<Int>) throws -> Bool {
        let positions = (UInt32(rows.lowerBound)..<UInt32(rows.upperBound)).map { $0 }
        let stored = ShardKey(part: key.part.storedAs, shard: key.shard)
        guard try loader.holds(stored, positions[...]) else { return false }
        try fill(slot: slot, from: loader.store(stored), positions: positions[...], isTraining: false)
        return true
    }

    private func fill(slot: Int, from store: ShardStore, positions: ArraySlice<UInt32>, isTraining: Bool) throws {
        let rows = positions.count
        let inputs = engine.inputs(slot: slot, rows: rows)
        store.fill(positions, into: UnsafeMutableBufferPointer(start: inputs.base, count: inputs.count))
        switch (network.loss, run.rowFormat.targetType) {
        case (.softmaxCrossEntropy, _):
            labels.withUnsafeMutableBufferPointer { store.fillClasses(positions, into: UnsafeMutableBufferPointer(rebasing: $0[..<rows])) }
            engine.setLabels(slot: slot, rows: rows) { [labels] in labels[$0] }
        case (_, .classes):
            labels.withUnsafeMutableBufferPointer { store.fillClasses(positions, into: UnsafeMutableBufferPointer(rebasing: $0[..<rows])) }
            let targets = engine.targets(slot: slot, rows: rows)
            for row in 0..<rows { targets[row] = Float(labels[row]) }
        case (_, .values):
            let targets = engine.targets(slot: slot, rows: rows)
            store.fillValues(positions, into: UnsafeMutableBufferPointer(start: targets.base, count: targets.count))
        }
        guard isTraining else { return }
        identifiers.withUnsafeMutableBufferPointer {
            store.fillSampleIDs(positions, into: UnsafeMutableBufferPointer(rebasing: $0[..<rows]))
        }
        engine.setSampleIDs(slot: slot, rows: rows) { [identifiers] in identifiers[$0] }
    }
}
