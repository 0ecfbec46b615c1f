internal import Exactness
internal import Kernels
internal import NeuralNet
internal import Wire
internal import ZeroMQ

/// What a worker of mode ssp or async knows of the clocks, and what it waits for.
struct StaleWork {
    /// What the coordinator has said last; nil: it has to be asked.
    var notice: ClockNotice?
    /// The request for weights and clocks that is under way.
    var awaited: UInt32?
    /// The version that the last answer brought, until something has been computed with it.
    var fresh: UInt64?
    private var requests: UInt32 = 0
    /// Counts contributions.
    private(set) var serial: UInt64 = 0

    mutating func nextRequest() -> UInt32 {
        requests = requests == .max ? 1 : requests + 1
        return requests
    }

    mutating func nextSerial() -> UInt64 {
        serial += 1
        return serial
    }

    /// Another lease or another barrier: what is known of the clocks is not enough.
    mutating func forget() {
        (notice, fresh) = (nil, nil)
    }

    mutating func take(_ notice: ClockNotice, version: UInt64, answering request: UInt32) {
        self.notice = notice
        guard request == awaited, request != 0 else { return }
        (awaited, fresh) = (nil, version)
    }

    /// The lowest clock of some shards and those that have it; nil where they have to wait.
    func due(_ shards: [Int]) -> (clock: UInt64, shards: [Int])? {
        guard let notice, let clock = shards.map({ notice.clocks[$0] }).min(), clock < notice.limit else { return nil }
        return (clock, shards.filter { notice.clocks[$0] == clock }.sorted())
    }

    /// What is sent counts as done until the coordinator says otherwise.
    mutating func noteSent(_ shards: [Int]) {
        fresh = nil
        for shard in shards { notice?.clocks[shard] += 1 }
    }
}

/// Modes ssp and async: the worker asks for weights, computes one step of its shards that are furthest behind, and sends the sum.
///
/// Weights and clocks come together in the answer to a request that was sent behind the last contribution, so an answer has seen it; and
/// whoever had to wait for others asks again, so that it has the weights that it waited for.
extension WorkerRun {
    func advanceStale(_ lease: Lease) throws -> Bool {
        guard stale.awaited == nil else { return false }
        guard stale.notice != nil else { return try askForWeights() }
        guard let (clock, shards) = stale.due(lease.shards), try hasRows(of: shards, step: clock, lease: lease) else { return false }
        guard let version = stale.fresh, weights.isComplete(version), let view = weights.weights(version) else {
            return try askForWeights()
        }
        try compute(shards, clock: clock, version: version, weights: view)
        return true
    }

    /// There is nothing to do until the answer comes.
    private func askForWeights() throws -> Bool {
        let request = stale.nextRequest()
        try connection.send(DataHeader(kind: .pull, count: request))
        // Only now: what interrupts the sending leaves nothing to wait for.
        stale.awaited = request
        return false
    }

    private func compute(_ shards: [Int], clock: UInt64, version: UInt64, weights view: FloatView) throws {
        link.currentStep = clock
        let block = try takeBlock(serial: stale.nextSerial())
        var slots: [LeafSlot] = []
        for shard in shards {
            let rows = try fillLeaf(slot: slots.count, shard: shard, step: clock)
            if rows > 0 { slots.append(LeafSlot(shard: shard, slot: slots.count, rows: rows)) }
        }
        guard !slots.isEmpty else { return stale.forget() }
        let samples = UInt32(slots.reduce(0) { $0 + $1.rows })
        let notice = ContributionNotice(clock: clock, shards: slots.map(\.shard))
        try connection.send(
            DataHeader(kind: .contribution, step: version), body: Frame(byteCount: notice.byteCount) { notice.encode(into: $0) })
        var nextPosition = 0
        func send(finalFrom: Int, loss: Double?) throws {
            while nextPosition < chunks.count {
                let chunk = chunks.count - 1 - nextPosition
                let range = chunks.range(chunk)
                guard range.lowerBound >= finalFrom, chunk > 0 || loss != nil else { return }
                try connection.send(
                    DataHeader(
                        kind: .gradient, node: tree.root.number, chunk: UInt32(chunk), count: samples, step: version, loss: loss ?? 0),
                    body: block.body(range))
                nextPosition += 1
            }
        }
        let work = NodeWork(node: tree.root, gradient: block.floats.mutableView, slots: slots)
        let figures = try engine.computeGradients(
            step: clock, nodes: [work], weights: view, parametersNeeded: { _ in },
            gradientFinished: { _, from in try send(finalFrom: from, loss: nil) })
        try send(finalFrom: 0, loss: figures[0].lossSum)
        stale.noteSent(shards)
    }

    /// Bodies that libzmq still holds come back when the peer reads on; until then there is nothing to write into.
    private func takeBlock(serial: UInt64) throws -> GradientBlock {
        while true {
            if let block = gradients.take(step: serial, nodeCount: 1) { return block }
            if link.hasCommand { throw Interruption.command }
            try connection.wait(timeout: .milliseconds(1))
            try drain()
        }
    }
}
