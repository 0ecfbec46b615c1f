internal import Kernels

/// y = x where x > 0, else slope · x, the slopes learned.
///
/// Source: He et al., "Delving Deep into Rectifiers", ICCV 2015, eq. 1.
/// - Shapes: x and y `[rows, width]`; slope `[1]` or `[channels]`, a channel being a unit of a dense row or a whole plane of an image.
struct PReLULayer: LeafOperation {
    var width: Int
    var slope: Range<Int>

    var outputWidth: Int { width }
    var parameters: Range<Int>? { slope }

    func makeWorker(_ engine: LeafWorkerContext, source: (any LeafWorker)?) -> any LeafWorker {
        Worker(self, kernels: engine.kernels)
    }

    private final class Worker: LeafWorker {
        let layer: PReLULayer
        let kernels: NetKernels

        init(_ layer: PReLULayer, kernels: NetKernels) {
            self.layer = layer
            self.kernels = kernels
        }

        func outputCount(rows: Int) -> Int { rows * layer.width }
        var parameterGradientCount: Int { layer.slope.count }

        func forward(_ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
            kernels.prelu(x, slopes: leaf.parameters, rows: leaf.rows, width: layer.width, into: y)
        }

        func backward(
            _ leaf: LeafCall, x: FloatView, y: FloatView, dy: MutableFloatView, dx: MutableFloatView?, gradient: MutableFloatView
        ) {
            kernels.preluBackward(
                x: x, dy: dy.view, slopes: leaf.parameters, rows: leaf.rows, width: layer.width, dx: dx, gradient: gradient)
        }
    }
}
