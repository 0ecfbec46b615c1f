internal import Kernels

/// A leaf operation on rows that keeps nothing from pass to pass: its description is all that its worker knows.
protocol RowOperation: LeafOperation {
    func forward(_ kernels: NetKernels, _ leaf: LeafCall, x: FloatView, y: MutableFloatView)
    /// As a worker's: `dx` and `gradient` are written whole.
    func backward(
        _ kernels: NetKernels, _ leaf: LeafCall, x: FloatView, y: FloatView, dy: FloatView, dx: MutableFloatView?,
        gradient: MutableFloatView)
    /// Adds to each piece how many outputs it wins in so many rows of the input.
    func addWins(x: FloatView, rows: Int, to wins: inout [Int])
}

extension RowOperation {
    func addWins(x: FloatView, rows: Int, to wins: inout [Int]) {}

    func makeWorker(_ engine: LeafWorkerContext, source: (any LeafWorker)?) -> any LeafWorker {
        RowWorker(self, kernels: engine.kernels)
    }
}

private final class RowWorker<Operation: RowOperation>: LeafWorker {
    private let operation: Operation
    private let kernels: NetKernels

    init(_ operation: Operation, kernels: NetKernels) {
        self.operation = operation
        self.kernels = kernels
    }

    func outputCount(rows: Int) -> Int { rows * operation.outputWidth }
    var parameterGradientCount: Int { operation.parameters?.count ?? 0 }

    func forward(_ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
        operation.forward(kernels, leaf, x: x, y: y)
    }

    func backward(
        _ leaf: LeafCall, x: FloatView, y: FloatView, dy: MutableFloatView, dx: MutableFloatView?, gradient: MutableFloatView
    ) {
        operation.backward(kernels, leaf, x: x, y: y, dy: dy.view, dx: dx, gradient: gradient)
    }

    func addWins(x: FloatView, rows: Int, to wins: inout [Int]) {
        operation.addWins(x: x, rows: rows, to: &wins)
    }
}
