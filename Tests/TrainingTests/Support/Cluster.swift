import Exactness
import Testing
import Wire

@testable import Training

/// A whole run in virtual time: the coordinator's state machine, a server that only counts, workers that only take time.
///
/// After every event it checks what must hold always: no orphan while a worker is there, no word to somebody who has gone, nothing
/// released past a barrier that has no verdict.
final class Cluster {
    static let quantum = Duration.milliseconds(20)
    static let startup = Duration.milliseconds(300)

    private(set) var coordinator: Coordinator
    private(set) var now = Duration.zero
    private(set) var workers: [FakeWorker] = []
    private(set) var effects: [(at: Duration, effect: Effect)] = []
    private(set) var ending: Ending?
    /// The server's complete version; who came first with a shard, by step.
    private(set) var serverVersion: UInt64
    private(set) var contributors: [UInt64: [Int: String]] = [:]
    private(set) var stepTimes: [(version: UInt64, at: Duration)] = []
    /// Mean loss and share of correct rows of the validation at a version.
    var validation: (UInt64) -> (loss: Double, accuracy: Double) = { (1 / Double($0 + 1), 0) }
    /// The server of a closure rule; nil: every batch gradient is a step.
    var search: FakeSearch?
    /// What becomes of a local worker's process, by slot and start: whether it lives.
    var survivesStart: (_ slot: Int, _ start: Int) -> Bool = { _, _ in true }
    /// Whether what a worker gives for a step and shard is not finite; asked every time it is given.
    var isNotFinite: (_ worker: FakeWorker, _ step: UInt64, _ shard: Int) -> Bool = { _, _, _ in false }
    /// What a worker gets for a node at a step, as an audit sees it.
    var checksum: (_ worker: FakeWorker, _ step: UInt64, _ node: TreeNode) -> UInt64 = { _, step, node in step << 32 | UInt64(node.number) }
    /// Time passes in steps of this.
    var quantum = Cluster.quantum
    /// How long a new worker takes for a leaf.
    var leafTime = Duration.milliseconds(100)
    private(set) var starts: [Int: Int] = [:]
    private var pendingCrashes: [(slot: Int, at: Duration)] = []
    private var waiting: [Event] = []
    private var isDispatching = false
    private var gone: Set<WorkerID> = []
    private var nextID: WorkerID = 1
    private var nextTick = Duration.zero

    init(
        _ plan: RunPlan = .sample(), limits: CoordinatorLimits = .sample(), rules: AdmissionRules = .sample, version: UInt64 = 0,
        stopping: EarlyStoppingState = EarlyStoppingState()
    ) {
        coordinator = Coordinator(plan: plan, limits: limits, rules: rules, version: version, stopping: stopping)
        serverVersion = version
        search = plan.passes.map { FakeSearch(passes: $0) }
    }

    var plan: RunPlan { coordinator.plan }

    // MARK: What the play does

    @discardableResult
    func join(_ name: String = "w", leafTime: Duration? = nil, buildTime: Duration = startup, localSlot: Int? = nil) -> FakeWorker {
        let worker = FakeWorker(
            name: name, localSlot: localSlot, leafTime: leafTime ?? self.leafTime, buildTime: buildTime, greetsAt: now)
        workers.append(worker)
        return worker
    }

    func kill(_ worker: FakeWorker) {
        guard worker.health != .dead else { return }
        let id = worker.id
        worker.begin(session: nil, readyAt: nil)
        worker.health = .dead
        workers.removeAll { $0 === worker }
        if let slot = worker.localSlot {
            if let id { dispatch(.lost(id, reason: "its process was killed")) }
            dispatch(.localWorkerExited(slot: slot, description: "was killed"))
        }
    }

    /// Dies, which shows by the end of its connection.
    func sever(_ worker: FakeWorker) {
        if let id = worker.id { dispatch(.disconnected(id)) }
        kill(worker)
    }

