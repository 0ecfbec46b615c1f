/// Plays steps of a run in simulated time: weights in, forward, backward, gradients out chunk by chunk, reduction, update, weights out.
///
/// What it leaves out: losses, verdicts, rows, heartbeats, faults.
final class StepSimulation {
    /// A worker's share of the play.
    private final class Worker {
        let host: Host
        let compute, io: SimulatedThread
        let leaves: Int
        /// Which chunks of the version that it computes with, or of the next, are here.
        var isHere: [Bool]
        /// The first chunks that are here without a gap.
        var hereThrough: Int
        /// Layers of forward that are done; all: backward has begun.
        var forward = 0
        var isComputing = false
        /// Whether anything of the next version is here.
        var hasOpened = false

        init(host: Host, core: Int?, leaves: Int, chunks: Int) {
            self.host = host
            self.leaves = leaves
            compute = SimulatedThread(on: host, core: core, isLong: true)
            io = SimulatedThread(on: host, core: core, isLong: false)
            isHere = Array(repeating: true, count: chunks)
            hereThrough = chunks
        }

        func take(_ chunk: Int) {
            isHere[chunk] = true
            while hereThrough < isHere.count, isHere[hereThrough] { hereThrough += 1 }
        }

        /// Its weights have been used; those of the next version are awaited.
        func close() {
            for chunk in isHere.indices { isHere[chunk] = false }
            hereThrough = 0
            hasOpened = false
        }
    }

    private final class Server {
        let host: Host
        let loop, io: SimulatedThread
        let updates: [SimulatedThread]
        var nextUpdate = 0

        init(host: Host, updateThreads: Int) {
            self.host = host
            loop = SimulatedThread(on: host, isLong: false)
            io = SimulatedThread(on: host, isLong: false)
            updates = (0..<updateThreads).map { _ in SimulatedThread(on: host, isLong: false) }
        }
    }

    private struct Layer {
        /// Shares of a leaf's work.
        var forward, backward: Double
        /// Forward needs so many of the first chunks.
        var needed: Int
        /// Gradients of chunks from here on are final when its own is.
        var finalFrom: Int
    }

    /// The share of forward in the work of a leaf whose layers are not known: one product of three.
    private static let forwardShare = 1.0 / 3
    /// The play is made of at most about so many messages a step: larger chunks stand for several.
    private static let mostMessages = 8_192
    private static let warmUp = 2
    private static let measured = 4

    private let model: ClusterModel
    private let scene: Scene
    private let chunkLengths: [Double]
    private let layers: [Layer]
    private let workers: [Worker]
    private let servers: [Server]
    /// How many real chunks one of the play stands for.
    private let chunksEach: Double
    /// Messages still to come per chunk, chunks still to be updated.
    private var missing: [Int]
    private var openChunks: Int
    private var completions: [Double] = []

    init(_ model: ClusterModel, costs: Costs) {
        self.model = model
        scene = Scene(costs: costs)
        let real = max(1, (model.parameters + model.chunkLength - 1) / model.chunkLength)
        let active = model.activeWorkers
        let count = max(model.servers, min(real, max(1, Self.mostMessages / active)))
        chunksEach = Double(real) / Double(count)
        // As long as the last one allows, or all of the same length where one stands for several.
        chunkLengths = (0..<count).map { chunk in
            count == real
                ? Double(min(model.chunkLength, model.parameters - chunk * model.chunkLength)) : Double(model.parameters) / Double(count)
        }
        layers = Self.layers(of: model, chunkLengths: chunkLengths)
        let cores = max(1, model.coresPerHost)
        let common: Host?
        if case .hosts = model.placement { common = nil } else { common = Host(cores: cores, crowding: costs.crowding) }
        func host() -> Host { common ?? Host(cores: cores, crowding: costs.crowding) }
        workers = zip(model.workerCores, model.leaves).map { core, leaves in
            Worker(host: host(), core: core, leaves: leaves, chunks: count)
        }
        servers = (0..<model.servers).map { _ in Server(host: host(), updateThreads: model.updateThreads) }
        // In a laboratory of namespaces cards are apart though cores are not.
        cards = (workers.map { _ in Host(cores: 1, crowding: 1) }, servers.map { _ in Host(cores: 1, crowding: 1) })
        missing = Array(repeating: active, count: count)
        openChunks = count
    }

