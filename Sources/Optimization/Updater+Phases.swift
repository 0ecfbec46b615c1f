internal import Exactness
public import Kernels

/// Steps of two phases: the gradient is reduced and judged as a whole before anything is updated.
extension Updater {
    /// Whether the rule's pass needs the norm of the whole gradient.
    public var needsGradientNorm: Bool { treatment.clipNorm != nil }

    /// The first phase: writes the mean gradient of `range`, whole figure blocks, to where the next weights will be; allocates nothing.
    ///
    /// What it writes is the one operand of the second phase, `update` with a sample count of 1, or `keep`. Frozen parameters are not
    /// looked at: they have no gradient.
    /// - Parameter squares: Σg² of each figure block, its segments' pieces in ascending order.
    public func reduce(
        _ range: Range<Int>, reduction: TreeReduction, operands: [FloatView], sampleCount: Int, into nextWeights: MutableFloatView,
        scratch: UpdateScratch, squares: BlockSums
    ) -> UpdateOutcome {
        precondition(isWholeFigureBlocks(range), "norms are taken of whole figure blocks")
        let pass = FusedUpdate(
            range, reduction: reduction, operands: operands, sampleCount: sampleCount, weights: nextWeights.view, slots: [],
            nextWeights: nextWeights, nextSlots: [], scratch: scratch, norms: nil)
        var wild: Int?
        var sum = 0.0
        forEachPiece(of: range) { piece, segment, block in
            if piece.lowerBound % figureBlockLength == 0 { sum = 0 }
            let found = pass.reduce(piece)
            if !treatment(ofSegment: segment).isFrozen {
                wild = wild ?? found.wild
                sum += found.squares
            }
            squares.set(sum, block: block)
            return true
        }
        return wild.map { .notFinite(element: $0) } ?? .finite
    }

    /// The first element of a gradient that is NaN or infinite, frozen parameters aside.
    func firstNotFinite(in gradient: FloatView, scratch: UpdateScratch) -> Int? {
        for (index, segment) in segments.enumerated() where !treatment(ofSegment: index).isFrozen {
            if let element = scratch.firstNotFinite(in: gradient[segment.range]) { return segment.range.lowerBound + element }
        }
        return nil
    }

    /// What the gradient is scaled by, given its squared norm: min(1, c ÷ (‖g‖ + 1e-6)).
    public func clipFactor(squaredNorm: Double) -> Float {
        guard let limit = treatment.clipNorm else { return 1 }
        return Float(min(1, limit / (squaredNorm.exactRoot + 1e-6)))
    }

    /// Makes `range` of version t+1 what it is in version t: a step that is skipped. Operands as for `update`, for the norms alone.
    public func keep(
        _ range: Range<Int>, operands: [FloatView], weights: FloatView, slots: [FloatView], into nextWeights: MutableFloatView,
        nextSlots: [MutableFloatView], scratch: UpdateScratch, norms: NormAccumulator?
    ) {
        let pass = FusedUpdate(
            range, reduction: .single, operands: operands, sampleCount: 1, weights: weights, slots: slots,
            nextWeights: nextWeights, nextSlots: nextSlots, scratch: scratch, norms: norms)
        forEachPiece(of: range) { piece, segment, block in
            pass.keep(piece, pieceIndex: norms?.pieceIndex(segment: segment, block: block) ?? 0)
            return true
        }
    }
}

/// Row limits: a phase after the rule, since a row may cross the border of what is updated at a time.
extension Updater {
    /// Whether any parameter's rows are bounded.
    public var limitsRows: Bool {
        segments.indices.contains { limit(ofSegment: $0) != nil }
    }

    /// The length that bounds a segment's rows, and that of a row in elements.
    private func limit(ofSegment index: Int) -> (norm: Double, rowLength: Int)? {
        let found = treatment(ofSegment: index)
        guard let norm = found.maxNorm, !found.isFrozen, let length = segments[index].rowLength else { return nil }
        return (norm, length)
    }

    /// The elements of a segment's bounded rows that begin in `range`.
    private func rows(ofSegment index: Int, beginningIn range: Range<Int>, length: Int) -> Range<Int> {
        let segment = segments[index].range
        func firstRow(from element: Int) -> Int {
            segment.lowerBound + (max(element - segment.lowerBound, 0) + length - 1) / length * length
        }
        let first = min(firstRow(from: range.lowerBound), segment.upperBound)
        return first..<max(first, min(firstRow(from: range.upperBound), segment.upperBound))
    }

    /// The end of the bounded rows that begin in `range`; nil if none does.
    public func endOfLimitedRows(beginningIn range: Range<Int>) -> Int? {
        var end: Int?
        forEachLimitedRun(beginningIn: range) { rows, _, _ in end = rows.upperBound }
        return end
    }

    /// Scales down the rows that begin in `range` and are too long, wherever they end; allocates nothing.
    ///
    /// - Parameter weights: the whole block, updated from the first of these rows to the end of the last.
    public func limitRows(beginningIn range: Range<Int>, of weights: MutableFloatView) {
        forEachLimitedRun(beginningIn: range) { rows, norm, length in RowLimit.apply(norm, to: weights[rows], length: length) }
    }

    private func forEachLimitedRun(beginningIn range: Range<Int>, _ body: (_ rows: Range<Int>, _ norm: Double, _ length: Int) -> Void) {
        var index = firstSegment(endingAfter: range.lowerBound)
        while index < segments.count && segments[index].range.lowerBound < range.upperBound {
            if let (norm, length) = limit(ofSegment: index) {
                let rows = rows(ofSegment: index, beginningIn: range, length: length)
                if !rows.isEmpty { body(rows, norm, length) }
            }
            index += 1
        }
    }

    /// Takes the norms of bounded weights again, after their rows have been scaled.
    public func remeasureLimitedRows(_ norms: NormAccumulator, old: FloatView, new: FloatView, scratch: UpdateScratch) {
        for index in segments.indices where limit(ofSegment: index) != nil {
            norms.remeasure(segment: index, old: old, new: new, scratch: scratch)
        }
    }
}

extension Updater {
    /// ½λ‖w‖² + λ₁‖w‖₁ with every parameter's own λ and λ₁: double sums over figure blocks, joined by their tree. Frozen ones have none.
    public func penalty(of weights: FloatView) -> Double {
        objective.penalty(of: weights)
    }
}
