internal import OperatingSystem

/// The segments that a local worker shares with its coordinator, mapped once per process.
struct WorkerSegments {
    let weights: BlockSegment
    /// One for all sessions: contributions of the last one to the open step may still lie in its blocks.
    let pool: GradientPool

    init(_ option: SharedSegmentsOption, elementCount: Int) throws(SystemError) {
        weights = try BlockSegment.adopt(
            descriptor: option.weightsDescriptor, blockCount: SharedSegmentsOption.weightBlocks, elementCount: elementCount, access: .read)
        let gradients = try BlockSegment.adopt(
            descriptor: option.gradientsDescriptor, blockCount: option.gradientBlocks, elementCount: elementCount, access: .readWrite)
        pool = GradientPool(elementCount: elementCount, shared: gradients)
    }
}
