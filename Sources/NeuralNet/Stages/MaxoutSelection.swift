internal import Kernels

/// What makes a dense stage of units · pieces outputs a maxout layer: unit j gives the largest of its pieces j·k ..< (j+1)·k, the lowest
/// index on ties; only that piece gets the gradient.
///
/// Source: Goodfellow et al., "Maxout Networks", ICML 2013, §3. Backward finds the winners again from the pieces, which the dense stage keeps.
/// - Shapes: x `[rows, units · pieces]`, y `[rows, units]`.
struct MaxoutSelection: LeafOperation {
    var units: Int
    var pieces: Int

    var outputWidth: Int { units }

    func makeWorker(_ engine: LeafWorkerContext, source: (any LeafWorker)?) -> any LeafWorker {
        Worker(self, kernels: engine.kernels)
    }

    private final class Worker: LeafWorker {
        let layer: MaxoutSelection
        let kernels: NetKernels

        init(_ layer: MaxoutSelection, kernels: NetKernels) {
            self.layer = layer
            self.kernels = kernels
        }

        func outputCount(rows: Int) -> Int { rows * layer.units }

        func forward(_ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
            kernels.maxout(x, pieces: layer.pieces, count: leaf.rows * layer.units, into: y)
        }

        func backward(
            _ leaf: LeafCall, x: FloatView, y: FloatView, dy: MutableFloatView, dx: MutableFloatView?, gradient: MutableFloatView
        ) {
            if let dx { kernels.maxoutBackward(z: x, dy: dy.view, pieces: layer.pieces, count: leaf.rows * layer.units, dz: dx) }
        }
    }
}
