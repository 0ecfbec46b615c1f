internal import CKernels
internal import Exactness

/// Sums of squares of one step, for the norms of layers.
public struct SquareSums: Codable, Equatable, Sendable {
    /// Σg², g the mean gradient before clip and decay.
    public var gradient: Double
    /// Σw², w the new weights.
    public var weights: Double
    /// Σ(new − old)² of the weights.
    public var change: Double

    public init(gradient: Double, weights: Double, change: Double) {
        self.gradient = gradient
        self.weights = weights
        self.change = change
    }

    public static func + (a: SquareSums, b: SquareSums) -> SquareSums {
        SquareSums(gradient: a.gradient + b.gradient, weights: a.weights + b.weights, change: a.change + b.change)
    }
}

/// Collects the sums of squares of one step, piece by piece, from whoever updates the piece.
///
/// A piece is the part of a segment in one figure block (16,384 elements of the layout), so it lies within a chunk. Inside a piece element i
/// goes to double lane i mod 16 in ascending order; of weights and changes the squares of 4,096 elements go to a lane of floats first. The
/// lanes are joined by halves: l and l + 8, then l + 4, l + 2, l + 1. Several threads may update different pieces at a time; the sums are
/// read when all are done.
public final class NormAccumulator: @unchecked Sendable {  // each piece's sums are written by the one thread that updates it
    package static let laneCount = Int(DNN_UPDATE_LANES)

    private let segments: [Range<Int>]
    /// The number of each segment's first piece, and of one more.
    private let firstPieces: [Int]
    private let pieces: UnsafeMutablePointer<SquareSums>

    /// `segments` ascend and cover the layout.
    public init(segments: [Range<Int>]) {
        self.segments = segments
        firstPieces = segments.reduce(into: [0]) { starts, segment in
            starts.append((starts.last ?? 0) + NormAccumulator.blocks(of: segment).count)
        }
        let count = firstPieces.last ?? 0
        pieces = .allocate(capacity: max(count, 1))
        pieces.initialize(repeating: SquareSums(gradient: 0, weights: 0, change: 0), count: count)
    }

    deinit {
        pieces.deallocate()
    }

    /// The sums over some segments, such as a layer's: those of a block's pieces in ascending order, the blocks' by the tree over the block
    /// index.
    public func sums(of chosen: Range<Int>) -> SquareSums {
        var blocks: [SquareSums?] = []
        for segment in chosen {
            for block in Self.blocks(of: segments[segment]) {
                while blocks.count <= block { blocks.append(nil) }
                let piece = pieces[pieceIndex(segment: segment, block: block)]
                blocks[block] = blocks[block].map { $0 + piece } ?? piece
            }
        }
        return treeSum(blocks, +) ?? SquareSums(gradient: 0, weights: 0, change: 0)
    }

    /// The sums of every piece: all that there is to save.
    public var pieceSums: [SquareSums] {
        get { (0..<(firstPieces.last ?? 0)).map { pieces[$0] } }
        set {
            precondition(newValue.count == firstPieces.last, "sums of another layout")
            for (index, sums) in newValue.enumerated() { pieces[index] = sums }
        }
    }

    /// The numbers of the pieces that lie in some elements, whole figure blocks; ascending.
    public func pieces(in range: Range<Int>) -> [Int] {
        segments.indices.flatMap { segment -> [Int] in
            let part = segments[segment].clamped(to: range)
            return part.isEmpty ? [] : Self.blocks(of: part).map { pieceIndex(segment: segment, block: $0) }
        }
    }

    /// The sums of one piece.
    public subscript(piece: Int) -> SquareSums {
        get {
            precondition(piece >= 0 && piece < firstPieces.last ?? 0, "a piece of the layout")
            return pieces[piece]
        }
        set {
            precondition(piece >= 0 && piece < firstPieces.last ?? 0, "a piece of the layout")
            pieces[piece] = newValue
        }
    }

    package func pieceIndex(segment: Int, block: Int) -> Int {
        firstPieces[segment] + block - segments[segment].lowerBound / figureBlockLength
    }

    /// The figure blocks that a segment has elements in.
    package static func blocks(of segment: Range<Int>) -> Range<Int> {
        let first = segment.lowerBound / figureBlockLength
        return first..<max(first, (segment.upperBound + figureBlockLength - 1) / figureBlockLength)
    }

    func begin(_ lanes: UnsafeMutablePointer<Double>) {
        Self.clear(lanes, figures: 3)
    }

    func finish(_ lanes: UnsafeMutablePointer<Double>, pieceIndex: Int) {
        func figure(_ index: Int) -> Double { Self.joined(lanes + index * Self.laneCount) }
        pieces[pieceIndex] = SquareSums(gradient: figure(0), weights: figure(1), change: figure(2))
    }

    static func clear(_ lanes: UnsafeMutablePointer<Double>, figures: Int) {
        lanes.initialize(repeating: 0, count: figures * laneCount)
    }

    /// The sum of one figure's lanes, which it uses up.
    static func joined(_ sums: UnsafeMutablePointer<Double>) -> Double {
        var half = laneCount / 2
        while half > 0 {
            for lane in 0..<half { sums[lane] += sums[lane + half] }
            half /= 2
        }
        return sums[0]
    }

    /// Looks at a segment's weights again, which have changed since they were updated.
    package func remeasure(segment: Int, old: FloatView, new: FloatView, scratch: UpdateScratch) {
        let table = UpdateKernels.best.table
        UpdateKernels.withUpdateMode {
            for block in Self.blocks(of: segments[segment]) {
                let piece = segments[segment].clamped(to: block * figureBlockLength..<(block + 1) * figureBlockLength)
                begin(scratch.lanes)
                table.squares(scratch.lanes + Self.laneCount, new[piece].base, piece.count)
                table.squares_of_difference(scratch.lanes + 2 * Self.laneCount, new[piece].base, old[piece].base, piece.count)
                let index = pieceIndex(segment: segment, block: block)
                let gradient = pieces[index].gradient
                finish(scratch.lanes, pieceIndex: index)
                pieces[index].gradient = gradient
            }
        }
    }
}
