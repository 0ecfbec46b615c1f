public import Kernels

/// A closure rule as a state machine: it is fed loss and gradient, and answers where to evaluate next or that the step is done.
///
/// It never calls anybody: `Optimizer.step` feeds it from a closure, the parameter server from passes over the workers. Its bits are a
/// function of what it was fed. A step becomes the state by `commit()`; until then `rollBack()` gives back the one before.
///
///     var turn = machine.beginStep(isSameObjective: false)
///     while turn == .evaluate {
///         machine.writeTrial(into: weights)
///         turn = machine.take(loss: …, gradientSum: …, sampleCount: …, weights: weights)
///     }
///     machine.commit()
///
/// - Source: L-BFGS: Nocedal & Wright, algorithm 7.5; order of tests and defaults as PyTorch's `LBFGS`. Conjugate gradient: algorithm
///   5.4 with Polak–Ribière⁺.
public final class ClosureMachine {
    public enum Turn: Equatable, Sendable {
        /// Wants loss and gradient at the trial weights.
        case evaluate
        case stepDone
        /// Loss or gradient at the weights themselves is NaN or infinite; nil: the loss.
        case notFinite(element: Int?)
    }

    private enum Phase {
        case idle
        /// The weights themselves are evaluated.
        case starting
        case searching(direction: FloatBlock, slope: Double, length: Double)
    }

    public let objective: PenalizedObjective
    let method: ClosureMethod
    private var limits: ClosureLimits { method.limits }
    private var pool: BlockPool
    private var committed: ClosureState
    /// Of the committed step's predecessor.
    private var former: FloatBlock?
    private var state: ClosureState
    private var phase = Phase.idle
    private var search: WolfeSearch<FloatBlock>?
    private var stepEvaluations = 0
    private var stepMoves = 0

    /// - Parameter weights: copied.
    /// - Throws: where the rule evaluates but once per step, or has an option outside its range.
    public init(rule: RuleSpecification, objective: PenalizedObjective, weights: FloatBlock) throws(OptimizationError) {
        try rule.validate()
        guard let method = rule.closureMethod else {
            throw .option("rule", problem: "\(rule.keyword) takes one evaluation per step, it needs no search")
        }
        precondition(weights.count == objective.elementCount, "the objective's segments cover the weights")
        self.method = method
        self.objective = objective
        pool = BlockPool(elementCount: weights.count)
        let block = pool.take()
        block.mutableView.copy(from: weights.view)
        committed = ClosureState(weights: block)
        state = committed
    }

    // MARK: The complete step

    /// The weights after the last complete step.
    public var weights: FloatBlock { committed.weights }
    /// Those before it; nil before the first.
    public var formerWeights: FloatBlock? { former }
    /// The objective's gradient at the weights; nil before the first evaluation.
    public var gradient: FloatBlock? { committed.gradient }
    public var scalars: ClosureScalars { committed.scalars }
    /// Evaluations so far, those of an unfinished step included.
    public var evaluations: UInt64 { state.scalars.evaluations }

    public var slotNames: [String] { method.slotNames }

    /// The vectors of the complete step, in the order of `slotNames`; as many of them as there are by now.
    public var slots: [FloatBlock] {
        guard let gradient = committed.gradient else { return [] }
        switch method {
        case .lbfgs: return [gradient] + committed.pairs.flatMap { [$0.weightChange, $0.gradientChange] }
        case .conjugateGradient: return [gradient] + (committed.direction.map { [$0] } ?? [])
        }
    }

    /// Goes on where another machine of the same rule was after a complete step: its weights, slots and scalars.
    public func restore(weights: FloatBlock, slots: [FloatBlock], scalars: ClosureScalars) {
        precondition(slots.count <= slotNames.count, "slots of another rule")
        func copied(_ block: FloatBlock) -> FloatBlock {
            let copy = pool.take()
            copy.mutableView.copy(from: block.view)
            return copy
        }
        var restored = ClosureState(weights: copied(weights))
        restored.scalars = scalars
        restored.gradient = slots.first.map(copied)
        switch method {
        case .lbfgs:
            for index in stride(from: 1, to: slots.count - 1, by: 2) {
                restored.pairs.append(CurvaturePair(weightChange: copied(slots[index]), gradientChange: copied(slots[index + 1])))
            }
        case .conjugateGradient:
            restored.direction = slots.count > 1 ? copied(slots[1]) : nil
        }
        committed = restored
        former = nil
        rollBack()
    }

    /// The step that is done becomes the state.
    public func commit() {
        guard case .idle = phase else { preconditionFailure("a step is committed when it is done") }
        former = committed.weights
        committed = state
    }

    /// Throws an unfinished step away, its count of evaluations excepted.
    public func rollBack() {
        let evaluations = max(state.scalars.evaluations, committed.scalars.evaluations)
        state = committed
        state.scalars.evaluations = evaluations
        phase = .idle
        search = nil
    }

    // MARK: A step