    func leave(_ worker: FakeWorker) {
        if let id = worker.id { dispatch(.leaving(id, reason: "stopped by a signal")) }
        kill(worker)
    }

    func dispatch(_ event: Event) {
        waiting.append(event)
        guard !isDispatching else { return }
        isDispatching = true
        defer { isDispatching = false }
        while !waiting.isEmpty, ending == nil {
            for effect in coordinator.handle(waiting.removeFirst(), now: now) {
                effects.append((now, effect))
                perform(effect)
            }
            checkInvariants()
        }
    }

    func start() {
        dispatch(.start)
    }

    /// Lets time pass until something holds, the run ends or the time is over.
    @discardableResult
    func run(for limit: Duration = .seconds(3_600), until isReached: () -> Bool = { false }) -> Bool {
        let end = now + limit
        while ending == nil, now < end {
            if isReached() { return true }
            turn()
        }
        return isReached()
    }

    /// Time passes and the coordinator does not get to look.
    func pause(for gap: Duration) {
        now += gap
        nextTick = now
    }

    // MARK: What has happened

    var notices: [String] {
        effects.compactMap { if case .notice(let notice) = $0.effect { notice.text } else { nil } }
    }

    var records: [ValidationRecord] {
        effects.compactMap { if case .record(let record) = $0.effect { record } else { nil } }
    }

    var checkpointTimes: [Duration] {
        effects.compactMap { if case .checkpoint = $0.effect { $0.at } else { nil } }
    }

    /// When a lease of `shards` or more was given to `worker` in the newest step, and whom it names.
    func leases(of worker: FakeWorker) -> [(at: Duration, lease: Lease)] {
        effects.compactMap { at, effect in
            if case .lease(worker.id, let lease) = effect { (at, lease) } else { nil }
        }
    }

    func shards(of worker: FakeWorker) -> [Int] {
        worker.id.map { coordinator.leases.shards(of: $0) } ?? []
    }

    func isAdmitted(_ worker: FakeWorker) -> Bool {
        worker.id.map { coordinator.members[$0]?.state == .admitted } ?? false
    }

    // MARK: Time

    private func turn() {
        now += quantum
        for crash in pendingCrashes where crash.at <= now {
            dispatch(.localWorkerExited(slot: crash.slot, description: "exited with code 1"))
        }
        pendingCrashes.removeAll { $0.at <= now }
        beginStep()
        for worker in workers where worker.health != .dead && ending == nil { live(worker) }
        guard now >= nextTick, ending == nil else { return }
        nextTick = now + CoordinatorLimits.tick
        dispatch(.tick(uncovered: uncovered))
    }

    /// A closure rule's step begins when the coordinator trains, with weights of a new number.
    private func beginStep() {
        guard coordinator.isTraining, search?.begin() == true else { return }
        serverVersion += 1
        dispatch(.roundReached(serverVersion, afterGradient: false))
    }

    private func gradientCompleted() {
        serverVersion += 1
        stepTimes.append((serverVersion, now))
        guard search != nil else { return dispatch(.stepCompleted(version: serverVersion)) }
        let completed = search?.gradientCompleted() ?? nil
        dispatch(.roundReached(serverVersion, afterGradient: true))
        if let completed { dispatch(.stepCompleted(version: completed)) }
    }

    private var uncovered: ShardSet {
        ShardSet(presentShards.filter { contributors[serverVersion]?[$0] == nil })
    }

    private var presentShards: [Int] {
        (0..<plan.tree.shardCount).filter(isPresent)
    }

    private func isPresent(_ shard: Int) -> Bool {
        guard let search else { return plan.train.isPresent(shard: shard, step: serverVersion) }
        return search.planStep.map { plan.train.isPresent(shard: shard, step: $0) } ?? false
    }

