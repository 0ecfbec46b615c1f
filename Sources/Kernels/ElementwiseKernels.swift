internal import CKernels

/// Element-wise work on whole blocks; the same bits on every instruction set.
public enum ElementwiseKernels {
    /// a += b.
    public static func add(_ b: FloatView, to a: MutableFloatView) {
        precondition(a.count == b.count, "addition of views of unequal length")
        InstructionSet.effective.table.pointee.add(a.base, b.floats, a.count)
    }

    /// Every value becomes the nearest that bfloat16 has, ties to even; NaN stays NaN.
    public static func roundToBF16(_ a: MutableFloatView) {
        InstructionSet.effective.table.pointee.round_in_place(a.base, a.count)
    }

    /// y = the upper halves of x, rounded as above; two of them fill a Float of y.
    public static func round(_ x: FloatView, intoBF16 y: MutableFloatView) {
        precondition(y.count == (x.count + 1) / 2, "two halves to a Float")
        InstructionSet.effective.table.pointee.round_to_bf16(
            x.floats, UnsafeMutableRawPointer(y.base).assumingMemoryBound(to: UInt16.self), x.count)
    }

    /// y = the values of bfloat16 numbers, exactly.
    public static func widen(bf16 x: UnsafeRawBufferPointer, into y: MutableFloatView) {
        precondition(x.count == 2 * y.count, "two bytes to a value")
        guard let base = x.baseAddress else { return }
        InstructionSet.effective.table.pointee.widen_bf16(base, y.base, y.count)
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
