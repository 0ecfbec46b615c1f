internal import Foundation
internal import OperatingSystem
internal import ZeroMQ

/// Many workers without computing in one process and on one thread, beside libzmq's own.
public struct SimulatedWorkers: Sendable {
    public var endpoint: String
    public var count: Int
    /// The benchmark that started them: they end with it.
    public var parent: Int32

    public init(endpoint: String, count: Int, parent: Int32) {
        self.endpoint = endpoint
        self.count = count
        self.parent = parent
    }

    /// A socket takes one for its mailbox and one for its connection; each worker has two sockets.
    static func descriptors(workers: Int) -> Int { 4 * workers + 100 }

    /// Closed sockets count until libzmq has done away with them.
    private static let spareSockets = 512
    /// That have said hello and are not ready yet: strangers are cut beyond a number.
    private static let mostJoining = 16
    private static let tick = Duration.milliseconds(20)
    /// Between two looks at everybody while nothing comes.
    private static let pauseMicroseconds: UInt32 = 1_000

    /// Runs until every worker has been told to go, and gives the exit code.
    public func run() -> Int32 {
        guard ParentDeath.arrange(expectedParent: parent) else { return 1 }
        do {
            try work()
            return 0
        } catch {
            printError("dnn-bench: simulated workers: \(error)")
            return 1
        }
    }

    private func work() throws {
        try Machine.raiseDescriptorLimit()
        let context = try Context(ioThreads: 1, maximumSockets: 2 * count + Self.spareSockets)
        let setting = SimulatedWorker.Setting(context: context, endpoint: endpoint)
        let start = Machine.monotonicTime
        var workers: [SimulatedWorker] = []
        var readyCount = 0
        var nextTick = Duration.zero
        while workers.count < count || !workers.allSatisfy(\.isOver) {
            let now = Machine.monotonicTime - start
            var wasBusy = false
            if now >= nextTick {
                nextTick = now + Self.tick
                for worker in workers where !worker.isOver { try worker.tick(now: now) }
                readyCount = workers.count(where: \.isReady)
                while workers.count < min(count, readyCount + Self.mostJoining) {
                    let worker = SimulatedWorker(setting, name: "simulated-\(workers.count + 1)")
                    try worker.start()
                    workers.append(worker)
                }
            }
            for worker in workers where !worker.isOver {
                if try worker.turn() { wasBusy = true }
            }
            if !wasBusy { usleep(Self.pauseMicroseconds) }
        }
    }
}
