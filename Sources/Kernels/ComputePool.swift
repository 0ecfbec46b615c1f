internal import CKernels

/// Work that can be cut into tasks which run at the same time.
public protocol PoolWork: AnyObject {
    /// - Parameter thread: 0 ..< the pool's threads; two tasks with equal `thread` never overlap.
    func perform(task: Int, thread: Int)
}

/// A fork-join pool: the caller and helper threads that sleep between calls.
///
/// One thread at a time may call `run`. It allocates nothing; with one thread it is a plain loop.
public final class ComputePool {
    private let pool: OpaquePointer?
    private var work: (any PoolWork)?

    /// Threads that take tasks, the caller included; less than asked for if the system refuses some.
    public let threads: Int

    public init(threads: Int) {
        precondition(threads >= 1, "a pool has at least the calling thread")
        pool = threads > 1 ? ck_pool_create(threads - 1) : nil
        self.threads = 1 + (pool.map { ck_pool_helpers($0) } ?? 0)
    }

    deinit {
        if let pool { ck_pool_destroy(pool) }
    }

    /// Performs tasks 0..<tasks and returns when all are done.
    public func run(tasks: Int, of work: some PoolWork) {
        guard let pool, tasks > 1 else {
            for task in 0..<tasks { work.perform(task: task, thread: 0) }
            return
        }
        self.work = work
        let body: ck_pool_body = { context, task, thread in
            guard let context else { return }
            Unmanaged<ComputePool>.fromOpaque(context).takeUnretainedValue().work?.perform(task: task, thread: thread)
        }
        ck_pool_run(pool, tasks, body, Unmanaged.passUnretained(self).toOpaque())
        self.work = nil
    }
}
