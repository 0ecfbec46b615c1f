/// What a local parameter server is told on its command line of the segments that it shares with its coordinator and the local workers.
public struct ServerSegmentsOption: Sendable {
    public var weightsDescriptor: Int32
    /// The gradient segments' descriptors begin here.
    public var firstGradients: Int32
    public var segmentCount: Int
    /// In each gradient segment.
    public var gradientBlocks: Int

    init(segmentCount: Int, gradientBlocks: Int) {
        weightsDescriptor = SharedSegmentsOption.firstDescriptor
        firstGradients = weightsDescriptor + 1
        self.segmentCount = segmentCount
        self.gradientBlocks = gradientBlocks
    }

    /// From `WEIGHTS:FIRST:COUNT:BLOCKS`, two descriptors and two counts.
    public init?(_ text: String) {
        let numbers = text.split(separator: ":", omittingEmptySubsequences: false).map { Int32($0) }
        guard numbers.count == 4, let weights = numbers[0], let first = numbers[1], let count = numbers[2], let blocks = numbers[3],
            weights >= SharedSegmentsOption.firstDescriptor, first > weights, count > 0, count <= Int32.max - first, blocks > 0
        else { return nil }
        weightsDescriptor = weights
        firstGradients = first
        segmentCount = Int(count)
        gradientBlocks = Int(blocks)
    }

    var text: String { "\(weightsDescriptor):\(firstGradients):\(segmentCount):\(gradientBlocks)" }
}
