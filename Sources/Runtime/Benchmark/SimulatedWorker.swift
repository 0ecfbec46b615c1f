internal import Exactness
internal import Foundation
internal import Hashing
internal import NeuralNet
internal import OperatingSystem
internal import Training
internal import Wire
internal import ZeroMQ

/// A worker that computes nothing and keeps no weights: its session, its sockets and the sizes of its messages are those of a real one.
final class SimulatedWorker {
    /// What workers of one run have in common.
    final class Setting {
        let context: Context
        let endpoint: String
        fileprivate var message = Message(maximumParts: 2)
        fileprivate var run: (bytes: [UInt8], description: RunDescription, plan: StepPlan, chunks: ChunkMap)?
        /// By chunk.
        fileprivate var bodies: [Body] = []

        init(context: Context, endpoint: String) {
            self.context = context
            self.endpoint = endpoint
        }

        fileprivate func learn(_ welcome: Welcome) throws {
            guard run?.bytes != welcome.run else { return }
            let description = try JSONDecoder().decode(RunDescription.self, from: Data(welcome.run))
            let chunks = try Network(description.model).layout.chunks(byteCount: description.chunkByteCount)
            run = (welcome.run, description, description.plan(of: .train), chunks)
            bodies = (0..<chunks.count).map { Body(floats: chunks.range($0).count) }
        }
    }

    /// A gradient that all workers send: libzmq counts who still uses it.
    fileprivate final class Body {
        var frame: Frame
        let checksum: UInt64
        let byteCount: Int

        init(floats: Int) {
            byteCount = floats * 4
            frame = Frame(byteCount: floats * 4) { bytes in
                for index in 0..<floats {
                    bytes.storeBytes(of: (Float(index % 17 - 8) * 1e-3).bitPattern.littleEndian, toByteOffset: index * 4, as: UInt32.self)
                }
            }
            checksum = frame.withBytes { Hashing.checksum($0) }
        }
    }

    private let setting: Setting
    private let name: String
    private let instance = UInt64.random(in: .min ... .max)
    private var session = WorkerSession(patience: .seconds(120))
    private var control: Socket?
    private var owesHello = false
    private var data: Socket?
    private var welcome: Welcome?
    private var weights: WeightsMemory?
    private var lease: Lease?
    private var nodes: [TreeNode] = []
    private var isSubscribed = false
    /// Not sent yet, while the connection comes about.
    private var owesAttachment = false
    private var owedPull: UInt64?
    /// The step whose gradient is being sent, and how many of its messages have been.
    private var sending: (step: UInt64, sent: Int)?
    private(set) var isOver = false
    /// Whether it has been let in far enough to wait for a lease.
    private(set) var isReady = false

    init(_ setting: Setting, name: String) {
        self.setting = setting
        self.name = name
    }

    func start() throws { try perform(session.handle(.start, now: .zero)) }

    /// The control socket and the clock's share; to be called now and then.
    func tick(now: Duration) throws {
        while !isOver, try control?.receive(into: &setting.message) == .received {
            let message = try ControlCodec.decode(CoordinatorMessage.self, from: setting.message.bytes(at: 0))
            try perform(session.handle(.message(message), now: now))
        }
        if owesHello { try sayHello() }
        try perform(session.handle(.tick(step: sending?.step ?? 0), now: now))
    }

    private func perform(_ effects: [WorkerSession.Effect]) throws {
        for effect in effects {
            switch effect {
            case .connect:
                // A busy machine answers hellos late: a new socket each time would only add to what it has to do.
                guard control == nil else { break }
                let socket = try Socket(.dealer, in: setting.context, options: .control)
                try socket.connect(setting.endpoint)
                control = consume socket
            case .sayHello: try sayHello()
            case .send(let message): try say(message)
            case .build(let welcome): try build(welcome)
            case .lease(let lease): try take(lease)
            case .pause: data = nil
            case .exit, .retire: isOver = true
            case .evaluate, .notice: break
            }
        }
    }

    @discardableResult
    private func say(_ message: WorkerMessage) throws -> Bool {
        try ControlCodec.encode(message).withUnsafeBytes { try control?.send(copying: $0) } == .sent
    }

