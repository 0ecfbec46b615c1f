internal import Exactness
internal import Kernels
internal import NeuralNet
internal import Wire
internal import ZeroMQ

/// A long pass in inference mode: sums and counts of every block of a shard.
extension WorkerRun {
    /// Evaluates one shard of one part and sends its figures; false while rows are missing.
    func evaluate(_ key: ShardKey, order: Evaluation) throws -> Bool {
        guard let view = weights.weights(order.version) else { return false }
        let plan = run.plan(of: key.part)
        let blocks = plan.blockCount(ofShard: key.shard)
        // All or nothing: otherwise every packet of rows that arrives would have the blocks before it evaluated again.
        guard try holdsRows(key, plan.rows(ofShard: key.shard)) else { return false }
        if engine.slotCount == 0 { engine.reserve(leaves: 1) }
        var figures: [Wire.BlockFigures] = []
        var confusion: [UInt64: UInt32]? = network.confusionClasses(of: key.part) == nil ? nil : [:]
        while figures.count < blocks {
            let first = figures.count
            let count = min(engine.slotCount, blocks - first)
            var slots: [LeafSlot] = []
            for slot in 0..<count {
                let rows = plan.block(first + slot, ofShard: key.shard)
                guard try fillBlock(slot: slot, key: key, rows: rows) else { return false }
                slots.append(LeafSlot(shard: key.shard, slot: slot, rows: rows.count))
            }
            figures += engine.evaluate(slots, weights: view).map {
                Wire.BlockFigures(
                    rows: UInt32($0.rows), correct: UInt32($0.correct), topFive: UInt32($0.topFive), loss: $0.lossSum,
                    squaredError: $0.squaredError)
            }
            if confusion != nil {
                for slot in slots {
                    for row in 0..<slot.rows {
                        let truth = engine.trueClass(slot: slot.slot, row: row), found = engine.foundClass(slot: slot.slot, row: row)
                        confusion?[UInt64(truth) << 32 | UInt64(found), default: 0] += 1
                    }
                }
            }
            try drain()
            if link.hasCommand { throw Interruption.command }
        }
        let pairs = (confusion ?? [:]).sorted { $0.key < $1.key }
        let all = ShardFigures(
            blocks: figures,
            confusion: pairs.map {
                ConfusionCount(truth: UInt32($0.key >> 32), found: UInt32(truncatingIfNeeded: $0.key), count: $0.value)
            })
        let body = Frame(byteCount: all.byteCount) { all.encode(into: $0) }
        try connection.send(
            DataHeader(kind: .figures, node: key.part.rawValue, chunk: UInt32(key.shard), count: UInt32(figures.count), step: order.number),
            body: body)
        return true
    }
}

extension Network {
    /// The classes for which it is counted which was taken for which, in that part of the data; nil: it is not counted.
    func confusionClasses(of part: PartID) -> Int? {
        switch part {
        case .train, .sample: nil
        case .validation, .test: classCount.flatMap { $0 <= WireProtocol.maximumConfusionClasses ? $0 : nil }
        }
    }
}
