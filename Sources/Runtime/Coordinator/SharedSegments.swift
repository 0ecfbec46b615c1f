internal import Kernels
internal import OperatingSystem

/// The coordinator's side of the shared memory: the weights, and a gradient segment for every local worker process.
final class SharedSegments {
    /// Nodes that a worker may send at a time through its segment; with more it falls back to messages.
    private static let mostNodes = 16
    private static let blocksPerNode = 3

    private let weights: BlockSegment
    /// The blocks of `weights`, which workers read.
    let weightBlocks: [FloatBlock]
    private var gradients: [Int32: BlockSegment] = [:]
    /// Of processes that are gone, as contributions to the open step may still lie in them.
    private var retired: [BlockSegment] = []
    private let elementCount: Int
    private let gradientBlocks: Int

    init(elementCount: Int, shardCount: Int) throws(SystemError) {
        self.elementCount = elementCount
        gradientBlocks = Self.blocksPerNode * min(max(shardCount / 2, 1), Self.mostNodes)
        let weights = try BlockSegment.create(
            blockCount: SharedSegmentsOption.weightBlocks, elementCount: elementCount, sharing: .creatorWrites, name: "dnn-weights")
        self.weights = weights
        weightBlocks = (0..<weights.blockCount).map { weights.writableBlock($0) }
    }

    /// A fresh segment for a worker that is about to be started, and what the worker has to be given.
    func prepare() throws(SystemError) -> (segment: BlockSegment, option: SharedSegmentsOption, descriptors: [ChildProcess.Inheritance]) {
        let segment = try BlockSegment.create(
            blockCount: gradientBlocks, elementCount: elementCount, sharing: .allWrite, name: "dnn-gradients")
        let option = SharedSegmentsOption(gradientBlocks: gradientBlocks)
        return (
            segment, option,
            [
                ChildProcess.Inheritance(weights.memory.descriptor, as: option.weightsDescriptor),
                ChildProcess.Inheritance(segment.memory.descriptor, as: option.gradientsDescriptor),
            ]
        )
    }

    func adopt(_ segment: BlockSegment, of processID: Int32) {
        gradients[processID] = segment
    }

    func gradients(of processID: Int32) -> BlockSegment? {
        gradients[processID]
    }

    /// The process is gone; its segment stays until the open step is over.
    func retire(_ processID: Int32) {
        if let segment = gradients.removeValue(forKey: processID) { retired.append(segment) }
    }

    func stepCompleted() {
        if !retired.isEmpty { retired.removeAll() }
    }
}
