import Foundation
import OperatingSystem
import Synchronization
import Wire
import ZeroMQ

/// Stands between one worker and its coordinator, hands everything on, and can do harm: change what the worker is sent, or be a network
/// that is cut.
final class Relay: Sendable {
    typealias Damage = @Sendable (_ header: DataHeader, _ body: inout [UInt8]) -> Void

    /// Where the worker connects to.
    let endpoint: String
    private let isOver = Atomic<Bool>(false)
    private let isCut = Atomic<Bool>(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// - Parameters:
    ///   - coordinator: its control endpoint, over ipc.
    ///   - damage: what becomes of the body of a data message to the worker.
    init(to coordinator: String, in folder: TemporaryFolder, name: String = "relay", damage: @escaping Damage = { _, _ in }) throws {
        let endpoint = "ipc://" + folder.appending(name)
        self.endpoint = endpoint
        let ready = try EventDescriptor()
        let started = try WorkerThread.start(name: "relay") { [self] in
            do {
                let context = try Context()
                let control = try Line(endpoint, coordinator, context) { _ in }
                let data = try Line(endpoint + ".data", coordinator + ".data", context) { parts in
                    guard parts.count == 2, let header = try? parts[0].withUnsafeBytes({ try DataHeader(decoding: $0) }) else { return }
                    damage(header, &parts[1])
                }
                ready.signal()
                var poller = Poller()
                control.add(to: &poller)
                data.add(to: &poller)
                while !isOver.load(ordering: .acquiring) {
                    try poller.wait(timeout: .milliseconds(50))
                    let isCut = isCut.load(ordering: .acquiring)
                    try control.pass(isCut: isCut)
                    try data.pass(isCut: isCut)
                }
            } catch {
                print("the relay has ended: \(error)")
            }
        }
        thread.withLock { $0 = started }
        var poller = Poller()
        _ = poller.add(descriptor: ready.descriptor)
        try poller.wait(timeout: .seconds(10))
    }

    /// From now on everything vanishes, in both directions, or nothing does.
    func cut(_ isCut: Bool) {
        self.isCut.store(isCut, ordering: .releasing)
    }

    func close() {
        isOver.store(true, ordering: .releasing)
        thread.withLock { $0 }?.join()
    }

    /// One of the two connections.
    private final class Line {
        private let toWorker: Socket
        private let toCoordinator: Socket
        private var worker: RoutingID?
        private var message = Message(maximumParts: 3)
        private let change: (inout [[UInt8]]) -> Void

        init(_ own: String, _ coordinator: String, _ context: Context, change: @escaping (inout [[UInt8]]) -> Void) throws {
            var options = SocketOptions()
            options.sendHighWaterMark = 10_000
            options.receiveHighWaterMark = 10_000
            toWorker = try Socket(.router, in: context, options: options)
            toCoordinator = try Socket(.dealer, in: context, options: options)
            self.change = change
            try toWorker.bind(own)
            try toCoordinator.connect(coordinator)
        }

        func add(to poller: inout Poller) {
            _ = poller.add(toWorker)
            _ = poller.add(toCoordinator)
        }

        func pass(isCut: Bool) throws {
            while try toWorker.receive(into: &message) == .received {
                guard !isCut, let name = message.routingID else { continue }
                worker = name
                _ = try send(parts(from: 1), over: toCoordinator, to: nil)
            }
            while try toCoordinator.receive(into: &message) == .received {
                guard !isCut, let worker else { continue }
                var parts = parts(from: 0)
                change(&parts)
                _ = try send(parts, over: toWorker, to: worker)
            }
        }

        private func parts(from first: Int) -> [[UInt8]] {
            (first..<message.count).map { Array(message.bytes(at: $0)) }
        }

        private func send(_ parts: [[UInt8]], over socket: borrowing Socket, to peer: RoutingID?) throws -> Delivery {
            guard let first = parts.first else { return .sent }
            var body: Frame? = parts.count > 1 ? Frame(copying: parts[1]) : nil
            return try first.withUnsafeBytes { try socket.send(to: peer, header: $0, body: &body, dontWait: false) }
        }
    }
}
