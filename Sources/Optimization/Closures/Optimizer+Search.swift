internal import Kernels

extension Optimizer {
    /// A step of a closure rule: evaluates wherever the machine wants it.
    func search<Loss>(_ machine: ClosureMachine, _ closure: () throws -> Loss) throws -> Loss {
        if !VectorKernels.areEqual(machine.weights.view, weights.view) {
            // Somebody else has set the weights: what was learnt before tells nothing of them.
            machine.restore(weights: weights, slots: [], scalars: ClosureScalars())
        }
        var first: Loss?
        do {
            var turn = machine.beginStep(isSameObjective: false)
            while turn == .evaluate {
                machine.writeTrial(into: weights.mutableView)
                let loss = try closure()
                if first == nil { first = loss }
                turn = machine.take(
                    loss: try number(loss), gradientSum: gradient.view, sampleCount: 1, weights: weights.view)
            }
            if case .notFinite(let element) = turn { throw notFinite(element) }
        } catch {
            machine.rollBack()
            weights.mutableView.copy(from: machine.weights.view)
            throw error
        }
        machine.commit()
        weights.mutableView.copy(from: machine.weights.view)
        stepCount += 1
        guard let first else { preconditionFailure("a step begins with an evaluation") }
        return first
    }

    /// Why `step()` cannot do.
    var noClosure: OptimizationError {
        .option("rule", problem: "it evaluates the loss several times per step: use step { … } with a closure that returns the loss")
    }

    private func number(_ loss: some Any) throws(OptimizationError) -> Double {
        guard let value = loss as? any BinaryFloatingPoint else {
            throw .option("rule", problem: "it compares losses: the closure must return a floating-point number, got \(type(of: loss))")
        }
        func converted(_ value: some BinaryFloatingPoint) -> Double { Double(value) }
        return converted(value)
    }

    private func notFinite(_ element: Int?) -> OptimizationError {
        element.map { .gradientNotFinite(element: $0, step: stepCount + 1) } ?? .lossNotFinite(step: stepCount + 1)
    }
}
