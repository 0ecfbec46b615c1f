internal import Exactness
internal import Hashing
internal import Kernels
internal import ParameterServer
internal import Wire
internal import ZeroMQ

/// The coordinator's side of one of the other parameter servers: its control session, and the data connection to it.
final class ServerLink {
    /// The chunks are given by the place among the servers: 1 and up.
    let index: Int
    let name: String
    let session: UInt64
    let token: UInt64
    let control: Address
    let processID: Int32
    let isLocal: Bool
    let publicKey: String?
    let owned: Range<Int>
    /// Where it listens; empty until it does.
    private(set) var endpoints: [String] = []
    var lastHeard: Duration
    /// The descriptor of its control connection where that is watched.
    var descriptor: Int32?

    private var socket: ServerSocket?
    private var usesChecksums = false
    private let incarnation: UInt32
    /// What is still to be sent of the state that it begins with, an item at a time.
    private var upload: [Upload] = []
    private var uploaded = 0
    private(set) var isReady = false
    /// What it has come to.
    var built: UInt64
    /// With a rule that searches: the round that it has reduced last, and the chunks whose sums over the pass have come.
    var reducedRound: UInt64?
    var summed: Set<Int> = []
    var squares: (step: UInt64, isFinite: Bool, values: [Double])?
    var uncovered: (step: UInt64, shards: ShardSet)?
    /// Whether all that was asked for has come.
    var hasSentState = true

    /// A message of the state: a chunk of a block, norms, the end.
    private struct Upload {
        var header: DataHeader
        var block: FloatBlock?
        var norms: [Double] = []
    }

    /// What a server begins with.
    struct State {
        var version: UInt64
        /// Weights, then the slots.
        var blocks: [FloatBlock]
        /// The shared block that the weights can be read in; nil: they travel.
        var sharedIndex: Int?
        /// Of the chunks that are its own; nil: they are not known.
        var norms: [Double]?
    }

    struct Identity {
        var index: Int
        var hello: ServerHello
        var control: Address
        var isLocal: Bool
        var owned: Range<Int>
    }

    init(_ identity: Identity, incarnation: UInt32, version: UInt64, now: Duration) {
        index = identity.index
        name = identity.hello.name
        publicKey = identity.hello.publicKey
        processID = identity.hello.processID
        control = identity.control
        isLocal = identity.isLocal
        owned = identity.owned
        session = UInt64.random(in: 1...UInt64.max)
        token = UInt64.random(in: 1...UInt64.max)
        self.incarnation = incarnation
        built = version
        lastHeard = now
    }

    /// The endpoint for somebody on this host, or elsewhere; nil if there is none.
    func endpoint(isLocal wantsLocal: Bool) -> String? {
        if wantsLocal, isLocal, let local = endpoints.first(where: { $0.hasPrefix("ipc:") }) { return local }
        return endpoints.first { $0.hasPrefix("tcp:") } ?? (wantsLocal ? endpoints.first : nil)
    }

    /// Connects; the state is sent as soon as the connection is there.
    func connect(
        to endpoints: [String], context: Context, chunks: ChunkMap, security: (_ serverKey: CurvePublicKey) -> ZeroMQ.Security,
        state: State
    ) throws {
        self.endpoints = endpoints
        guard let endpoint = endpoint(isLocal: true) else { throw WireError.malformed("a parameter server that listens nowhere") }
        var options = SocketOptions.data(largestBody: chunks.largestByteCount, chunkCount: 2 * chunks.count)
        if endpoint.hasPrefix("tcp://"), let key = publicKey.flatMap({ CurvePublicKey(z85: $0) }) { options.security = security(key) }
        usesChecksums = endpoint.hasPrefix("tcp:")
        prepareUpload(state, chunks: chunks)
        socket = try ServerSocket(context: context, options: options, endpoint: endpoint)
    }