    private static func layers(of model: ClusterModel, chunkLengths: [Double]) -> [Layer] {
        let count = chunkLengths.count
        let work = model.layers.reduce(0) { $0 + $1.forward + $1.backward }
        guard work > 0 else {
            return (0..<count).map { chunk in
                Layer(
                    forward: forwardShare / Double(count), backward: (1 - forwardShare) / Double(count),
                    needed: chunk + 1, finalFrom: chunk)
            }
        }
        var bounds = [0.0]
        for length in chunkLengths { bounds.append(bounds[bounds.count - 1] + length) }
        var start = 0.0
        return model.layers.enumerated().map { index, layer in
            let end = start + Double(layer.parameters)
            defer { start = end }
            let isLast = index == model.layers.count - 1
            return Layer(
                forward: layer.forward / work, backward: layer.backward / work,
                needed: isLast ? count : max(1, bounds.prefix(count).count { $0 < end }),
                finalFrom: index == 0 ? 0 : bounds.prefix(count).count { $0 < start })
        }
    }

    private let cards: (workers: [Host], servers: [Host])

    /// Plays, and says how long a step takes and what was busy meanwhile.
    func run() -> Prediction {
        for index in workers.indices { goOn(index) }
        scene.run { self.completions.count == Self.warmUp + Self.measured }
        let whole = completions.last ?? .nan, before = completions[Self.warmUp - 1]
        let step = (whole - before) / Double(Self.measured)
        func share(_ seconds: Double) -> Double { seconds / whole }
        return Prediction(
            secondsPerStep: step,
            computing: workers.map { share($0.compute.worked) }.max() ?? 0,
            serverThreads: servers.flatMap { [$0.loop, $0.io] + $0.updates }.map { share($0.worked) }.max() ?? 0,
            serverNetwork: cards.servers.map { share(max($0.sent, $0.received)) }.max() ?? 0,
            workerNetwork: cards.workers.map { share(max($0.sent, $0.received)) }.max() ?? 0,
            cores: coreShare(whole))
    }

    /// The busiest host's.
    private func coreShare(_ whole: Double) -> Double {
        func worked(_ worker: Worker) -> Double { worker.compute.worked + worker.io.worked }
        func worked(_ server: Server) -> Double { ([server.loop, server.io] + server.updates).reduce(0) { $0 + $1.worked } }
        let perHost: Double
        if case .hosts = model.placement {
            perHost = max(workers.map(worked).max() ?? 0, servers.map(worked).max() ?? 0)
        } else {
            perHost = workers.reduce(0) { $0 + worked($1) } + servers.reduce(0) { $0 + worked($1) }
        }
        return perHost / whole / Double(max(1, model.coresPerHost))
    }

    // MARK: Workers

    /// Several threads share a worker's leaves, as far as there are leaves.
    private func compute(_ worker: Worker) -> Double {
        scene.costs.compute(leaves: worker.leaves) / Double(max(1, min(model.threadsPerWorker, worker.leaves)))
    }

    /// Goes on with forward as far as weights are there, first layers first; behind the last one backward begins.
    private func goOn(_ index: Int) {
        let worker = workers[index]
        guard !worker.isComputing, worker.forward < layers.count, worker.hereThrough >= layers[worker.forward].needed else { return }
        worker.isComputing = true
        scene.submit(compute(worker) * layers[worker.forward].forward, to: worker.compute, isComputing: true) {
            worker.isComputing = false
            worker.forward += 1
            if worker.forward < self.layers.count {
                self.goOn(index)
            } else {
                worker.close()
                self.backward(index, layer: self.layers.count - 1, isFinalFrom: self.chunkLengths.count)
            }
        }
    }

