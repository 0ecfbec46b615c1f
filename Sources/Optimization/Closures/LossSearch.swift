public import Kernels

/// Who asks for loss and gradient at weights of its choice, several times per step: somebody else evaluates.
///
/// Its answers are a function of what it was fed. What has a default is of those that lead from step to step.
public protocol LossSearch: AnyObject {
    /// Whose loss and gradient it takes.
    var objective: PenalizedObjective { get }
    /// After the last complete step.
    var weights: FloatBlock { get }
    /// Those before it; nil before the first.
    var formerWeights: FloatBlock? { get }
    /// The objective's gradient at the weights, where it is known.
    var gradient: FloatBlock? { get }
    /// Evaluations so far, those of an unfinished step included.
    var evaluations: UInt64 { get }
    /// What it keeps from step to step beside the weights.
    var scalars: ClosureScalars { get }
    var slotNames: [String] { get }
    var slots: [FloatBlock] { get }

    /// - Parameter isSameObjective: whether loss and gradient at the weights are still those that the last step ended with.
    func beginStep(isSameObjective: Bool) -> ClosureMachine.Turn
    /// Writes the weights at which loss and gradient are wanted; those of the step where it is done.
    func writeTrial(into weights: MutableFloatView)
    /// Takes an evaluation: the mean data loss, the sum of its gradients over `sampleCount` rows, and where it was evaluated.
    func take(loss: Double, gradientSum: FloatView, sampleCount: Int, weights: FloatView) -> ClosureMachine.Turn
    /// The step that is done becomes the state.
    func commit()
    /// Goes on where another search of the same kind was after a complete step.
    func restore(weights: FloatBlock, slots: [FloatBlock], scalars: ClosureScalars)
}

extension LossSearch {
    public var formerWeights: FloatBlock? { nil }
    public var gradient: FloatBlock? { nil }
    public var scalars: ClosureScalars { ClosureScalars() }
    public var slotNames: [String] { [] }
    public var slots: [FloatBlock] { [] }
    public func commit() {}
    public func restore(weights: FloatBlock, slots: [FloatBlock], scalars: ClosureScalars) {}
}

extension ClosureMachine: LossSearch {}
