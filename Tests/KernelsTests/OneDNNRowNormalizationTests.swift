import Kernels
import Testing

/// Normalisation of rows by oneDNN, about means of our own, against loops in double precision.
@Suite struct OneDNNRowNormalizationTests {
    /// Relative to the largest value: a few roundings of Float, and a chain of at most `rows` of them in the parameters' gradients.
    static let tolerance = 1e-6

    struct Case: Sendable, CustomTestStringConvertible {
        var rows, width: Int
        /// About which the values lie.
        var center: Float = 0.5
        var epsilon = 1e-5
        var testDescription: String { "\(rows)×\(width) at \(center)" }
    }

    static let cases = [
        Case(rows: 1, width: 1), Case(rows: 1, width: 2), Case(rows: 3, width: 7), Case(rows: 5, width: 16), Case(rows: 8, width: 100),
        Case(rows: 7, width: 43), Case(rows: 64, width: 256), Case(rows: 3, width: 1_001),
        // A mean that is large beside the spread costs no digits.
        Case(rows: 16, width: 512, center: 1_000), Case(rows: 4, width: 21, center: 10_000),
    ]

    struct Outcome: Equatable {
        var y, dx, gradient: [UInt32]
    }

    /// - Parameters:
    ///   - offset: floats by which scale, shift and their gradients lie beside a vector's border.
    ///   - room: rows that the notes have place for.
    private func run(_ c: Case, needsInputGradient: Bool = true, offset: Int = 0, room: Int? = nil) -> (Outcome, [String]) {
        let primitive = RowNormalization(
            .init(rows: c.rows, width: c.width, epsilon: c.epsilon), needsInputGradient: needsInputGradient, threads: PrimitiveThreads())
        let count = c.rows * c.width, y = zeros(count), dx = zeros(count), place = offset..<offset + 2 * c.width
        let parameters = block([Float](repeating: 0, count: offset) + numbers(2 * c.width, seed: 3)), gradient = zeros(offset + 2 * c.width)
        let rows = CenteredRows(rows: room ?? c.rows, width: c.width)
        rows.take(block(numbers(count, seed: 1).map { $0 + c.center }).view, rows: c.rows, kernels: NetKernels(.effective))
        primitive.forward(x: rows, parameters: parameters.view[place], y: y.mutableView)
        primitive.backward(
            x: rows, dy: block(numbers(count, seed: 2)).view, parameters: parameters.view[place],
            dx: needsInputGradient ? dx.mutableView : nil, gradient: gradient.mutableView[place])
        let outcome = Outcome(
            y: bits(y), dx: needsInputGradient ? bits(dx) : [], gradient: values(gradient.view[place]).map(\.bitPattern))
        return (outcome, primitive.implementations)
    }

    private func distance(_ found: some Sequence<UInt32>, _ expected: [Double], terms: [Double] = []) -> Double {
        let largest = (expected + terms).map { abs($0) }.max() ?? 1
        return (zip(found, expected).map { abs(Double(Float(bitPattern: $0)) - $1) }.max() ?? 0) / max(largest, 1e-30)
    }

    @Test(arguments: cases)
    func valuesAndGradientsAreThoseOfTheDefinition(c: Case) {
        let (found, _) = run(c), width = c.width
        let x = numbers(c.rows * width, seed: 1).map { Double($0 + c.center) }, dy = numbers(c.rows * width, seed: 2).map(Double.init)
        let parameters = numbers(2 * width, seed: 3).map(Double.init)
        var y = x, dx = x, straight = x, dScale = [Double](repeating: 0, count: width), dShift = dScale
        for row in 0..<c.rows {
            let places = row * width..<(row + 1) * width, mean = places.reduce(0) { $0 + x[$1] } / Double(width)
            let root = (places.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / Double(width) + c.epsilon).squareRoot()
            let normal = places.map { (x[$0] - mean) / root }, slope = (0..<width).map { parameters[$0] * dy[row * width + $0] }
            let sum = slope.reduce(0, +) / Double(width), product = zip(slope, normal).reduce(0) { $0 + $1.0 * $1.1 } / Double(width)
            for column in 0..<width {
                y[row * width + column] = normal[column] * parameters[column] + parameters[width + column]
                straight[row * width + column] = slope[column] / root
                dx[row * width + column] = (slope[column] - sum - normal[column] * product) / root
                dScale[column] += dy[row * width + column] * normal[column]
                dShift[column] += dy[row * width + column]
            }
        }
        #expect(distance(found.y, y) <= Self.tolerance)
        // Two values of a row are always ±1 when normalised: their gradients are what is left of terms that cancel.
        #expect(distance(found.dx, dx, terms: straight) <= Self.tolerance)
        #expect(distance(found.gradient[..<width], dScale) <= Self.tolerance)
        #expect(distance(found.gradient[width...], dShift) <= Self.tolerance)
    }

    /// A large mean beside a small spread: the square of the sum would lose all digits.
    @Test func digitsAreKeptBesideALargeMean() {
        let width = 10, x = (0..<width).map { Float(4_096 + Double($0) / 64) }, y = zeros(width)
        let rows = CenteredRows(rows: 1, width: width)
        rows.take(block(x).view, rows: 1, kernels: NetKernels(.effective))
        RowNormalization(.init(rows: 1, width: width, epsilon: 1e-12), threads: PrimitiveThreads()).forward(
            x: rows, parameters: block([Float](repeating: 1, count: width) + [Float](repeating: 0, count: width)).view, y: y.mutableView)
        let deviation = (8.25 / 4_096).squareRoot()
        for column in 0..<width {
            #expect(abs(Double(y.view[column]) - (Double(column) - 4.5) / 64 / deviation) <= Self.tolerance)
        }
    }

    /// What is too small for a float must not become 0.
    @Test(arguments: [1, 16, 21])
    func equalValuesGiveTheShiftWithTheSmallestEpsilon(width: Int) {
        let rows = CenteredRows(rows: 2, width: width), x = block([Float](repeating: 3, count: 2 * width)), y = zeros(2 * width)
        rows.take(x.view, rows: 2, kernels: NetKernels(.effective))
        let parameters = numbers(2 * width, seed: 3)
        RowNormalization(.init(rows: 2, width: width, epsilon: 1e-60), threads: PrimitiveThreads()).forward(
            x: rows, parameters: block(parameters).view, y: y.mutableView)
        #expect(values(y) == Array(parameters[width...] + parameters[width...]))
    }

    @Test func centredRowsHaveTheSameBitsOnEveryInstructionSet() {
        let rows = 5, width = 21, x = block(numbers(rows * width, seed: 2, spread: 5))
        let all = runnableSets.map { set in
            let centered = CenteredRows(rows: rows, width: width)
            centered.take(x.view, rows: rows, kernels: NetKernels(set))
            return bits(centered.values) + bits(centered.variances)
        }
        #expect(all.allSatisfy { $0 == all[0] })
    }

    @Test(arguments: cases)
    func withoutAnInputGradientTheParametersHaveTheSameBits(c: Case) {
        #expect(run(c).0.gradient == run(c, needsInputGradient: false).0.gradient)
    }

    /// Weights in shared memory or a message begin at any float; a leaf may have fewer rows than its slot has room for.
    @Test(arguments: cases)
    func neitherAlignmentNorRoomChangesBits(c: Case) {
        #expect(run(c).0 == run(c, offset: 3, room: c.rows + 5).0)
    }

    @Test func oneDNNsReferenceIsNotChosen() {
        #expect(Self.cases.allSatisfy { !run($0).1.contains { $0.contains("ref") } })
    }
}
