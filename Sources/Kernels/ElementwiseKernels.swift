internal import CKernels

/// Element-wise work on whole blocks; the same bits on every instruction set.
public enum ElementwiseKernels {
    /// a += b.
    public static func add(_ b: FloatView, to a: MutableFloatView) {
        precondition(a.count == b.count, "addition of views of unequal length")
        InstructionSet.effective.table.pointee.add(a.base, b.floats, a.count)
    }

    /// a += b / divisor.
    public static func add(_ b: FloatView, dividedBy divisor: Float, to a: MutableFloatView) {
        precondition(a.count == b.count, "addition of views of unequal length")
        let (a, b, count) = (a.base, b.floats, a.count)
        for index in 0..<count { a[index] += b[index] / divisor }
    }

    /// Σx² in double: eight interleaved sums, joined pairwise. Meant for one figure block.
    public static func sumOfSquares(_ x: FloatView) -> Double {
        InstructionSet.effective.table.pointee.sum_of_squares(x.floats, x.count)
    }
}

/// Functions of doubles from IEEE operations in a fixed order, where libm's bits differ between systems. Error below 1 ulp.
public enum DeterministicMath {
    public static func log(_ x: Double) -> Double { ck_log(x) }
    public static func exp(_ x: Double) -> Double { ck_exp(x) }
}

extension FloatView {
    /// For the C kernels, which load by unaligned instructions.
    var floats: UnsafePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}
