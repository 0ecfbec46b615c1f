import Kernels
import Synchronization
import Testing

@Suite struct ComputePoolTests {
    /// Counts how often each task ran, and on which threads.
    private final class Counter: PoolWork {
        /// No lock: the pool's own hand-over has to do, which the thread sanitizer looks at here.
        nonisolated(unsafe) let runs = UnsafeMutableBufferPointer<Int>.allocate(capacity: 100)
        let strangers = Atomic<Int>(0)
        let threads: Int

        init(threads: Int) {
            self.threads = threads
            runs.initialize(repeating: 0)
        }

        deinit { runs.deallocate() }

        func perform(task: Int, thread: Int) {
            runs[task] += 1
            if !(0..<threads).contains(thread) { strangers.add(1, ordering: .relaxed) }
        }
    }

    @Test(arguments: [1, 2, 3, 7])
    func everyTaskRunsOnce(threads: Int) {
        let pool = ComputePool(threads: threads)
        #expect(pool.threads == threads)
        let counter = Counter(threads: threads)
        var expected = [Int](repeating: 0, count: 100)
        for round in 0..<2_000 {
            let tasks = round % 9 == 0 ? 100 : round % 5
            pool.run(tasks: tasks, of: counter)
            for task in 0..<tasks { expected[task] += 1 }
        }
        #expect(Array(counter.runs) == expected)
        #expect(counter.strangers.load(ordering: .relaxed) == 0)
    }

    /// Two tasks that wait for each other finish only if two threads take them.
    private final class Meeting: PoolWork {
        let present = Atomic<Int>(0)
        let tiny = Mutex<[Float]>([])

        func perform(task: Int, thread: Int) {
            present.add(1, ordering: .sequentiallyConsistent)
            while present.load(ordering: .sequentiallyConsistent) < 2 {}
            if thread > 0 { tiny.withLock { $0.append(Float.leastNormalMagnitude * Float(task + 1) * 0.25) } }
        }
    }

    @Test func tasksRunAtTheSameTimeOnConfiguredThreads() {
        let pool = ComputePool(threads: 2), meeting = Meeting()
        pool.run(tasks: 2, of: meeting)
        #expect(meeting.tiny.withLock { $0 } == [0], "a helper thread flushes denormal results to zero")
    }
}
