internal import Exactness
public import Kernels

/// A run of parameters with its share of the penalty ½λ‖w‖² + λ₁‖w‖₁.
public struct PenaltySegment: Equatable, Sendable {
    /// Elements of the layout.
    public var range: Range<Int>
    public var l2: Double
    public var l1: Double
    /// Its gradient is 0 and it has no penalty.
    public var isFrozen: Bool

    public init(range: Range<Int>, l2: Double = 0, l1: Double = 0, isFrozen: Bool = false) {
        self.range = range
        self.l2 = isFrozen ? 0 : l2
        self.l1 = isFrozen ? 0 : l1
        self.isFrozen = isFrozen
    }
}

/// Mean data loss plus penalty, as a function of the weights: what closure rules minimize.
public struct PenalizedObjective: Sendable {
    public let segments: [PenaltySegment]
    /// The segments cut at figure blocks, and the number of each block's first piece, and of one more.
    private let pieces: [PenaltySegment]
    private let firstPieces: [Int]

    /// - Parameter segments: in ascending order, covering the block without gap.
    public init(segments: [PenaltySegment]) {
        self.segments = segments
        var pieces: [PenaltySegment] = []
        var firstPieces: [Int] = [0]
        for segment in segments {
            var start = segment.range.lowerBound
            while start < segment.range.upperBound {
                let end = min((start / figureBlockLength + 1) * figureBlockLength, segment.range.upperBound)
                pieces.append(PenaltySegment(range: start..<end, l2: segment.l2, l1: segment.l1))
                if end % figureBlockLength == 0 { firstPieces.append(pieces.count) }
                start = end
            }
        }
        if firstPieces.last != pieces.count { firstPieces.append(pieces.count) }
        self.pieces = pieces
        self.firstPieces = firstPieces
    }

    public var elementCount: Int { segments.last?.range.upperBound ?? 0 }

    /// ½λ‖w‖² + λ₁‖w‖₁ over the segments: double sums of figure blocks, joined by the tree.
    public func penalty(of weights: FloatView) -> Double {
        precondition(weights.count == elementCount, "weights are a whole block of the segments' layout")
        guard segments.contains(where: { $0.l2 != 0 || $0.l1 != 0 }) else { return 0 }
        return VectorKernels.figure(elementCount: elementCount) { block in
            let index = block.lowerBound / figureBlockLength
            var sum = 0.0
            for piece in pieces[firstPieces[index]..<firstPieces[index + 1]] {
                let values = weights[piece.range]
                if piece.l2 != 0 { sum += piece.l2 / 2 * VectorKernels.dot(values, values) }
                if piece.l1 != 0 { sum += piece.l1 * VectorKernels.sumOfMagnitudes(values) }
            }
            return sum
        }
    }

    /// sum ÷ count plus the penalty's gradient, rounded once.
    public func gradient(sum: FloatView, sampleCount: Int, weights: FloatView, into gradient: MutableFloatView) {
        for segment in segments where !segment.range.isEmpty {
            if segment.isFrozen {
                gradient[segment.range].fill(0)
                continue
            }
            VectorKernels.objectiveGradient(
                sum: sum[segment.range], divisor: Double(sampleCount), weights: weights[segment.range], l2: segment.l2, l1: segment.l1,
                into: gradient[segment.range])
        }
    }
}

extension Updater {
    /// What the rule minimizes: data loss and every parameter's own penalty.
    public var objective: PenalizedObjective {
        PenalizedObjective(
            segments: segments.indices.map { index in
                let found = treatment(ofSegment: index)
                return PenaltySegment(range: segments[index].range, l2: found.l2, l1: found.l1, isFrozen: found.isFrozen)
            })
    }
}
