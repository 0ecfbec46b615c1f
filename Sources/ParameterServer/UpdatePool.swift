internal import Dispatch
internal import OperatingSystem
internal import Synchronization

/// What is done to a chunk.
enum ChunkTask: Sendable {
    /// The first of two phases.
    case reduce
    case update
    /// Row limits.
    case limit
}

/// Threads that update chunks. Without threads the caller's own does the work at once, since for small nets a hand-over costs more.
final class UpdatePool: Sendable {
    private struct Queue {
        var waiting: [(chunk: Int, task: ChunkTask)] = []
        var taken = 0
        var finished: [(chunk: Int, task: ChunkTask, outcome: ChunkOutcome)] = []
        var isClosed = false
    }

    private let queue = Mutex(Queue())
    private let work = DispatchSemaphore(value: 0)
    private let completion: EventDescriptor?
    private let threads: Mutex<[WorkerThread]> = Mutex([])
    private let perform: @Sendable (_ task: ChunkTask, _ chunk: Int, _ thread: Int) -> ChunkOutcome
    private let threadCount: Int

    init(
        threadCount: Int, completion: EventDescriptor?,
        perform: @escaping @Sendable (_ task: ChunkTask, _ chunk: Int, _ thread: Int) -> ChunkOutcome
    ) throws(SystemError) {
        self.threadCount = threadCount
        self.completion = completion
        self.perform = perform
        do {
            for index in 0..<threadCount {
                let thread = try WorkerThread.start(name: "update-\(index)") { [unowned self] in run(thread: index) }
                threads.withLock { $0.append(thread) }
            }
        } catch {
            close()  // the threads that did start must not outlive this object
            throw error
        }
    }

    func submit(_ task: ChunkTask, _ chunk: Int) {
        guard threadCount > 0 else {
            let outcome = perform(task, chunk, 0)
            queue.withLock { $0.finished.append((chunk, task, outcome)) }
            return
        }
        queue.withLock { $0.waiting.append((chunk, task)) }
        work.signal()
    }

    func nextFinished() -> (chunk: Int, task: ChunkTask, outcome: ChunkOutcome)? {
        queue.withLock { $0.finished.isEmpty ? nil : $0.finished.removeFirst() }
    }

    /// Ends the threads; chunks that nobody has begun are left.
    func close() {
        queue.withLock { $0.isClosed = true }
        for _ in 0..<threadCount { work.signal() }
        for thread in threads.withLock({ $0 }) { thread.join() }
    }

    private func run(thread: Int) {
        while true {
            work.wait()
            let next = queue.withLock { queue -> (chunk: Int, task: ChunkTask)? in
                guard !queue.isClosed, queue.taken < queue.waiting.count else { return nil }
                defer {
                    if queue.taken == queue.waiting.count {
                        queue.waiting.removeAll(keepingCapacity: true)
                        queue.taken = 0
                    }
                }
                queue.taken += 1
                return queue.waiting[queue.taken - 1]
            }
            guard let (chunk, task) = next else { return }
            let outcome = perform(task, chunk, thread)
            queue.withLock { $0.finished.append((chunk, task, outcome)) }
            completion?.signal()
        }
    }
}

/// What became of a chunk's task.
enum ChunkOutcome: Equatable, Sendable {
    case done
    /// The reduced gradient is NaN or infinite at this element of the layout.
    case notFinite(element: Int)
}
