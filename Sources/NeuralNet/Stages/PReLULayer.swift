internal import Kernels

/// y = x where x > 0, else slope · x, the slopes learned.
///
/// Source: He et al., "Delving Deep into Rectifiers", ICCV 2015, eq. 1.
/// - Shapes: x and y `[rows, width]`; slope `[1]` or `[channels]`, a channel being a unit of a dense row or a whole plane of an image.
struct PReLULayer: RowOperation {
    var width: Int
    var slope: Range<Int>

    var outputWidth: Int { width }
    var parameters: Range<Int>? { slope }

    func forward(_ kernels: NetKernels, _ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
        kernels.prelu(x, slopes: leaf.parameters, rows: leaf.rows, width: width, into: y)
    }

    func backward(
        _ kernels: NetKernels, _ leaf: LeafCall, x: FloatView, y: FloatView, dy: FloatView, dx: MutableFloatView?,
        gradient: MutableFloatView
    ) {
        kernels.preluBackward(x: x, dy: dy, slopes: leaf.parameters, rows: leaf.rows, width: width, dx: dx, gradient: gradient)
    }
}
