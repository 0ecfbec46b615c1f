internal import Kernels

/// What makes a dense stage of units · pieces outputs a maxout layer: unit j gives the largest of its pieces j·k ..< (j+1)·k, the lowest
/// index on ties; only that piece gets the gradient.
///
/// Source: Goodfellow et al., "Maxout Networks", ICML 2013, §3. Backward finds the winners again from the pieces, which the dense stage keeps.
/// - Shapes: x `[rows, units · pieces]`, y `[rows, units]`.
struct MaxoutSelection: RowOperation {
    var units: Int
    var pieces: Int

    var outputWidth: Int { units }

    func forward(_ kernels: NetKernels, _ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
        kernels.maxout(x, pieces: pieces, count: leaf.rows * units, into: y)
    }

    func backward(
        _ kernels: NetKernels, _ leaf: LeafCall, x: FloatView, y: FloatView, dy: FloatView, dx: MutableFloatView?,
        gradient: MutableFloatView
    ) {
        if let dx { kernels.maxoutBackward(z: x, dy: dy, pieces: pieces, count: leaf.rows * units, dz: dx) }
    }

    func addWins(x: FloatView, rows: Int, to wins: inout [Int]) {
        for output in 0..<rows * units {
            let first = output * pieces
            var winner = 0
            for piece in 1..<pieces where x[first + piece] > x[first + winner] { winner = piece }
            wins[winner] += 1
        }
    }
}
