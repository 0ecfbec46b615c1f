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

    /// y = (x − mean) / √(variance + ε) ⊙ scale + shift, moments of the row; the parameters are scale `[width]`, then shift `[width]`.
    package func layerNorm(_ x: FloatView, parameters: FloatView, epsilon: Double, rows: Int, width: Int, into y: MutableFloatView) {
        precondition(x.count >= rows * width && y.count >= rows * width, "a layer norm beyond its buffer")
        precondition(parameters.count == 2 * width, "a layer norm of another width")
        table.pointee.layer_norm(x.floats, parameters.floats, parameters.floats + width, epsilon, rows, width, y.base)
    }

    /// - Parameter gradient: of scale, then shift.
    package func layerNormBackward(
        x: FloatView, dy: FloatView, parameters: FloatView, epsilon: Double, rows: Int, width: Int, dx: MutableFloatView?,
        gradient: MutableFloatView
    ) {
        precondition(x.count >= rows * width && dy.count >= rows * width, "a layer norm beyond its buffer")
        precondition(dx.map { $0.count >= rows * width } ?? true, "a layer norm beyond its buffer")
        precondition(parameters.count == 2 * width && gradient.count == 2 * width, "a layer norm of another width")
        table.pointee.layer_norm_backward(
            x.floats, dy.floats, parameters.floats, epsilon, rows, width, dx?.base, gradient.base, gradient.base + width)
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
