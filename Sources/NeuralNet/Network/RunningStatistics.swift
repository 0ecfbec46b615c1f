public import Kernels

extension ParameterLayout {
    /// One layer's running statistics, in the tail.
    public struct RunningStatistics: Sendable, Equatable {
        /// `….running_mean` and `….running_variance`, `[channels]`, in a block of weights.
        public let mean, variance: Entry
        /// running ← (1 − momentum) · running + momentum · new.
        public let momentum: Double
        /// In a gradient's tail, in doubles: rows, then per channel Σ rows · mean, then Σ rows · variance, over the leaves below a node.
        public let sums: Range<Int>

        public var channels: Int { mean.range.count }
    }
}

extension ParameterLayout.RunningStatistics {
    /// The running values after a step, from the sums over all its leaves; where none of them had statistics of its own, those before it.
    /// - Parameters:
    ///   - old: a whole block of weights, as is `next`, which may be the same.
    ///   - sum: an element of a gradient's tail.
    public func update(_ old: FloatView, into next: MutableFloatView, sum: (_ element: Int) -> Double) {
        let rows = sum(sums.lowerBound)
        for (index, element) in (mean.range.lowerBound..<variance.range.upperBound).enumerated() {
            guard rows > 0 else {
                next[element] = old[element]
                continue
            }
            let new = sum(sums.lowerBound + 1 + index) / rows
            next[element] = Float((1 - momentum) * Double(old[element]) + momentum * new)
        }
    }
}