    private func prepareUpload(_ state: State, chunks: ChunkMap) {
        upload = [Upload(header: DataHeader(kind: .attach, session: token))]
        if let index = state.sharedIndex {
            for chunk in owned {
                upload.append(
                    Upload(
                        header: DataHeader(kind: .sharedWeights, chunk: UInt32(chunk), step: state.version, checksum: UInt64(index))))
            }
        }
        for (number, block) in state.blocks.enumerated() where number > 0 || state.sharedIndex == nil {
            for chunk in owned where number == 0 || !chunks.isTail(chunk) {
                let header = DataHeader(kind: .state, node: UInt32(number), chunk: UInt32(chunk), step: state.version)
                upload.append(Upload(header: header, block: block))
            }
        }
        if let norms = state.norms { upload.append(Upload(header: DataHeader(kind: .norms, step: state.version), norms: norms)) }
        upload.append(Upload(header: DataHeader(kind: .stateEnd, step: state.version)))
    }

    /// Sends what the connection takes of the state; nothing once it is all sent.
    func goOnUploading(chunks: ChunkMap, lenders: LenderTable) throws {
        while uploaded < upload.count {
            let item = upload[uploaded]
            var body: Frame?
            if let block = item.block {
                body = Frame(lending: block.view[chunks.range(Int(item.header.chunk))].bytes, from: lenders.lender(of: block))
            } else if !item.norms.isEmpty {
                body = Frame(byteCount: 8 * item.norms.count) { DoubleList.encode(item.norms, into: $0) }
            }
            guard try send(item.header, body: body) else { return }
            uploaded += 1
        }
        upload = []
        uploaded = 0
    }

    var isUploading: Bool { !upload.isEmpty }

    func add(to poller: inout Poller) {
        socket?.add(to: &poller, wantsToWrite: isUploading)
    }

    /// False if the connection does not take it.
    func send(_ header: DataHeader, body: consuming Frame? = nil) throws -> Bool {
        guard let socket else { return false }
        var header = header
        header.incarnation = incarnation
        var frame: Frame? = body
        if frame != nil {
            header.bodyByteCount = UInt64(frame?.byteCount ?? 0)
            if usesChecksums { header.checksum = frame?.withBytes { checksum($0) } ?? 0 }
        }
        return try socket.send(header, body: &frame)
    }

    /// Hands every message that is here to `take`; never waits.
    func drain(_ take: (DataHeader, UnsafeRawBufferPointer) throws -> Void) throws {
        try socket?.drain { header, body in
            guard header.incarnation == incarnation else { return }
            if usesChecksums, body.count > 0, header.checksum != checksum(body) { throw WireError.checksum }
            if header.kind == .stateEnd { isReady = true }
            try take(header, body)
        }
    }

    func wait(timeout: Duration) throws {
        try socket?.wait(timeout: timeout)
    }
}

/// The socket of a link.
final class ServerSocket {
    private let socket: Socket
    private var message = Message(maximumParts: 2)
    private var poller = Poller()

    init(context: Context, options: SocketOptions, endpoint: String) throws(ZMQError) {
        socket = try Socket(.dealer, in: context, options: options)
        _ = poller.add(socket)
        try socket.connect(endpoint)
    }

    func add(to poller: inout Poller, wantsToWrite: Bool) {
        _ = poller.add(socket, wantsToWrite ? [.readable, .writable] : .readable)
    }

    func send(_ header: DataHeader, body: inout Frame?) throws -> Bool {
        let delivery = try withUnsafeTemporaryAllocation(byteCount: DataHeader.byteCount, alignment: 8) { buffer in
            header.encode(into: buffer)
            return try socket.send(header: UnsafeRawBufferPointer(buffer), body: &body)
        }
        return delivery == .sent
    }

    func drain(_ take: (DataHeader, UnsafeRawBufferPointer) throws -> Void) throws {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        while true {
            switch try socket.receive(into: &message) {
            case .nothing: return
            case .tooManyParts(let count): throw WireError.malformed("a data message of \(count) parts from a parameter server")
            case .received:
                let header = try DataHeader(decoding: message.bytes(at: 0))
                let body = message.count > 1 ? message.bytes(at: 1) : none
                guard header.bodyByteCount == UInt64(body.count) else {
                    throw WireError.bodyLength(body.count, expected: Int(clamping: header.bodyByteCount))
                }
                try take(header, body)
            }
        }
    }

    func wait(timeout: Duration) throws {
        try poller.wait(timeout: timeout)
    }
}
