internal import Kernels
internal import OperatingSystem
internal import Wire
internal import ZeroMQ

/// The compute thread of a worker: takes commands, computes what its lease says, waits when there is nothing to do.
final class ComputeLoop {
    private let context: Context
    private let link: ComputeLink
    private let options: WorkerOptions
    private let security: ZeroMQ.Security
    /// For parameter servers that ask for them.
    private let keys: WorkerKeys?
    private var segments: WorkerSegments?
    private var current: WorkerRun?
    private var kept: KeptRows?

    init(context: Context, link: ComputeLink, options: WorkerOptions, security: ZeroMQ.Security, keys: WorkerKeys?) {
        self.context = context
        self.link = link
        self.options = options
        self.security = security
        self.keys = keys
    }

    func run() {
        ComputeThread.configure()
        do {
            while try obeyed() {
                if link.isRetiring { break }
                guard let current else {
                    try waitForCommand()
                    continue
                }
                do {
                    try current.drain()
                    if try !current.advance(), !link.hasCommand { try current.connection.wait() }
                } catch is Interruption {
                    continue
                }
            }
            if link.isRetiring {
                link.report(.retired)
                // The data connection stays until the worker is released: without it the coordinator would end the other, too, and
                // never read the word that leases are handed back.
                while try obeyed() { try waitForCommand() }
            }
            // Closes the data socket, which lets go of what is still to be sent.
            current = nil
        } catch let error as UnfitWorker {
            link.report(.unfit(error.description))
        } catch {
            link.report(.failed("\(error)"))
        }
    }

    /// Carries out the commands that wait; false after `stop`.
    private func obeyed() throws -> Bool {
        for command in link.takeCommands() {
            switch command {
            case .build(let welcome, let endpoint):
                do {
                    try build(welcome, endpoint: endpoint)
                } catch is Interruption {
                    // Before its net is built, only what ends a session can interrupt it: no data connection has come about.
                    continue
                }
            case .lease(let lease): try current?.take(lease)
            case .evaluate(let order): try current?.take(order)
            case .pause:
                if let current { kept = current.keptRows }
                current = nil
            case .stop: return false
            }
        }
        return true
    }

    private func build(_ welcome: Welcome, endpoint: String) throws {
        if let current { kept = current.keptRows }
        current = nil
        let run = try WorkerRun(
            welcome: welcome, endpoint: endpoint, context: context, link: link, threads: options.threads, kept: kept, security: security,
            keys: keys,
            segments: { elementCount in
                if segments == nil, let shared = options.shared { segments = try WorkerSegments(shared, elementCount: elementCount) }
                return segments
            })
        run.computes = options.computes
        current = run
        kept = nil
        let leafClass = options.computes ? try LeafProbe.leafClass(of: run.network, run: run.run, threads: options.threads) : "none"
        link.report(.built(session: welcome.session, leafClass: leafClass))
    }

    private func waitForCommand() throws {
        var poller = Poller()
        _ = poller.add(descriptor: link.commandEvent.descriptor)
        try poller.wait(timeout: nil)
    }
}
