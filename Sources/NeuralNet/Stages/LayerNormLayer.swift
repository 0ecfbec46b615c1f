internal import Kernels

/// y = (x − mean) / √(variance + ε) ⊙ scale + shift, mean and (biased) variance of the whole row.
///
/// Source: Ba et al., "Layer Normalization", 2016, eq. 4. Backward computes the moments again: they cost less than a place to keep them.
/// - Shapes: x and y `[rows, width]`; scale and shift have the shape of a row.
struct LayerNormLayer: LeafOperation {
    var width: Int
    var epsilon: Double
    /// Scale, then shift.
    var range: Range<Int>

    var outputWidth: Int { width }
    var parameters: Range<Int>? { range }

    func makeWorker(_ engine: LeafWorkerContext, source: (any LeafWorker)?) -> any LeafWorker {
        Worker(self, kernels: engine.kernels)
    }

    private final class Worker: LeafWorker {
        let layer: LayerNormLayer
        let kernels: NetKernels

        init(_ layer: LayerNormLayer, kernels: NetKernels) {
            self.layer = layer
            self.kernels = kernels
        }

        func outputCount(rows: Int) -> Int { rows * layer.width }
        var parameterGradientCount: Int { layer.range.count }

        func forward(_ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
            kernels.layerNorm(x, parameters: leaf.parameters, epsilon: layer.epsilon, rows: leaf.rows, width: layer.width, into: y)
        }

        func backward(
            _ leaf: LeafCall, x: FloatView, y: FloatView, dy: MutableFloatView, dx: MutableFloatView?, gradient: MutableFloatView
        ) {
            kernels.layerNormBackward(
                x: x, dy: dy.view, parameters: leaf.parameters, epsilon: layer.epsilon, rows: leaf.rows, width: layer.width, dx: dx,
                gradient: gradient)
        }
    }
}
