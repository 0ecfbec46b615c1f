internal import CKernels

/// The kernels of nets for one instruction set. Matrices are row-major.
///
/// An element of a product is one chain of fused multiply-adds over the ascending reduction index, begun from 0 (`Float.addingProduct`),
/// so its bits depend on its operands alone: not on the instruction set, the shape, the blocking, or who computes its neighbours.
package struct NetKernels: @unchecked Sendable {  // a pointer to a constant table
    let table: UnsafePointer<ck_kernels>

    /// Units of one `forward` call at most.
    package static let forwardUnits = Int(CK_FORWARD_UNITS)
    package static let panel = Int(CK_PANEL)

    package init(_ instructionSet: InstructionSet) {
        table = instructionSet.table
    }

    /// `count` rounded up to whole panels.
    package static func wholePanels(_ count: Int) -> Int {
        (count + panel - 1) / panel * panel
    }

    // MARK: Packing

    /// Packs x `[rows, depth]` for `forward`: wholePanels(rows) · depth floats.
    package func packRows(_ x: FloatView, rows: Int, depth: Int, into packed: MutableFloatView) {
        precondition(x.count >= rows * depth && packed.count >= Self.wholePanels(rows) * depth, "packing beyond a buffer")
        table.pointee.pack_rows(x.floats, depth, rows, depth, packed.base)
    }

    /// Packs columns `first` ..< `first + count` of x `[rows, width]`: rows · wholePanels(count) floats.
    package func packColumns(_ x: FloatView, _ region: Region, into packed: MutableFloatView) {
        precondition(region.isInside && x.count >= region.end, "packing beyond a buffer")
        precondition(packed.count >= region.rows * Self.wholePanels(region.count), "packing beyond a buffer")
        table.pointee.pack_columns(x.floats + region.first, region.width, region.rows, region.count, packed.base)
    }

    /// y `[width, rows]` = the transpose of x `[rows, width]`, for the region's columns.
    package func transpose(_ x: FloatView, _ region: Region, into y: MutableFloatView) {
        precondition(region.isInside && x.count >= region.end && y.count >= region.end, "transposing beyond a buffer")
        table.pointee.transpose(
            x.floats + region.first, region.width, region.rows, region.count, y.base + region.first * region.rows, region.rows)
    }

    // MARK: Products

    /// The region of y `[rows, width]` = x · Wᵀ for at most `forwardUnits` units, whose rows of W are `weights` `[count, depth]`.
    package func forward(
        weights: FloatView, depth: Int, packed: MutableFloatView, _ region: Region, y: MutableFloatView, scratch: MutableFloatView
    ) {
        precondition(region.count <= Self.forwardUnits && weights.count >= region.count * depth, "a forward block larger than its weights")
        precondition(region.isInside && y.count >= region.end, "a forward block beyond its output")
        precondition(packed.count >= Self.wholePanels(region.rows) * depth, "a forward block beyond its input")
        precondition(scratch.count >= Self.forwardUnits * Self.wholePanels(region.rows), "a forward block beyond its scratch")
        table.pointee.forward(
            weights.floats, depth, region.count, packed.base, region.rows, y.base + region.first, region.width, scratch.base)
    }

    /// The region of c `[rows, width]` = a[:, columns] · packed, or its chains going on; a is `[rows, aWidth]`.
    package func product(
        a: FloatView, aWidth: Int, columns: Range<Int>, packed: MutableFloatView, _ region: Region, c: MutableFloatView, chained: Bool
    ) {
        precondition(columns.upperBound <= aWidth && a.count >= region.rows * aWidth, "a product beyond its left operand")
        precondition(packed.count >= columns.count * Self.wholePanels(region.count), "a product beyond its right operand")
        precondition(region.isInside && c.count >= region.end, "a product beyond its result")
        table.pointee.product(
            a.floats + columns.lowerBound, aWidth, region.rows, packed.base, columns.count * Self.panel, columns.count, region.count,
            c.base + region.first, region.width, chained ? 1 : 0)
    }

    /// Rows `units` of the weight gradient, `gradient` being those rows `[units, depth]`: the tree sum over leaves.
    package func weightGradient(_ program: TreeProgram, units: Range<Int>, depth: Int, gradient: MutableFloatView) {
        precondition(gradient.count >= units.count * depth, "a weight gradient beyond its block")
        program.operations.withUnsafeBufferPointer { operations in
            table.pointee.weight_gradient(operations.baseAddress, operations.count, units.lowerBound, units.count, depth, gradient.base)
        }
    }

    /// The bias gradient: per leaf the sum over ascending rows, then the tree sum.
    package func biasGradient(_ program: TreeProgram, gradient: MutableFloatView) {
        program.operations.withUnsafeBufferPointer { operations in
            table.pointee.bias_gradient(operations.baseAddress, operations.count, gradient.count, gradient.base)
        }
    }

    // MARK: Element-wise

    /// x to the nearest bfloat16, two to a float's room in `y`.
    package func round(_ x: FloatView, intoBF16 y: MutableFloatView) {
        precondition(y.count >= (x.count + 1) / 2, "rounding beyond a buffer")
        table.pointee.round_to_bf16(x.floats, UnsafeMutableRawPointer(y.base).assumingMemoryBound(to: UInt16.self), x.count)
    }

    /// y = dropout(activation(x + bias)) in the region; `samples` number the rows and are needed to drop; `keep` gets 1 or 0.
    package func forward(
        _ epilogue: Epilogue, x: FloatView, bias: FloatView?, samples: AlignedBlock<UInt32>, y: MutableFloatView,
        keep: AlignedBlock<UInt8>?, _ region: Region
    ) {
        precondition(region.isInside && x.count >= region.end && y.count >= region.end, "an activation beyond its buffer")
        precondition(bias.map { $0.count == region.width } ?? true, "a bias of another width")
        precondition(samples.count >= region.rows && keep.map { $0.count >= region.end } ?? true, "a mask beyond its buffer")
        var raw = epilogue.raw
        table.pointee.epilogue_forward(
            &raw, x.floats, bias?.floats, samples.base, y.base, keep?.base, region.width, region.rows, region.first, region.count)
    }

    /// gradient ← gradient · ∂y/∂x in the region.
    /// - Parameter y: what the forward pass gave; where the activation reads its input, x.
    package func backward(
        _ epilogue: Epilogue, y: FloatView, keep: AlignedBlock<UInt8>?, gradient: MutableFloatView, _ region: Region
    ) {
        precondition(region.isInside && y.count >= region.end && gradient.count >= region.end, "an activation beyond its buffer")
        precondition(keep.map { $0.count >= region.end } ?? true, "a mask beyond its buffer")
        var raw = epilogue.raw
        table.pointee.epilogue_backward(
            &raw, y.floats, keep?.base, gradient.base, region.width, region.rows, region.first, region.count)
    }

    /// y += x in the region.
    package func add(_ x: FloatView, to y: MutableFloatView, _ region: Region) {
        precondition(region.isInside && x.count >= region.end && y.count >= region.end, "an addition beyond its buffer")
        for row in 0..<region.rows {
            let first = row * region.width + region.first
            table.pointee.add(y.base + first, x.floats + first, region.count)
        }
    }
}
