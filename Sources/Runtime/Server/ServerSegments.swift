internal import Kernels
internal import OperatingSystem

/// The segments that a local server shares with its coordinator and the local workers, mapped once per process.
struct ServerSegments {
    /// The blocks of weights: this server writes its own chunks, the coordinator and other servers theirs.
    let weightBlocks: [FloatBlock]
    /// Those of all local workers there will be; `ServedSession` says which is whose.
    private let gradients: [BlockSegment]

    /// Weights are mapped before the coordinator closes them to further writers.
    init(_ option: ServerSegmentsOption, elementCount: Int) throws(SystemError) {
        let weights = try BlockSegment.adopt(
            descriptor: option.weightsDescriptor, blockCount: SharedSegmentsOption.weightBlocks, elementCount: elementCount,
            access: .readWrite)
        weightBlocks = (0..<weights.blockCount).map { weights.writableBlock($0) }
        var gradients: [BlockSegment] = []
        for index in 0..<option.segmentCount {
            gradients.append(
                try BlockSegment.adopt(
                    descriptor: option.firstGradients + Int32(index), blockCount: option.gradientBlocks, elementCount: elementCount,
                    access: .read))
        }
        self.gradients = gradients
    }

    /// The floats of a worker's gradient block; nil if there is no such block.
    func gradient(segment: Int, block: UInt64) -> FloatView? {
        guard gradients.indices.contains(segment), block < UInt64(gradients[segment].blockCount) else { return nil }
        return gradients[segment].view(Int(block))
    }
}
