/// A line search for the strong Wolfe conditions, fed with the loss and its slope at the lengths it asks for.
///
/// A length t is taken if loss(t) ≤ loss(0) + c₁·t·slope(0) and |slope(t)| ≤ −c₂·slope(0). First a bracket is found, by extrapolation,
/// then it is made smaller; both by cubic interpolation. A loss or slope that is not finite counts as too far.
/// - Source: Nocedal & Wright, Numerical Optimization, 2nd edition, algorithms 3.5 and 3.6; safeguards as in PyTorch's `_strong_wolfe`.
struct WolfeSearch<Payload> {
    /// A length that was evaluated, with whatever belongs to it.
    struct Point {
        var length: Double
        var loss: Double
        var slope: Double
        var payload: Payload
    }

    enum Answer {
        case evaluate(length: Double)
        /// The length that is taken; 0 where nothing better than the start was found.
        case done(Point)
    }

    private enum Phase {
        case bracketing(previous: Point)
        case narrowing(low: Point, high: Point)
    }

    /// c₁.
    private static var sufficientDecrease: Double { 1e-4 }
    /// The share of the bracket that a new length keeps away from its ends where the bracket does not shrink by itself.
    private static var margin: Double { 0.1 }

    private let start: Point
    /// c₂.
    private let flatness: Double
    private let directionSize: Double
    private let toleranceChange: Double
    private let mostEvaluations: Int
    private var evaluations = 0
    private var phase: Phase
    private var length: Double
    private var isSlow = false

    /// - Parameters:
    ///   - start: the point of length 0; its slope is negative.
    ///   - firstLength: what the caller evaluates first.
    ///   - directionSize: the largest magnitude in the direction.
    init(
        from start: Point, firstLength: Double, flatness: Double, directionSize: Double, toleranceChange: Double, mostEvaluations: Int
    ) {
        self.start = start
        self.flatness = flatness
        self.directionSize = directionSize
        self.toleranceChange = toleranceChange
        self.mostEvaluations = mostEvaluations
        phase = .bracketing(previous: start)
        length = firstLength
    }

    /// Takes what was found at the length that was asked for last.
    mutating func take(loss: Double, slope: Double, payload: Payload) -> Answer {
        evaluations += 1
        let isFinite = loss.isFinite && slope.isFinite
        let new = Point(length: length, loss: isFinite ? loss : .infinity, slope: isFinite ? slope : .nan, payload: payload)
        switch phase {
        case .bracketing(let previous): return bracket(previous, new)
        case .narrowing(let low, let high): return narrow(low, high, new)
        }
    }

    private func decreasesEnough(_ point: Point) -> Bool {
        point.loss <= start.loss + Self.sufficientDecrease * point.length * start.slope
    }

    private func isFlat(_ point: Point) -> Bool {
        abs(point.slope) <= -flatness * start.slope
    }

    private mutating func bracket(_ previous: Point, _ new: Point) -> Answer {
        if !decreasesEnough(new) || (evaluations > 1 && new.loss >= previous.loss) { return narrow(low: previous, high: new) }
        if isFlat(new) { return .done(new) }
        if new.slope >= 0 { return narrow(low: new, high: previous) }
        if evaluations >= mostEvaluations { return .done(new) }
        phase = .bracketing(previous: new)
        let bounds = new.length + 0.01 * (new.length - previous.length)...new.length * 10
        return evaluate(at: Self.minimum(between: previous, new, within: bounds))
    }

    private mutating func narrow(_ low: Point, _ high: Point, _ new: Point) -> Answer {
        guard decreasesEnough(new), new.loss < low.loss else { return narrow(low: low, high: new) }
        if isFlat(new) { return .done(new) }
        return narrow(low: new, high: new.slope * (high.length - low.length) >= 0 ? low : high)
    }

    /// Goes on between `low`, the best length that decreases the loss enough, and `high`, behind a minimum seen from there.
    private mutating func narrow(low: Point, high: Point) -> Answer {
        let (first, last) = (min(low.length, high.length), max(low.length, high.length))
        if evaluations >= mostEvaluations || (last - first) * directionSize < toleranceChange {
            return .done(low.length == 0 && high.loss < low.loss ? high : low)
        }
        phase = .narrowing(low: low, high: high)
        var next = Self.minimum(between: low, high, within: first...last)
        let room = Self.margin * (last - first)
        if min(last - next, next - first) < room {
            if isSlow || next >= last || next <= first {
                next = last - next < next - first ? last - room : first + room
                isSlow = false
            } else {
                isSlow = true
            }
        } else {
            isSlow = false
        }
        return evaluate(at: next)
    }

    private mutating func evaluate(at length: Double) -> Answer {
        self.length = length
        return .evaluate(length: length)
    }

    /// Where the cubic through both points with their slopes is lowest; the middle where there is no such cubic or minimum.
    /// - Source: Nocedal & Wright, equation 3.59.
    static func minimum(between one: Point, _ other: Point, within bounds: ClosedRange<Double>) -> Double {
        let (a, b) = one.length <= other.length ? (one, other) : (other, one)
        let middle = (bounds.lowerBound + bounds.upperBound) / 2
        let d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.length - b.length)
        let square = d1 * d1 - a.slope * b.slope
        guard square >= 0 else { return middle }
        let d2 = square.squareRoot()
        let length = b.length - (b.length - a.length) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
        guard length.isFinite else { return middle }
        return min(max(length, bounds.lowerBound), bounds.upperBound)
    }
}
