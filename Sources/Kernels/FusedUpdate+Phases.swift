internal import CKernels

/// The other passes: the first of two phases, and parameters that stay as they are.
extension FusedUpdate {
    /// What the first phase found in a piece.
    package struct Reduced {
        /// The first element whose sum is NaN or infinite.
        package var wild: Int?
        /// Σg², g the mean gradient: lanes as in `NormAccumulator`.
        package var squares: Double
    }

    /// Writes the mean gradient of `piece` to where its next weights will be.
    ///
    /// The second phase reads it from there, element by element before it writes: no memory beside the next version is needed.
    package func reduce(_ piece: Range<Int>) -> Reduced {
        UpdateKernels.withUpdateMode {
            var wild: Int?
            NormAccumulator.clear(scratch.lanes, figures: 1)
            var start = piece.lowerBound
            while start < piece.upperBound {
                let count = min(UpdateScratch.blockLength, piece.upperBound - start)
                let sum = sum(from: start, count: count)
                if !kernels.table.mean(nextWeights + start, sum, count, divisor) { wild = wild ?? start + firstWild(sum, count: count) }
                kernels.table.squares(scratch.lanes, nextWeights + start, count)
                start += count
            }
            return Reduced(wild: wild, squares: NormAccumulator.joined(scratch.lanes))
        }
    }

    /// Copies weights and slots of `piece` to the next version; with norms, the gradient is looked at all the same.
    package func keep(_ piece: Range<Int>, pieceIndex: Int) {
        UpdateKernels.withUpdateMode {
            norms?.begin(scratch.lanes)
            var start = piece.lowerBound
            while start < piece.upperBound {
                let count = min(UpdateScratch.blockLength, piece.upperBound - start)
                if norms != nil { _ = kernels.table.mean(scratch.mean, sum(from: start, count: count), count, divisor) }
                Self.copy(weights, to: nextWeights, start..<start + count)
                if norms != nil { measure(scratch.mean, start, count) }
                start += count
            }
            keepSlots(of: piece, but: SlotMap([]))
            norms?.finish(scratch.lanes, pieceIndex: pieceIndex)
        }
    }

    /// Adds the squares of a cache block's mean gradient, new weights and their change.
    private func measure(_ mean: UnsafePointer<Float>, _ start: Int, _ count: Int) {
        let table = kernels.table
        let new = nextWeights + start
        table.squares(scratch.lanes, mean, count)
        table.squares(scratch.lanes + NormAccumulator.laneCount, new, count)
        table.squares_of_difference(
            scratch.lanes + 2 * NormAccumulator.laneCount, new, weights + start * MemoryLayout<Float>.stride, count)
    }

    func keepSlots(of piece: Range<Int>, but map: SlotMap) {
        for slot in slots.indices where !map.contains(slot) { Self.copy(slots[slot].base, to: nextSlots[slot].base, piece) }
    }

    private static func copy(_ source: UnsafeRawPointer, to target: UnsafeMutablePointer<Float>, _ range: Range<Int>) {
        let stride = MemoryLayout<Float>.stride
        let (old, new) = (source + range.lowerBound * stride, UnsafeMutableRawPointer(target + range.lowerBound))
        if old != UnsafeRawPointer(new) { new.copyMemory(from: old, byteCount: range.count * stride) }
    }
}

/// Bounds on the length of rows of weights (Srivastava et al. 2014, §5.1).
package enum RowLimit {
    /// Scales each of `rows`, rows of `length` from the view's beginning, that is longer than `limit` down to it.
    package static func apply(_ limit: Double, to weights: MutableFloatView, length: Int) {
        apply(limit, to: weights, length: length, kernels: .best)
    }

    static func apply(_ limit: Double, to weights: MutableFloatView, length: Int, kernels: UpdateKernels) {
        precondition(length > 0 && weights.count % length == 0, "whole rows")
        UpdateKernels.withUpdateMode {
            kernels.table.limit_rows(weights.base, length, weights.count / length, limit)
        }
    }
}
