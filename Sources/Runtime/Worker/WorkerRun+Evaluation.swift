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
        var confusion = network.confusionClasses(of: key.part).map { _ in ConfusionTally() }
        var units: [UnitCounts] = []
        while figures.count < blocks {
            let first = figures.count
            let count = min(engine.slotCount, blocks - first)
            var slots: [LeafSlot] = []
            for slot in 0..<count {
                let rows = plan.block(first + slot, ofShard: key.shard)
                guard try fillBlock(slot: slot, key: key, rows: rows) else { return false }
                slots.append(LeafSlot(shard: key.shard, slot: slot, rows: rows.count))
            }
            figures += engine.evaluate(slots, weights: view).map { Wire.BlockFigures($0) }
            confusion?.count(slots, in: engine)
            if key.part == .sample { engine.addUnits(of: slots, to: &units) }
            try drain()
            if link.hasCommand { throw Interruption.command }
        }
        let all = ShardFigures(blocks: figures, confusion: confusion?.pairs ?? [])
        let marks = UnitFigures.encode(units.map(UnitFigures.init))
        let body = Frame(byteCount: all.byteCount + marks.count) {
            all.encode(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<all.byteCount]))
            UnsafeMutableRawBufferPointer(rebasing: $0[all.byteCount...]).copyBytes(from: marks)
        }
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

extension UnitFigures {
    fileprivate init(_ counts: UnitCounts) {
        switch counts {
        case .alive(let marks): self = .alive(marks)
        case .outside(let count): self = .outside(UInt64(count))
        case .wins(let wins): self = .wins(wins.map(UInt64.init))
        }
    }
}
