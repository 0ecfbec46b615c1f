internal import OperatingSystem

/// The segments that a local worker shares with its coordinator, mapped once per process.
struct WorkerSegments {
    let weights: BlockSegment
    let gradients: BlockSegment

    init(_ option: SharedSegmentsOption, elementCount: Int) throws(SystemError) {
        weights = try BlockSegment.adopt(
            descriptor: option.weightsDescriptor, blockCount: SharedSegmentsOption.weightBlocks, elementCount: elementCount, access: .read)
        gradients = try BlockSegment.adopt(
            descriptor: option.gradientsDescriptor, blockCount: option.gradientBlocks, elementCount: elementCount, access: .readWrite)
    }
}
