internal import Exactness
public import Kernels

/// What the coordinator's shell asks of its own server, whatever the rule: contributions in, a complete state to keep and to report.
public protocol GradientServer: ChunkServer {
    /// The last complete step.
    var version: UInt64 { get }
    /// Of the last complete step, as are the slots.
    var completeWeights: FloatBlock { get }
    var completeSlots: [FloatBlock] { get }
    var lastLoss: Double { get }
    /// The version whose step's norms are known.
    var normsVersion: UInt64? { get }
    /// The rate that made the complete version; nil at first.
    var lastLearningRate: Double? { get }
    /// Steps that were skipped since their gradient was not finite.
    var skippedSteps: Int { get }
    /// Passes over a batch or over all rows so far.
    var evaluations: UInt64 { get }

    func squareSums(of segments: Range<Int>) -> SquareSums

    /// Sets the weights of version 0, before anything is offered.
    func initializeWeights(_ fill: (FloatBlock) -> Void)
}

extension ParameterServer: GradientServer {
    public var round: UInt64 { version }
    public var completeWeights: FloatBlock { state.currentWeights }
    public var completeSlots: [FloatBlock] { state.currentSlots }
    public var openWeights: FloatBlock { state.currentWeights }
    public var nextWeights: FloatBlock { state.nextWeights }
    public var evaluations: UInt64 { version }

    public func squareSums(of segments: Range<Int>) -> SquareSums { norms.sums(of: segments) }

    public func initializeWeights(_ fill: (FloatBlock) -> Void) { fill(state.currentWeights) }
}

extension StaleServer {
    public var owned: Range<Int> { 0..<chunks.count }
    public var nextWeights: FloatBlock { openWeights }
    /// A version is given out as a whole.
    public func isReady(_ chunk: Int) -> Bool { false }
}
