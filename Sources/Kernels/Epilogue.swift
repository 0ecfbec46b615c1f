internal import CKernels

/// What happens to every element after a product, in one pass: activation, then dropout or scaling.
package struct Epilogue: Sendable, Equatable {
    package var activation: Activation
    /// Multiplies what is kept.
    package var scale: Float
    /// Elements whose random word is less are dropped; 0 drops nothing.
    package var threshold: UInt32
    /// Of the random stream: the run's seed, the step, and `RandomStream.tag`.
    package var seed: UInt64
    package var step: UInt64
    package var tag: UInt32

    package init(
        _ activation: Activation, scale: Float = 1, threshold: UInt32 = 0, seed: UInt64 = 0, step: UInt64 = 0, tag: UInt32 = 0
    ) {
        self.activation = activation
        self.scale = scale
        self.threshold = threshold
        self.seed = seed
        self.step = step
        self.tag = tag
    }

    var raw: ck_epilogue {
        let (code, constant) = activation.raw
        return ck_epilogue(
            activation: Int32(code), slope: constant, scale: scale, threshold: threshold,
            key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)), step: UInt32(truncatingIfNeeded: step),
            tag: tag)
    }
}

/// Columns `first` ..< `first + count` of a row-major matrix with `width` columns and `rows` rows.
package struct Region: Sendable {
    package var rows: Int
    package var width: Int
    package var first: Int
    package var count: Int

    package init(rows: Int, width: Int, first: Int = 0, count: Int? = nil) {
        self.rows = rows
        self.width = width
        self.first = first
        self.count = count ?? width - first
    }

    var isInside: Bool { rows >= 0 && first >= 0 && first % 4 == 0 && count >= 0 && first + count <= width }
    package var end: Int { rows * width }
}
