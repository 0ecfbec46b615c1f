internal import Kernels

/// y = eˣ / Σeˣ over a row.
/// - Shapes: x and y `[rows, width]`.
struct SoftmaxLayer: LeafOperation {
    var width: Int

    var outputWidth: Int { width }
    var keepsOutput: Bool { true }

    func makeWorker(_ engine: LeafWorkerContext, source: (any LeafWorker)?) -> any LeafWorker {
        Worker(width: width, kernels: engine.kernels)
    }

    private final class Worker: LeafWorker {
        let width: Int
        let kernels: NetKernels

        init(width: Int, kernels: NetKernels) {
            self.width = width
            self.kernels = kernels
        }

        func outputCount(rows: Int) -> Int { rows * width }

        func forward(_ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
            kernels.softmax(x, rows: leaf.rows, width: width, into: y)
        }

        func backward(
            _ leaf: LeafCall, x: FloatView, y: FloatView, dy: MutableFloatView, dx: MutableFloatView?, gradient: MutableFloatView
        ) {
            if let dx { kernels.softmaxBackward(y: y, dy: dy.view, rows: leaf.rows, width: width, dx: dx) }
        }
    }
}
