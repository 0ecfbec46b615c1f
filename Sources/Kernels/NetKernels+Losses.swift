internal import CKernels

/// What a loss says about some rows.
package struct LossFigures: Sendable, Equatable {
    /// Sum over rows.
    package var loss = 0.0
    /// Σ(y − t)² over rows and outputs; only losses that compare values have it.
    package var squaredError = 0.0
    /// Rows whose class is right, and whose class is among the five most probable; losses that compare values have none.
    package var correct = 0
    package var topFive = 0

    package init() {}

    init(_ raw: ck_figures) {
        loss = raw.loss
        squaredError = raw.squared_error
        correct = raw.correct
        topFive = raw.top_five
    }
}

/// Losses over rows. `gradient` is always written over; it holds ∂(sum of losses)/∂prediction if `wanted`, otherwise nothing of use.
extension NetKernels {
    /// Logits `[rows, classes]`; a label outside 0..<classes makes the figures NaN. Ties count for the lowest index.
    /// - Parameters:
    ///   - smoothing: share of the target that all classes get alike; Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016, §7.
    ///   - classified: gets the class of the largest logit.
    package func softmaxCrossEntropy(
        logits: FloatView, labels: AlignedBlock<Int32>, rows: Int, classes: Int, smoothing: Float = 0, gradient: MutableFloatView,
        wanted: Bool, classified: AlignedBlock<Int32>? = nil
    ) -> LossFigures {
        precondition(logits.count >= rows * classes && gradient.count >= rows * classes && labels.count >= rows, "a loss beyond its buffer")
        precondition(classified.map { $0.count >= rows } ?? true, "a loss beyond its buffer")
        var raw = ck_figures()
        table.pointee.softmax_cross_entropy(
            logits.floats, labels.base, rows, classes, smoothing, gradient.base, wanted ? 1 : 0, classified?.base, &raw)
        return LossFigures(raw)
    }

    /// One logit per row, targets 0…1; right where logit > 0 agrees with target > ½.
    package func binaryCrossEntropy(
        logits: FloatView, targets: FloatView, rows: Int, gradient: MutableFloatView, wanted: Bool, classified: AlignedBlock<Int32>? = nil
    ) -> LossFigures {
        precondition(logits.count >= rows && gradient.count >= rows && targets.count >= rows, "a loss beyond its buffer")
        precondition(classified.map { $0.count >= rows } ?? true, "a loss beyond its buffer")
        var raw = ck_figures()
        table.pointee.binary_cross_entropy(
            logits.floats, targets.floats, rows, gradient.base, wanted ? 1 : 0, classified?.base, &raw)
        return LossFigures(raw)
    }

    /// Per row the mean over `width` elements of (y − t)².
    package func meanSquaredError(
        _ y: FloatView, targets: FloatView, rows: Int, width: Int, gradient: MutableFloatView, wanted: Bool
    ) -> LossFigures {
        precondition(y.count >= rows * width && gradient.count >= rows * width && targets.count >= rows * width, "a loss beyond its buffer")
        var raw = ck_figures()
        table.pointee.mean_squared_error(y.floats, targets.floats, rows, width, gradient.base, wanted ? 1 : 0, &raw)
        return LossFigures(raw)
    }

    /// Per row the mean over `width` elements of |y − t|; the slope at 0 is 0.
    package func meanAbsoluteError(
        _ y: FloatView, targets: FloatView, rows: Int, width: Int, gradient: MutableFloatView, wanted: Bool
    ) -> LossFigures {
        precondition(y.count >= rows * width && gradient.count >= rows * width && targets.count >= rows * width, "a loss beyond its buffer")
        var raw = ck_figures()
        table.pointee.mean_absolute_error(y.floats, targets.floats, rows, width, gradient.base, wanted ? 1 : 0, &raw)
        return LossFigures(raw)
    }

    /// Per row the mean over `width` elements of d²/2 where |d| ≤ δ, δ(|d| − δ/2) beyond, d = y − t.
    package func huber(
        _ y: FloatView, targets: FloatView, rows: Int, width: Int, delta: Float, gradient: MutableFloatView, wanted: Bool
    ) -> LossFigures {
        precondition(y.count >= rows * width && gradient.count >= rows * width && targets.count >= rows * width, "a loss beyond its buffer")
        var raw = ck_figures()
        table.pointee.huber(y.floats, targets.floats, rows, width, delta, gradient.base, wanted ? 1 : 0, &raw)
        return LossFigures(raw)
    }

    // MARK: For tests

    /// e^x, element by element.
    package func exponential(_ x: FloatView, into y: MutableFloatView) {
        precondition(x.count == y.count, "exponential between views of unequal length")
        table.pointee.exponential(x.floats, y.base, x.count)
    }

    /// Φ(x), element by element.
    package func normalDistribution(_ x: FloatView, into y: MutableFloatView) {
        precondition(x.count == y.count, "a distribution between views of unequal length")
        table.pointee.normal_distribution(x.floats, y.base, x.count)
    }

    /// The random words of `blocks` successive blocks from `counter` on.
    package func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, blocks: Int) -> [UInt32] {
        [UInt32](unsafeUninitializedCapacity: 4 * blocks) { buffer, count in
            let counter = [counter.x, counter.y, counter.z, counter.w]
            table.pointee.philox(counter, [key.x, key.y], buffer.baseAddress, blocks)
            count = 4 * blocks
        }
    }

    package func sumOfSquares(_ x: FloatView) -> Double {
        table.pointee.sum_of_squares(x.floats, x.count)
    }
}
