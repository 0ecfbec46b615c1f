/// The cores that local workers are kept on; empty where the kernel may place them.
///
/// Workers that together have a thread for every core are kept on cores of their own, and more than that share them in turn: a step is as
/// long as its slowest worker, and two that share a core for a moment while another is idle make it longer. Fewer are left to the kernel,
/// which knows what else runs.
public struct WorkerCores: Equatable, Sendable {
    private var cores: [[Int]]

    /// - Parameter available: the cores that the coordinator may use.
    public init(workers: Int, threads: Int, available: [Int]) {
        guard workers > 1, threads > 0, threads <= available.count, workers * threads >= available.count else {
            cores = []
            return
        }
        cores = (0..<workers).map { worker in (0..<threads).map { available[(worker * threads + $0) % available.count] } }
    }

    /// Worker after worker from core 0 on.
    public init(pinned workers: Int, threads: Int) {
        cores = (0..<workers).map { Array($0 * threads..<($0 + 1) * threads) }
    }

    /// Those of a worker that starts in a slot; nil: any.
    public subscript(slot: Int) -> [Int]? {
        cores.indices.contains(slot) ? cores[slot] : nil
    }
}
