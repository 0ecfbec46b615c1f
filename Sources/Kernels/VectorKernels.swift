internal import CKernels
internal import Exactness
internal import Glibc

/// Whole vectors of parameters: figures of blocks, and sums of vectors, for rules that search along a line.
///
/// Figures are double sums over figure blocks, joined by the tree over the block index. Sums of vectors are formed in double and rounded
/// once. Subnormals are zero, as in the update, so the bits do not depend on the thread; nor do they on the processor.
public enum VectorKernels {
    /// Σ a·b.
    public static func dot(_ a: FloatView, _ b: FloatView) -> Double {
        precondition(a.count == b.count, "a product of vectors of unequal length")
        return UpdateKernels.withUpdateMode {
            figure(elementCount: a.count) { ck_dot(a[$0].floats, b[$0].floats, $0.count) }
        }
    }

    /// Σ |a|.
    public static func sumOfMagnitudes(_ a: FloatView) -> Double {
        UpdateKernels.withUpdateMode {
            figure(elementCount: a.count) { ck_sum_of_magnitudes(a[$0].floats, $0.count) }
        }
    }

    /// The largest |a|; not a number if any element is infinite or none.
    public static func largestMagnitude(_ a: FloatView) -> Float {
        UpdateKernels.withUpdateMode { ck_largest_magnitude(a.floats, a.count) }
    }

    /// Whether both have the same bits.
    public static func areEqual(_ a: FloatView, _ b: FloatView) -> Bool {
        a.count == b.count && memcmp(a.base, b.base, a.bytes.count) == 0
    }

    /// a += b, in Float.
    public static func add(_ b: FloatView, to a: MutableFloatView) {
        precondition(a.count == b.count, "a sum of vectors of unequal length")
        UpdateKernels.withUpdateMode { InstructionSet.effective.table.pointee.add(a.base, b.floats, a.count) }
    }

    /// a + factor·b; `result` may be a or b.
    public static func combine(_ a: FloatView, plus factor: Double, times b: FloatView, into result: MutableFloatView) {
        precondition(a.count == b.count && a.count == result.count, "a sum of vectors of unequal length")
        UpdateKernels.withUpdateMode { ck_combine(result.base, a.floats, factor, b.floats, a.count) }
    }

    /// factor·a; `result` may be a.
    public static func scale(_ a: FloatView, by factor: Double, into result: MutableFloatView) {
        precondition(a.count == result.count, "a multiple of a vector of other length")
        UpdateKernels.withUpdateMode { ck_scale(result.base, factor, a.floats, a.count) }
    }

    /// sum ÷ divisor + l2·w + l1·sgn(w), sgn(0) = 0; `result` may be `sum`.
    public static func objectiveGradient(
        sum: FloatView, divisor: Double, weights: FloatView, l2: Double, l1: Double, into result: MutableFloatView
    ) {
        precondition(sum.count == weights.count && sum.count == result.count, "gradient and weights of unequal length")
        UpdateKernels.withUpdateMode {
            ck_objective_gradient(result.base, sum.floats, divisor, weights.floats, l2, l1, sum.count)
        }
    }

    /// The tree sum over the figure blocks of 0..<elementCount; allocates nothing.
    ///
    /// Its bits are those of `treeSum`: a sum of 2ⁿ blocks waits for its right neighbour; what is left at the end is joined from the right.
    public static func figure(elementCount: Int, _ block: (Range<Int>) -> Double) -> Double {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: Int.bitWidth) { waiting in
            var depth = 0
            var index = 0
            for start in stride(from: 0, to: elementCount, by: figureBlockLength) {
                var sum = block(start..<min(start + figureBlockLength, elementCount))
                index += 1
                for _ in 0..<index.trailingZeroBitCount {
                    depth -= 1
                    sum = waiting[depth] + sum
                }
                waiting.initializeElement(at: depth, to: sum)
                depth += 1
            }
            guard depth > 0 else { return 0 }
            var sum = waiting[depth - 1]
            for left in (0..<depth - 1).reversed() { sum = waiting[left] + sum }
            return sum
        }
    }
}