    /// - Parameter isSameObjective: whether loss and gradient at the weights are still those that the last step ended with.
    public func beginStep(isSameObjective: Bool) -> Turn {
        guard case .idle = phase else { preconditionFailure("a step begins when the last one is done") }
        stepEvaluations = 0
        stepMoves = 0
        if isSameObjective, state.gradient != nil { return state.scalars.isExhausted ? .stepDone : nextIteration() }
        state.scalars.isExhausted = false
        phase = .starting
        return .evaluate
    }

    /// Writes the weights at which loss and gradient are wanted.
    public func writeTrial(into weights: MutableFloatView) {
        switch phase {
        case .idle, .starting: weights.copy(from: state.weights.view)
        case .searching(let direction, _, let length):
            VectorKernels.combine(state.weights.view, plus: length, times: direction.view, into: weights)
        }
    }

    /// Takes an evaluation.
    /// - Parameters:
    ///   - loss: the mean data loss, without penalties.
    ///   - gradientSum: of the data loss; its mean is over `sampleCount`.
    ///   - weights: where it was evaluated, as `writeTrial` wrote them.
    public func take(loss: Double, gradientSum: FloatView, sampleCount: Int, weights: FloatView) -> Turn {
        stepEvaluations += 1
        state.scalars.evaluations += 1
        let gradient = pool.take()
        objective.gradient(sum: gradientSum, sampleCount: sampleCount, weights: weights, into: gradient.mutableView)
        let value = loss + objective.penalty(of: weights)
        let isFinite = value.isFinite && VectorKernels.largestMagnitude(gradient.view).isFinite
        switch phase {
        case .idle: preconditionFailure("nothing was asked for")
        case .starting:
            guard isFinite else {
                let wild = (0..<gradient.count).first { !gradient.view[$0].isFinite }
                rollBack()
                return .notFinite(element: wild)
            }
            state.gradient = gradient
            state.scalars.loss = value
            return nextIteration()
        case .searching(let direction, let slope, let length):
            let newSlope = isFinite ? VectorKernels.dot(gradient.view, direction.view) : .nan
            guard search != nil else {
                let point = WolfeSearch.Point(length: length, loss: value, slope: newSlope, payload: gradient)
                guard isFinite else { return stuck() }
                return move(to: point, along: direction, slope: slope)
            }
            switch search?.take(loss: isFinite ? value : .infinity, slope: newSlope, payload: gradient) {
            case .evaluate(let length):
                phase = .searching(direction: direction, slope: slope, length: length)
                return .evaluate
            case .done(let point):
                return point.length == 0 ? stuck() : move(to: point, along: direction, slope: slope)
            case nil: preconditionFailure("a search is under way")
            }
        }
    }

    private func nextIteration() -> Turn {
        guard let gradient = state.gradient, let loss = state.scalars.loss else { preconditionFailure("an iteration needs a gradient") }
        if stepEvaluations >= limits.maxEvaluations { return done() }
        if Double(VectorKernels.largestMagnitude(gradient.view)) <= limits.toleranceGradient { return done() }
        var direction = method.direction(from: state, pool: &pool)
        var slope = VectorKernels.dot(gradient.view, direction.view)
        if !(slope < 0) {
            state.forget()
            direction = method.direction(from: state, pool: &pool)
            slope = VectorKernels.dot(gradient.view, direction.view)
        }
        guard slope <= -limits.toleranceChange else { return done() }
        let length = method.firstLength(state, slope: slope)
        phase = .searching(direction: direction, slope: slope, length: length)
        search = nil
        if method.lineSearch == .strongWolfe {
            search = WolfeSearch(
                from: .init(length: 0, loss: loss, slope: slope, payload: gradient), firstLength: length, flatness: method.flatness,
                directionSize: Double(VectorKernels.largestMagnitude(direction.view)), toleranceChange: limits.toleranceChange,
                mostEvaluations: limits.maxEvaluations - stepEvaluations)
        }
        return .evaluate
    }

    private func move(to point: WolfeSearch<FloatBlock>.Point, along direction: FloatBlock, slope: Double) -> Turn {
        let before = state
        let weights = pool.take()
        VectorKernels.combine(state.weights.view, plus: point.length, times: direction.view, into: weights.mutableView)
        state.weights = weights
        state.gradient = point.payload
        state.scalars.loss = point.loss
        state.scalars.iterations += 1
        stepMoves += 1
        method.learn(&state, from: before, direction: direction, length: point.length, slope: slope, pool: &pool)
        let change = abs(point.length) * Double(VectorKernels.largestMagnitude(direction.view))
        if change <= limits.toleranceChange { return done() }
        if let last = before.scalars.loss, abs(point.loss - last) < limits.toleranceChange { return done() }
        return nextIteration()
    }

    /// No length is better than 0. In a step's first iteration that means that what the rule believes of the loss is of no use: the
    /// next step begins with steepest descent. In a later one the evaluations may just have run out.
    private func stuck() -> Turn {
        guard stepMoves == 0 else { return done() }
        state.scalars.isExhausted = state.isForgetful
        state.forget()
        return done()
    }

    private func done() -> Turn {
        phase = .idle
        search = nil
        return .stepDone
    }
}
