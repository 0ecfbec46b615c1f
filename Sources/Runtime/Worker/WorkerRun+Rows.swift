internal import Datasets
internal import Exactness
internal import Kernels
internal import NeuralNet
internal import Wire

/// The rows that a worker computes with: which of them are here, and into the engine's slots.
extension WorkerRun {
    /// The leaves of `round` that are due, in shard order; nil while rows are missing.
    func presentLeaves(_ round: GradientRound, lease: Lease) throws -> [Int]? {
        var due: [Int] = []
        for shard in lease.shards.sorted() where !isDone(shard, step: round.number) {
            guard try hasRows(of: [shard], step: round.planStep, lease: lease) else { return nil }
            due.append(shard)
        }
        return due
    }

    /// Whether the rows that some of the lease's shards take in a step of the plan are here.
    func hasRows(of shards: [Int], step: UInt64, lease: Lease) throws -> Bool {
        let epoch = trainPlan.epoch(ofStep: step)
        let deal = run.deal(ofStep: step)
        if orders.epoch != epoch {
            if loader.deal != deal {
                try planRows(step: step)
                try askForRows()
            }
            orders = (epoch, [:])
        }
        for shard in shards {
            guard try holdsLeaf(shard: shard, step: step) else { return false }
        }
        return true
    }

    /// Whether the rows of a leaf are here, as they are for one that is absent.
    func holdsLeaf(shard: Int, step: UInt64) throws -> Bool {
        let range = trainPlan.positions(step: step, shard: shard)
        guard !range.isEmpty else { return true }
        return try loader.holds(ShardKey(part: .train, shard: shard, deal: run.deal(ofStep: step)), order(ofShard: shard)[range])
    }

    /// The shard's rows in the order of the epoch under way.
    private func order(ofShard shard: Int) -> [UInt32] {
        if let order = orders.positions[shard] { return order }
        let order = EpochOrder.positions(rowCount: trainPlan.rows(ofShard: shard), seed: run.seed, epoch: orders.epoch, shard: shard)
        orders.positions[shard] = order
        return order
    }

    /// Fills a slot with the rows of a leaf of a step of the plan and returns how many there are.
    func fillLeaf(slot: Int, shard: Int, step: UInt64) throws -> Int {
        let range = trainPlan.positions(step: step, shard: shard)
        guard !range.isEmpty else { return 0 }
        let key = ShardKey(part: .train, shard: shard, deal: run.deal(ofStep: step))
        try fill(slot: slot, from: loader.store(key), positions: order(ofShard: shard)[range], isTraining: true)
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