    private func live(_ worker: FakeWorker) {
        guard worker.health != .stopped else { return }
        if let at = worker.greetsAt, now >= at { greet(worker) }
        guard let id = worker.id else { return }
        if now >= worker.nextHeartbeat {
            worker.nextHeartbeat = now + .seconds(1)
            dispatch(.heartbeat(id, leafTime: worker.work.leaves == 0 ? nil : worker.work.time / worker.work.leaves))
            worker.work = (0, .zero)
        }
        guard worker.health == .well else { return }
        if let at = worker.readyAt, now >= at {
            worker.readyAt = nil
            worker.isReady = true
            dispatch(.ready(id, leafClass: "class"))
        }
        guard worker.isReady, worker.id == id else { return }
        compute(worker, id: id)
        if worker.id == id, let sequence = worker.fetch(for: quantum) { dispatch(.fetched(id, sequence: sequence)) }
    }

    private func greet(_ worker: FakeWorker) {
        let id = nextID
        nextID += 1
        worker.begin(session: id, readyAt: now + worker.buildTime)
        worker.nextHeartbeat = now + .seconds(1)
        dispatch(.hello(id, .sample(worker.name, instance: worker.instance), localSlot: worker.localSlot))
    }

    private func compute(_ worker: FakeWorker, id: WorkerID) {
        if worker.current == nil {
            for sequence in worker.obey(blockCount: { [plan] in plan.plan(of: $0).blockCount(ofShard: $1) }) {
                dispatch(.leaseTaken(id, sequence: sequence))
            }
            guard worker.id == id else { return }
            let next = worker.nextTask(version: serverVersion, isPresent: isPresent)
            worker.current = next.map { ($0, worker.leafTime) }
        }
        guard let (task, rest) = worker.current else { return }
        guard rest <= quantum else {
            worker.current?.rest = rest - quantum
            return
        }
        worker.current = nil
        worker.finish(task)
        if case .train = task.kind { worker.work = (worker.work.leaves + 1, worker.work.time + worker.leafTime) }
        deliver(task, from: worker, id: id)
    }

    private func deliver(_ task: FakeWorker.Task, from worker: FakeWorker, id: WorkerID) {
        switch task.kind {
        case .train(let step):
            guard step == serverVersion else { return }
            if isNotFinite(worker, step, task.shard) {
                dispatch(.suspicious(step: step, shards: ShardSet([task.shard]), where: "layers.0.weight"))
                return
            }
            if contributors[step]?[task.shard] == nil { contributors[step, default: [:]][task.shard] = worker.name }
            let isLast = worker.nextTask(version: step, isPresent: isPresent)?.kind != .train(step: step)
            if uncovered.isEmpty { gradientCompleted() }
            if isLast { beginAudit(worker, id: id, step: step) }
        case .audit(let step):
            guard !worker.tasks.contains(where: { $0.kind == .audit(step: step) }) else { return }
            for number in worker.lease?.audits ?? [] { report(TreeNode(number: number), of: worker, id: id, step: step) }
        case .evaluate(let number, let version, let part):
            let step = plan.plan(of: part)
            let weights = version == Evaluation.bestVersion ? coordinator.stopping.best?.step ?? 0 : version
            let values = part == .validation ? validation(weights) : (loss: 0.5, accuracy: 0)
            let blocks = (0..<step.blockCount(ofShard: task.shard)).map { index in
                let rows = UInt32(step.block(index, ofShard: task.shard).count)
                return BlockFigures(
                    rows: rows, correct: UInt32(values.accuracy * Double(rows)), loss: values.loss * Double(rows), squaredError: 0)
            }
            dispatch(.figures(id, evaluation: number, part: part, shard: task.shard, ShardFigures(blocks: blocks)))
        }
    }

