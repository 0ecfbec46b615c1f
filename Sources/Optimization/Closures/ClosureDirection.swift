internal import Exactness
internal import Kernels

/// How a closure rule chooses its direction, and what it learns from a move.
enum ClosureMethod {
    case lbfgs(LBFGSOptions)
    case conjugateGradient(ConjugateGradientOptions)

    var limits: ClosureLimits {
        switch self {
        case .lbfgs(let options): options.limits
        case .conjugateGradient(let options): options.limits
        }
    }

    /// c₂ of the line search: conjugate directions need the better minimum.
    var flatness: Double {
        switch self {
        case .lbfgs: 0.9
        case .conjugateGradient: 0.1
        }
    }

    /// nil: no search, the first length is taken.
    var lineSearch: LineSearch {
        switch self {
        case .lbfgs(let options): options.lineSearch
        case .conjugateGradient: .strongWolfe
        }
    }

    /// The names of a state's vectors beside the weights, as many as there can be; fewer pairs leave the last ones out.
    var slotNames: [String] {
        switch self {
        case .lbfgs(let options):
            ["gradient"] + (0..<options.history).flatMap { ["weight_change_\($0)", "gradient_change_\($0)"] }
        case .conjugateGradient: ["gradient", "direction"]
        }
    }

    /// Where to go from the state's weights, with the scratch's help.
    func direction(from state: ClosureState, pool: inout BlockPool) -> FloatBlock {
        guard let gradient = state.gradient else { preconditionFailure("a direction needs a gradient") }
        let direction = pool.take()
        let result = direction.mutableView
        switch self {
        case .lbfgs: twoLoops(gradient.view, state, into: result)
        case .conjugateGradient:
            VectorKernels.scale(gradient.view, by: -1, into: result)
            if let last = state.direction, state.scalars.beta != 0 {
                VectorKernels.combine(direction.view, plus: state.scalars.beta, times: last.view, into: result)
            }
        }
        return direction
    }

    /// −H·g, H the inverse Hessian as the pairs tell it.
    /// - Source: Nocedal & Wright, algorithm 7.4.
    private func twoLoops(_ gradient: FloatView, _ state: ClosureState, into result: MutableFloatView) {
        VectorKernels.scale(gradient, by: -1, into: result)
        withFactors(count: state.pairs.count) { factors in
            for (index, pair) in state.pairs.enumerated().reversed() {
                factors[index] = VectorKernels.dot(pair.weightChange.view, result.view) * pair.inverse
                VectorKernels.combine(result.view, plus: -factors[index], times: pair.gradientChange.view, into: result)
            }
            VectorKernels.scale(result.view, by: state.scalars.scale, into: result)
            for (index, pair) in state.pairs.enumerated() {
                let factor = VectorKernels.dot(pair.gradientChange.view, result.view) * pair.inverse
                VectorKernels.combine(result.view, plus: factors[index] - factor, times: pair.weightChange.view, into: result)
            }
        }
    }

    private func withFactors(count: Int, _ body: (inout [Double]) -> Void) {
        var factors = [Double](repeating: 0, count: count)
        body(&factors)
    }

    /// The first length to try along `direction`.
    func firstLength(_ state: ClosureState, slope: Double) -> Double {
        guard let gradient = state.gradient else { preconditionFailure("a length needs a gradient") }
        func cautious(_ rate: Double) -> Double { min(1, 1 / VectorKernels.sumOfMagnitudes(gradient.view)) * rate }
        switch self {
        case .lbfgs(let options):
            return state.pairs.isEmpty ? cautious(options.learningRate) : options.learningRate
        case .conjugateGradient:
            // The first-order change is taken to be that of the last move (Nocedal & Wright, section 3.5).
            guard state.direction != nil, state.scalars.lastLength > 0 else { return cautious(1) }
            return state.scalars.lastLength * state.scalars.lastSlope / slope
        }
    }

    /// Takes note of a move by `length` along `direction` that led from `before` to `state`.
    func learn(
        _ state: inout ClosureState, from before: ClosureState, direction: FloatBlock, length: Double, slope: Double,
        pool: inout BlockPool
    ) {
        guard let old = before.gradient, let new = state.gradient else { preconditionFailure("a move has a gradient at both ends") }
        switch self {
        case .lbfgs(let options):
            let weightChange = pool.take()
            let gradientChange = pool.take()
            VectorKernels.scale(direction.view, by: length, into: weightChange.mutableView)
            VectorKernels.combine(new.view, plus: -1, times: old.view, into: gradientChange.mutableView)
            let curvature = VectorKernels.dot(gradientChange.view, weightChange.view)
            guard curvature > Self.smallestCurvature else { return }
            if state.pairs.count == options.history { state.pairs.removeFirst() }
            state.pairs.append(CurvaturePair(weightChange: weightChange, gradientChange: gradientChange))
            state.scalars.scale = curvature / VectorKernels.dot(gradientChange.view, gradientChange.view)
        case .conjugateGradient(let options):
            state.direction = direction
            state.scalars.lastLength = length
            state.scalars.lastSlope = slope
            state.scalars.sinceRestart += 1
            let square = VectorKernels.dot(new.view, new.view)
            let product = VectorKernels.dot(new.view, old.view)
            // Polak & Ribière, never negative (Gilbert & Nocedal 1992).
            state.scalars.beta = max(0, (square - product) / VectorKernels.dot(old.view, old.view))
            var restarts = abs(product) >= Self.farFromOrthogonal * square
            if case .every(let count) = options.restart, state.scalars.sinceRestart >= count { restarts = true }
            if restarts {
                state.scalars.beta = 0
                state.scalars.sinceRestart = 0
            }
        }
    }

    /// PyTorch's: a pair with less tells nothing of the Hessian.
    private static let smallestCurvature = 1e-10
    /// Powell, "Restart procedures for the conjugate gradient method", 1977.
    private static let farFromOrthogonal = 0.2
}