    private func sayHello() throws {
        owesHello = try !say(
            .hello(
                Hello(
                    protocolVersion: WireProtocol.version, numericsVersion: numericsVersion, name: name,
                    processID: Machine.processIdentifier, host: Machine.hostName, instance: instance)))
    }

    private func build(_ welcome: Welcome) throws {
        try setting.learn(welcome)
        guard let run = setting.run else { return }
        self.welcome = welcome
        let socket = try Socket(
            .dealer, in: setting.context,
            options: .data(largestBody: run.description.largestBodyToWorker(run.chunks), chunkCount: run.chunks.count))
        try socket.connect(Endpoints.data(control: setting.endpoint, port: welcome.dataPort))
        data = consume socket
        weights = WeightsMemory(chunks: run.chunks)
        (lease, nodes, isSubscribed, owedPull, sending) = (nil, [], false, nil, nil)
        owesAttachment = true
    }

    /// What waited for the connection.
    private func sendOwed() throws {
        if owesAttachment, let welcome, try send(DataHeader(kind: .attach)) {
            owesAttachment = false
            isReady = true
            try perform(session.handle(.built(session: welcome.session, leafClass: "simulated"), now: .zero))
        }
        if let version = owedPull, try send(DataHeader(kind: .pull, step: version)) { owedPull = nil }
    }

    private func take(_ lease: Lease) throws {
        guard let run = setting.run, lease.sequence > (self.lease?.sequence ?? 0) else { return }
        self.lease = lease
        nodes = run.description.tree.maximalSubtrees(of: ShardSet(lease.shards))
        if lease.shards.isEmpty {
            isSubscribed = false
        } else if !isSubscribed {
            isSubscribed = true
            owedPull = lease.step
        }
        if let welcome {
            try perform(session.handle(.leaseTaken(session: welcome.session, sequence: lease.sequence), now: .zero))
        }
    }

    // MARK: Data

    /// Takes what has arrived and sends what is due; whether there was anything.
    func turn() throws -> Bool {
        guard let weights, data != nil else { return false }
        try sendOwed()
        var wasBusy = false
        while try data?.receive(into: &setting.message) == .received {
            wasBusy = true
            let header = try DataHeader(decoding: setting.message.bytes(at: 0))
            if header.kind == .weights { weights.share(version: header.step, chunk: Int(header.chunk), block: 0) }
        }
        return try sendGradient(weights) || wasBusy
    }

    private func sendGradient(_ weights: WeightsMemory) throws -> Bool {
        guard let lease, let run = setting.run, !nodes.isEmpty, let step = weights.newestComplete, step >= lease.step, step < lease.until
        else { return false }
        var (current, sent) = sending ?? (step, 0)
        if current != step { (current, sent) = (step, 0) }
        let before = sent
        defer { sending = (current, sent) }
        let open = min(run.chunks.count, weights.contiguousChunks(of: step + 1, owned: 0..<run.chunks.count) + WireProtocol.chunkWindow)
        while sent < open * nodes.count {
            let chunk = run.chunks.count - 1 - sent / nodes.count, node = nodes[sent % nodes.count]
            let samples = run.description.tree.shards(of: node).reduce(0) { $0 + run.plan.positions(step: step, shard: $1).count }
            let header = DataHeader(
                kind: .gradient, node: node.number, chunk: UInt32(chunk), count: UInt32(samples), step: step,
                loss: chunk == 0 ? Double(samples) : 0)
            guard try samples == 0 || send(header, body: setting.bodies[chunk]) else { break }
            sent += 1
        }
        return sent > before
    }

    private func send(_ header: DataHeader, body: Body? = nil) throws -> Bool {
        guard let welcome else { return false }
        var header = header
        header.session = welcome.session
        header.incarnation = welcome.incarnation
        var frame: Frame?
        if let body {
            header.bodyByteCount = UInt64(body.byteCount)
            if welcome.dataPort != nil { header.checksum = body.checksum }
            frame = Frame(sharing: &body.frame)
        }
        return try withUnsafeTemporaryAllocation(byteCount: DataHeader.byteCount, alignment: 8) { buffer in
            header.encode(into: buffer)
            return try data?.send(header: UnsafeRawBufferPointer(buffer), body: &frame) == .sent
        }
    }
}
