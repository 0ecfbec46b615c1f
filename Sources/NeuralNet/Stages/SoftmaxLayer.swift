internal import Kernels

/// y = eˣ / Σeˣ over a row.
/// - Shapes: x and y `[rows, width]`.
struct SoftmaxLayer: RowOperation {
    var width: Int

    var outputWidth: Int { width }
    var keepsOutput: Bool { true }

    func forward(_ kernels: NetKernels, _ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
        kernels.softmax(x, rows: leaf.rows, width: width, into: y)
    }

    func backward(
        _ kernels: NetKernels, _ leaf: LeafCall, x: FloatView, y: FloatView, dy: FloatView, dx: MutableFloatView?,
        gradient: MutableFloatView
    ) {
        if let dx { kernels.softmaxBackward(y: y, dy: dy, rows: leaf.rows, width: width, dx: dx) }
    }
}
