/// The extreme eigenvalues of a symmetric matrix that is known by its products alone.
///
/// It asks for one product after the other, `direction` by `direction`, and never calls anybody. Every new direction is made orthogonal to
/// all before it, twice ("full reorthogonalisation", Parlett 1980, §13.3; Kahan's "twice is enough"), so that rounding brings no eigenvalue
/// twice.
/// - Complexity: `steps` products, steps² vector operations, `steps` vectors of memory.
/// - Source: Lanczos 1950; Golub & Van Loan, Matrix Computations, §10.1 and §10.3.
public struct Lanczos: Sendable {
    public struct Extremes: Equatable, Sendable {
        public var smallest: Double
        public var largest: Double
        /// Products that were made: fewer than allowed if the directions were used up.
        public var steps: Int
        /// How far the two may be from an eigenvalue at most: ‖Av − θv‖ of each.
        public var smallestResidual: Double
        public var largestResidual: Double
    }

    /// Of unit length: the matrix times this is wanted next; nil: there is no more to learn.
    public private(set) var direction: [Double]?
    private let steps: Int
    private var basis: [[Double]]
    private var diagonal: [Double] = []
    private var beside: [Double] = []
    private var scale = 0.0

    /// - Parameters:
    ///   - start: any vector with a share of the wanted directions; a random one has.
    ///   - steps: 1…dimension.
    public init(start: [Double], steps: Int) {
        precondition(steps >= 1 && !start.isEmpty, "a matrix has a dimension, and a look at it takes a step")
        var first = start
        let length = Self.norm(first)
        precondition(length > 0, "the start is no direction")
        Self.scaleDown(&first, by: length)
        self.steps = min(steps, start.count)
        basis = [first]
        direction = first
    }

    /// Takes the product that was asked for.
    public mutating func take(product: [Double]) {
        guard let direction else { preconditionFailure("nothing was asked for") }
        var next = product
        diagonal.append(Self.dot(next, direction))
        for _ in 0..<2 {
            for known in basis { Self.subtract(known, times: Self.dot(next, known), from: &next) }
        }
        let length = Self.norm(next)
        scale = max(scale, abs(diagonal.last ?? 0) + length)
        beside.append(length)
        // What is left then is rounding: the directions reached span an invariant space.
        guard basis.count < steps, length > scale * 1e-12 else {
            self.direction = nil
            return
        }
        Self.scaleDown(&next, by: length)
        basis.append(next)
        self.direction = next
    }

    /// After at least one product.
    public var extremes: Extremes {
        let eigen = TridiagonalEigenvalues(diagonal: diagonal, beside: Array(beside.dropLast()))
        let outer = beside.last ?? 0
        let (smallest, largest) = (eigen.value(0), eigen.value(diagonal.count - 1))
        return Extremes(
            smallest: smallest, largest: largest, steps: diagonal.count,
            smallestResidual: outer * abs(eigen.lastComponent(of: smallest)), largestResidual: outer * abs(eigen.lastComponent(of: largest))
        )
    }

    static func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for index in a.indices { sum += a[index] * b[index] }
        return sum
    }

    static func norm(_ a: [Double]) -> Double { dot(a, a).squareRoot() }

    private static func scaleDown(_ a: inout [Double], by divisor: Double) {
        for index in a.indices { a[index] /= divisor }
    }

    private static func subtract(_ b: [Double], times factor: Double, from a: inout [Double]) {
        for index in a.indices { a[index] -= factor * b[index] }
    }
}

/// Eigenvalues of a symmetric tridiagonal matrix by bisection on the number of sign changes.
/// - Source: Barth, Martin & Wilkinson 1967; Golub & Van Loan §8.4.1.
struct TridiagonalEigenvalues {
    let diagonal: [Double]
    /// One less than the diagonal.
    let beside: [Double]

    /// The index-th from below.
    func value(_ index: Int) -> Double {
        var (low, high) = bounds
        // A bisection a bit: the interval is down to neighbouring numbers.
        for _ in 0..<200 {
            let middle = low + (high - low) / 2
            if middle <= low || middle >= high { break }
            if countBelow(middle) > index { high = middle } else { low = middle }
        }
        return low + (high - low) / 2
    }

    /// Gershgorin's circles.
    private var bounds: (Double, Double) {
        var (low, high) = (Double.infinity, -Double.infinity)
        for index in diagonal.indices {
            let radius = (index > 0 ? abs(beside[index - 1]) : 0) + (index < beside.count ? abs(beside[index]) : 0)
            low = min(low, diagonal[index] - radius)
            high = max(high, diagonal[index] + radius)
        }
        let margin = max(abs(low), abs(high)) * 1e-15 + .leastNormalMagnitude
        return (low - margin, high + margin)
    }

    /// Eigenvalues below x: negative pivots of T − x.
    private func countBelow(_ x: Double) -> Int {
        var count = 0
        var pivot = 1.0
        for index in diagonal.indices {
            let square = index > 0 ? beside[index - 1] * beside[index - 1] : 0
            pivot = diagonal[index] - x - square / pivot
            if pivot == 0 { pivot = -.leastNormalMagnitude }
            if pivot < 0 { count += 1 }
        }
        return count
    }

    /// The last component of the unit eigenvector, by two steps of inverse iteration: how much of it the next direction would change.
    func lastComponent(of value: Double) -> Double {
        let size = diagonal.count
        guard size > 1 else { return 1 }
        var vector = [Double](repeating: 1 / Double(size).squareRoot(), count: size)
        let shift = value + max(abs(value), 1e-300) * 1e-13
        for _ in 0..<3 {
            solve(shift, &vector)
            let length = Lanczos.norm(vector)
            guard length.isFinite, length > 0 else { return 1 }
            for index in vector.indices { vector[index] /= length }
        }
        return vector[size - 1]
    }

    /// (T − x)·y = b in place, by elimination with row exchanges.
    private func solve(_ x: Double, _ b: inout [Double]) {
        let size = diagonal.count
        var main = diagonal.map { $0 - x }
        var upper = beside + [0]
        var second = [Double](repeating: 0, count: size)
        for row in 0..<size - 1 {
            let lower = beside[row]
            if abs(lower) > abs(main[row]) {
                let factor = main[row] / lower
                (main[row], upper[row], main[row + 1], second[row], upper[row + 1]) =
                    (lower, main[row + 1], upper[row] - factor * main[row + 1], upper[row + 1], -factor * upper[row + 1])
                (b[row], b[row + 1]) = (b[row + 1], b[row] - factor * b[row + 1])
            } else {
                let factor = main[row] == 0 ? 0 : lower / main[row]
                main[row + 1] -= factor * upper[row]
                b[row + 1] -= factor * b[row]
            }
        }
        for row in (0..<size).reversed() {
            var value = b[row]
            if row + 1 < size { value -= upper[row] * b[row + 1] }
            if row + 2 < size { value -= second[row] * b[row + 2] }
            b[row] = value / (main[row] == 0 ? .leastNormalMagnitude : main[row])
        }
    }
}