    /// All that it holds of an audited step is done: it says what came of it, and turns to what others hold.
    private func beginAudit(_ worker: FakeWorker, id: WorkerID, step: UInt64) {
        let schedule = AuditSchedule(seed: 1, fraction: coordinator.limits.auditFraction)
        guard worker.id == id, schedule.isDue(step: step), let lease = worker.lease else { return }
        for node in plan.tree.maximalSubtrees(of: ShardSet(lease.shards)) { report(node, of: worker, id: id, step: step) }
        for number in lease.audits ?? [] {
            worker.tasks += plan.tree.shards(of: TreeNode(number: number)).map { FakeWorker.Task(kind: .audit(step: step), shard: $0) }
        }
    }

    private func report(_ node: TreeNode, of worker: FakeWorker, id: WorkerID, step: UInt64) {
        let report = AuditReport(step: step, node: node, loss: 0, checksums: [0, checksum(worker, step, node)])
        dispatch(.audited(id, report, uncovered: uncovered))
    }

    // MARK: Effects

    private func perform(_ effect: Effect) {
        switch effect {
        case .startLocalWorker(let slot): startLocal(slot)
        case .welcome(let id): expectPresent(id, effect)
        case .refuse(let id, _), .cut(let id, _), .release(let id): part(with: id, effect)
        case .lease(let id, let lease):
            expectPresent(id, effect)
            checkHorizon(of: lease)
            worker(id)?.inbox.append(.lease(lease))
        case .evaluate(let id, let order):
            expectPresent(id, effect)
            #expect(!order.shards.isEmpty)
            worker(id)?.inbox.append(.evaluate(order))
        case .unsubscribe(let id): expectPresent(id, effect)
        case .record, .keepBest, .checkpoint, .distrust, .notice: break
        case .finish(let ending):
            #expect(self.ending == nil)
            self.ending = ending
        }
    }

    private func worker(_ id: WorkerID) -> FakeWorker? {
        workers.first { $0.id == id }
    }

    private func startLocal(_ slot: Int) {
        starts[slot, default: 0] += 1
        if survivesStart(slot, starts[slot, default: 0]) {
            let worker = join("local-\(slot + 1)", localSlot: slot)
            worker.greetsAt = now + Self.startup
        } else {
            pendingCrashes.append((slot, now + Self.startup))
        }
    }

    /// A remote worker that is cut says hello again; a local one is killed, as the shell does.
    private func part(with id: WorkerID, _ effect: Effect) {
        expectPresent(id, effect)
        gone.insert(id)
        guard let worker = worker(id) else { return }
        worker.begin(session: nil, readyAt: nil)
        if case .refuse = effect { return }
        if worker.localSlot != nil {
            kill(worker)
        } else {
            worker.greetsAt = now + .seconds(1)
        }
    }

    // MARK: Checks

    private func expectPresent(_ id: WorkerID, _ effect: Effect) {
        #expect(id < nextID && !gone.contains(id), "\(effect) is for somebody who has gone")
    }

    private func checkHorizon(of lease: Lease) {
        #expect(lease.step == coordinator.wireStep)
        if coordinator.phase == .evaluating { #expect(lease.until == lease.step) }
        guard search == nil else {
            #expect(lease.until == (coordinator.version == coordinator.horizon ? lease.step : .max))
            return
        }
        let isJudged = coordinator.stopping.judgedStep == lease.step
        let barrier = plan.isBarrier(lease.step) && !isJudged ? lease.step : plan.nextBarrier(after: lease.step)
        #expect(lease.until <= barrier, "a lease at step \(lease.step) reaches past the barrier \(barrier)")
    }

    private func checkInvariants() {
        guard coordinator.phase == .training || coordinator.phase == .evaluating else { return }
        let holders = coordinator.leases.workers
        #expect(holders.allSatisfy { coordinator.members[$0]?.state == .admitted }, "a lease is held by nobody who is there")
        if coordinator.members.values.contains(where: { $0.state == .admitted && $0.isConnected }) {
            #expect(coordinator.leases.orphans == [], "shards that nobody computes")
        }
    }
}
