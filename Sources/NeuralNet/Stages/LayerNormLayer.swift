internal import Kernels

/// y = (x − mean) / √(variance + ε) ⊙ scale + shift, mean and (biased) variance of the whole row.
///
/// Source: Ba et al., "Layer Normalization", 2016, eq. 4. Backward computes the moments again: they cost less than a place to keep them.
/// - Shapes: x and y `[rows, width]`; scale and shift have the shape of a row.
struct LayerNormLayer: RowOperation {
    var width: Int
    var epsilon: Double
    /// Scale, then shift.
    var range: Range<Int>

    var outputWidth: Int { width }
    var parameters: Range<Int>? { range }

    func forward(_ kernels: NetKernels, _ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
        kernels.layerNorm(x, parameters: leaf.parameters, epsilon: epsilon, rows: leaf.rows, width: width, into: y)
    }

    func backward(
        _ kernels: NetKernels, _ leaf: LeafCall, x: FloatView, y: FloatView, dy: FloatView, dx: MutableFloatView?,
        gradient: MutableFloatView
    ) {
        kernels.layerNormBackward(
            x: x, dy: dy, parameters: leaf.parameters, epsilon: epsilon, rows: leaf.rows, width: width, dx: dx, gradient: gradient)
    }
}
