internal import CLinux
internal import Glibc
internal import Synchronization

/// A named thread with a stack of a size that we choose: for blocking C calls, never on the cooperative pool.
///
/// Join it. One that is not joined when the object goes runs on by itself.
public final class WorkerThread: @unchecked Sendable {  // the handle is used once, under the flag
    /// As the main thread's: oneDNN and libzmq put buffers on the stack.
    public static let defaultStackByteCount = 8 << 20

    private let handle: pthread_t
    private let isJoined = Atomic<Bool>(false)

    private init(handle: pthread_t) {
        self.handle = handle
    }

    deinit {
        if !isJoined.load(ordering: .acquiring) { pthread_detach(handle) }
    }

    /// - Parameter name: the first 15 bytes are shown by ps and debuggers.
    public static func start(
        name: String, stackByteCount: Int = defaultStackByteCount, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> WorkerThread {
        var attributes = pthread_attr_t()
        try checkReturned("pthread_attr_init", pthread_attr_init(&attributes))
        defer { pthread_attr_destroy(&attributes) }
        try checkReturned("pthread_attr_setstacksize", path: name, pthread_attr_setstacksize(&attributes, stackByteCount))
        let task = Unmanaged.passRetained(Task(name: String(decoding: name.utf8.prefix(15), as: UTF8.self), body: body))
        var handle = pthread_t()
        let code = pthread_create(
            &handle, &attributes,
            { argument in
                guard let argument else { return nil }
                let task = Unmanaged<Task>.fromOpaque(argument).takeRetainedValue()
                linux_set_thread_name(task.name)
                task.body()
                return nil
            }, task.toOpaque())
        if code != 0 { task.release() }
        try checkReturned("pthread_create", path: name, code)
        return WorkerThread(handle: handle)
    }

    /// Waits until the body has returned; to be called once.
    public func join() {
        precondition(!isJoined.exchange(true, ordering: .acquiringAndReleasing), "a thread is joined once")
        pthread_join(handle, nil)
    }

    private final class Task: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
