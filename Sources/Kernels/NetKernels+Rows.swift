internal import CKernels

/// Layers that look at a whole row, or at several elements for one. Parameter gradients are written over.
extension NetKernels {
    // MARK: Softmax

    /// y = softmax(x), row by row; both `[rows, width]`.
    package func softmax(_ x: FloatView, rows: Int, width: Int, into y: MutableFloatView) {
        precondition(x.count >= rows * width && y.count >= rows * width, "a softmax beyond its buffer")
        table.pointee.softmax(x.floats, rows, width, y.base)
    }

    /// dx = y ⊙ (dy − Σ dy·y).
    package func softmaxBackward(y: FloatView, dy: FloatView, rows: Int, width: Int, dx: MutableFloatView) {
        precondition(y.count >= rows * width && dy.count >= rows * width && dx.count >= rows * width, "a softmax beyond its buffer")
        table.pointee.softmax_backward(y.floats, dy.floats, rows, width, dx.base)
    }

    // MARK: Layer norm

    /// y = x − mean of the row, `[rows, width]`, and the rows' variances, for a `RowNormalization`.
    func center(_ x: FloatView, rows: Int, width: Int, into y: MutableFloatView, variances: MutableFloatView) {
        precondition(x.count >= rows * width && y.count >= rows * width && variances.count >= rows, "a layer norm beyond its buffer")
        table.pointee.center_rows(x.floats, rows, width, y.base, variances.base)
    }

    // MARK: PReLU

    /// y = x where x > 0, else slope · x; a row is as many runs of equal length as there are slopes.
    package func prelu(_ x: FloatView, slopes: FloatView, rows: Int, width: Int, into y: MutableFloatView) {
        precondition(x.count >= rows * width && y.count >= rows * width, "a PReLU beyond its buffer")
        precondition(slopes.count > 0 && width % slopes.count == 0, "slopes that do not divide the row")
        table.pointee.prelu(x.floats, slopes.floats, slopes.count, rows, width, y.base)
    }

    package func preluBackward(
        x: FloatView, dy: FloatView, slopes: FloatView, rows: Int, width: Int, dx: MutableFloatView?, gradient: MutableFloatView
    ) {
        precondition(x.count >= rows * width && dy.count >= rows * width, "a PReLU beyond its buffer")
        precondition(dx.map { $0.count >= rows * width } ?? true, "a PReLU beyond its buffer")
        precondition(slopes.count > 0 && width % slopes.count == 0 && gradient.count == slopes.count, "slopes that do not divide the row")
        table.pointee.prelu_backward(x.floats, dy.floats, slopes.floats, slopes.count, rows, width, dx?.base, gradient.base)
    }

    // MARK: Maxout

    /// y[u] = the largest of `pieces` values of z, the first one on ties; `count` is that of y.
    package func maxout(_ z: FloatView, pieces: Int, count: Int, into y: MutableFloatView) {
        precondition(z.count >= count * pieces && y.count >= count && pieces >= 1, "a maxout beyond its buffer")
        table.pointee.maxout(z.floats, pieces, count, y.base)
    }

    /// The winner gets dy, the others 0.
    package func maxoutBackward(z: FloatView, dy: FloatView, pieces: Int, count: Int, dz: MutableFloatView) {
        precondition(z.count >= count * pieces && dz.count >= count * pieces && dy.count >= count, "a maxout beyond its buffer")
        table.pointee.maxout_backward(z.floats, dy.floats, pieces, count, dz.base)
    }
}
