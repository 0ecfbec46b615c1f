internal import Foundation
internal import Hashing
internal import OperatingSystem
internal import Wire
internal import ZeroMQ

/// What messages cost here: two threads that talk over a pair of real sockets, as two processes do.
struct MessageProbe {
    /// Seconds, as in `Costs`.
    var perMessage: Double
    var perByte: Double
    var wakeUp: Double
    var perWakeUp: Double

    private static let largeByteCount = 1 << 20
    private static let burst = 1_000
    /// Larger than the caches that are a core's own.
    private static let mostColdness = 8 << 20

    /// - Parameters:
    ///   - isNetwork: over the loopback address, with checksums; else over ipc.
    ///   - footprint: bytes that both sides go through between two messages, as in a step: caches are then filled with something else.
    init(isNetwork: Bool, footprint: Int) throws {
        let folder = try TemporaryFolder(prefix: "dnn-probe-")
        // As in two processes: every end has a thread of its own that serves its sockets.
        let context = try Context(), other = try Context()
        var options = SocketOptions.data(largestBody: Self.largeByteCount, chunkCount: Self.burst)
        options.linger = .zero
        let client = try Socket(.dealer, in: context, options: options)
        let endpoint = try client.bind(isNetwork ? "tcp://127.0.0.1:*" : "ipc://" + folder.appending("probe"))
        let coldness = min(footprint, Self.mostColdness)
        let echo = try WorkerThread.start(name: "echo") { [options] in
            // A socket that fails shows as an answer that does not come.
            try? Self.answer(other, endpoint: endpoint, options: options, sums: isNetwork, coldness: coldness)
        }
        defer { echo.join() }
        let header = [UInt8](repeating: 1, count: DataHeader.byteCount), end = [UInt8]()
        var memory = Coldness(byteCount: coldness)
        var message = Message(maximumParts: 2)
        func receive() throws {
            guard try client.receive(into: &message, dontWait: false) == .received else {
                throw ZMQError(code: .init(rawValue: EAGAIN), call: "zmq_msg_recv", subject: "the echo of a probe")
            }
            if isNetwork, message.count > 1 { _ = checksum(message.bytes(at: 1)) }
        }
        func send(_ bytes: [UInt8], large: inout Frame?) throws {
            if isNetwork { _ = large?.withBytes { checksum($0) } }
            _ = try bytes.withUnsafeBytes { try client.send(header: $0, body: &large, dontWait: false) }
        }
        /// How long a round trip takes, and how long cores are busy with it, in seconds.
        func roundTrips(_ count: Int, large: Bool = false, cold: Bool = false) throws -> (wall: Double, processor: Double) {
            var body = Frame(byteCount: large ? Self.largeByteCount : 0) { bytes in
                for index in bytes.indices { bytes[index] = 7 }
            }
            var times: [Double] = []
            let before = Machine.processorTime
            for _ in 0..<count {
                if cold { memory.goThrough() }
                times.append(
                    try Timing.milliseconds {
                        var frame: Frame? = large ? Frame(sharing: &body) : nil
                        try send(cold ? [2] + header.dropFirst() : header, large: &frame)
                        try receive()
                    })
            }
            return (Timing(times).medianMs / 1_000, (Machine.processorTime - before).seconds / Double(count))
        }
        _ = try roundTrips(50)
        let small = try roundTrips(400), cold = try roundTrips(200, cold: true), large = try roundTrips(60, large: true)
        var bursts: [Double] = []
        for _ in 0..<5 {
            bursts.append(
                try Timing.milliseconds {
                    var none: Frame?
                    for _ in 0..<Self.burst { try send([0], large: &none) }
                    try send(header, large: &none)
                    try receive()
                } / 1_000)
        }
        var none: Frame?
        try send(end, large: &none)
        perMessage = max(0, Timing(bursts).medianMs - small.wall) / Double(Self.burst)
        perByte = max(0, large.processor - small.processor) / Double(4 * Self.largeByteCount)
        // There and back, through the sender's thread, the two that serve sockets, and the receiver's, of which three have slept.
        perWakeUp = max(0, small.processor / 2 - 4 * perMessage) / 3 + max(0, cold.wall - small.wall) / 6
        wakeUp = max(0, small.wall - small.processor) / 6
    }

    /// Sends back what has a header's length, takes what has one byte, ends at an empty message.
    private static func answer(_ context: Context, endpoint: String, options: SocketOptions, sums: Bool, coldness: Int) throws {
        let socket = try Socket(.dealer, in: context, options: options)
        try socket.connect(endpoint)
        var message = Message(maximumParts: 2), memory = Coldness(byteCount: coldness)
        while try socket.receive(into: &message, dontWait: false) == .received {
            if message.byteCount(at: 0) == 0 { return }
            guard message.byteCount(at: 0) == DataHeader.byteCount else { continue }
            let isCold = message.bytes(at: 0)[0] == 2
            var body: Frame?
            if message.count > 1 {
                if sums { _ = checksum(message.bytes(at: 1)) }
                body = message.take(at: 1)
                if sums { _ = body?.withBytes { checksum($0) } }
            }
            _ = try socket.send(header: message.bytes(at: 0), body: &body, dontWait: false)
            if isCold { memory.goThrough() }
        }
    }
}

/// Memory that fills caches.
private struct Coldness {
    private var words: [UInt64]

    init(byteCount: Int) {
        words = [UInt64](repeating: 0, count: byteCount / 8)
    }

    mutating func goThrough() {
        for index in words.indices { words[index] &+= 1 }
    }
}