    /// - Parameter isFinalFrom: chunks from here on are final already.
    private func backward(_ index: Int, layer: Int, isFinalFrom: Int) {
        let worker = workers[index]
        scene.submit(compute(worker) * layers[layer].backward, to: worker.compute, isComputing: true) {
            let messages = self.chunksEach * Double(self.model.sums(leaves: worker.leaves))
            let finalFrom = self.layers[layer].finalFrom
            for chunk in (min(finalFrom, isFinalFrom)..<isFinalFrom).reversed() {
                self.scene.submit(self.scene.costs.perMessage * messages, to: worker.compute) { self.push(chunk, from: index) }
            }
            if layer > 0 {
                self.backward(index, layer: layer - 1, isFinalFrom: min(finalFrom, isFinalFrom))
            } else {
                worker.forward = 0
                self.goOn(index)
            }
        }
    }

    // MARK: Messages

    private func push(_ chunk: Int, from index: Int) {
        let worker = workers[index], number = server(of: chunk), server = servers[number], sums = model.sums(leaves: worker.leaves)
        let messages = chunksEach * Double(sums), bytes = chunkLengths[chunk] * Double(model.bytesPerElement * sums)
        let cards = (self.cards.workers[index], self.cards.servers[number])
        carry(messages: messages, bytes: bytes, between: cards, from: worker.io, to: server.io) {
            self.scene.deliver(self.scene.costs.perMessage * messages, to: server.loop) { self.arrived(chunk) }
        }
    }

    /// From the thread that serves the sockets of one process to that of another; on one host the payload stays where it lies.
    private func carry(
        messages: Double, bytes: Double, between cards: (Host, Host), from sender: SimulatedThread, to receiver: SimulatedThread,
        then arrived: @escaping () -> Void
    ) {
        let work = scene.costs.perMessage * messages + (model.network == nil ? 0 : scene.costs.perByte * bytes)
        scene.deliver(work, to: sender) {
            guard let network = self.model.network else { return self.scene.deliver(work, to: receiver, then: arrived) }
            self.scene.transfer(bytes, from: cards.0, to: cards.1, over: network) {
                self.scene.deliver(work, to: receiver, then: arrived)
            }
        }
    }

    /// Contiguous ranges of chunks, one for each server.
    private func server(of chunk: Int) -> Int { chunk * servers.count / chunkLengths.count }

    private func arrived(_ chunk: Int) {
        missing[chunk] -= 1
        guard missing[chunk] == 0 else { return }
        missing[chunk] = workers.count
        let server = servers[server(of: chunk)], costs = scene.costs
        let sums = workers.reduce(0) { $0 + model.sums(leaves: $1.leaves) }
        let duration = chunkLengths[chunk] * (costs.updatePerElement + costs.updatePerElementAndSum * Double(sums))
        let thread = server.updates.isEmpty ? server.loop : server.updates[server.nextUpdate % server.updates.count]
        server.nextUpdate += 1
        scene.deliver(duration, to: thread) { self.updated(chunk) }
    }

    private func updated(_ chunk: Int) {
        let server = servers[server(of: chunk)]
        for index in workers.indices {
            scene.deliver(scene.costs.perMessage * chunksEach, to: server.loop) { self.publish(chunk, to: index) }
        }
        openChunks -= 1
        guard openChunks == 0 else { return }
        openChunks = chunkLengths.count
        completions.append(scene.now)
        for server in servers { scene.deliver(scene.costs.perStepOfServer, to: server.loop) {} }
    }

    private func publish(_ chunk: Int, to index: Int) {
        let worker = workers[index], number = server(of: chunk)
        let bytes = chunkLengths[chunk] * Double(model.bytesPerElement), cards = (self.cards.servers[number], self.cards.workers[index])
        carry(messages: chunksEach, bytes: bytes, between: cards, from: servers[number].io, to: worker.io) {
            // The first chunk of a version opens the step.
            let opening = worker.hasOpened ? 0 : self.scene.costs.perStepOfWorker
            worker.hasOpened = true
            self.scene.deliver(self.scene.costs.perMessage * self.chunksEach + opening, to: worker.compute) {
                worker.take(chunk)
                self.goOn(index)
            }
        }
    }
}
