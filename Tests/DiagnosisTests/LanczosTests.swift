import Testing

@testable import Diagnosis

@Suite struct LanczosTests {
    /// Pseudo-random numbers in −1…1 (splitmix64).
    private static func numbers(_ count: Int, seed: UInt64) -> [Double] {
        var state = seed
        return (0..<count).map { _ in
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
            return Double(Int64(bitPattern: word ^ word >> 31)) * 0x1p-63
        }
    }

    /// H · diag(eigenvalues) · H with a reflection H: dense, with a known spectrum.
    private static func product(_ eigenvalues: [Double], _ axis: [Double], _ x: [Double]) -> [Double] {
        func reflected(_ x: [Double]) -> [Double] {
            let factor = 2 * Lanczos.dot(axis, x) / Lanczos.dot(axis, axis)
            return zip(x, axis).map { $0 - factor * $1 }
        }
        return reflected(zip(reflected(x), eigenvalues).map { $0 * $1 })
    }

    private static func extremes(start: [Double], steps: Int, multiply: ([Double]) -> [Double]) -> Lanczos.Extremes {
        var lanczos = Lanczos(start: start, steps: steps)
        while let direction = lanczos.direction { lanczos.take(product: multiply(direction)) }
        return lanczos.extremes
    }

    /// Full orthogonalisation leaves rounding of the products alone: some hundred operations at 1e-16 of the largest.
    static let tolerance = 1e-12

    static let spectra: [[Double]] = [
        [3], [-2, 5], [1, 1, 1, 1], [-1, 0, 0, 0, 1], (1...40).map(Double.init), (0..<30).map { $0 < 29 ? 0 : -7 },
        (0..<60).map { $0 == 59 ? 1e6 : Double($0) / 60 - 0.5 },
    ]

    @Test(arguments: spectra)
    func allStepsFindTheExtremesToRounding(_ spectrum: [Double]) {
        let axis = Self.numbers(spectrum.count, seed: 1)
        let extremes = Self.extremes(start: Self.numbers(spectrum.count, seed: 2), steps: spectrum.count) {
            Self.product(spectrum, axis, $0)
        }
        let scale = spectrum.map { abs($0) }.max() ?? 1
        #expect(abs(extremes.smallest - (spectrum.min() ?? 0)) <= Self.tolerance * scale)
        #expect(abs(extremes.largest - (spectrum.max() ?? 0)) <= Self.tolerance * scale)
        #expect(extremes.steps <= spectrum.count)
    }

    /// What stands out of a spectrum is found in a few steps; the residual says how surely.
    @Test func outliersAreFoundEarly() {
        let spectrum = (0..<500).map { index in index == 0 ? -4 : index == 1 ? 25.0 : Double(index) / 500 }
        let axis = Self.numbers(500, seed: 3)
        let extremes = Self.extremes(start: Self.numbers(500, seed: 4), steps: 20) { Self.product(spectrum, axis, $0) }
        #expect(abs(extremes.smallest + 4) <= max(extremes.smallestResidual, 1e-9) && extremes.smallestResidual < 1e-3)
        #expect(abs(extremes.largest - 25) <= max(extremes.largestResidual, 1e-9) && extremes.largestResidual < 1e-3)
        #expect(extremes.steps == 20)
    }

    @Test func anInvariantSpaceEndsIt() {
        let extremes = Self.extremes(start: [1, 1, 1], steps: 3) { $0.map { 2 * $0 } }
        #expect(extremes.steps == 1 && abs(extremes.smallest - 2) <= Self.tolerance && abs(extremes.largest - 2) <= Self.tolerance)
    }

    @Test func tridiagonalEigenvaluesAreTheKnownOnes() {
        // 2 on the diagonal, −1 beside it: 2 − 2 cos(kπ/(n+1)).
        let eigen = TridiagonalEigenvalues(diagonal: [2, 2, 2], beside: [-1, -1])
        let root = 2.0.squareRoot()
        for (index, expected) in [2 - root, 2, 2 + root].enumerated() {
            #expect(abs(eigen.value(index) - expected) <= Self.tolerance)
        }
        #expect(abs(abs(eigen.lastComponent(of: 2 - root)) - 0.5) <= 1e-9)
    }
}

@Suite struct CurvatureTests {
    /// loss = c + ½ Σ hᵢ wᵢ² at w, whose gradient is hᵢ wᵢ.
    private func look(
        _ curvatures: [Float], at weights: [Float], offset: Double = 0, start: [Double] = [1, 0.7, -0.4]
    ) throws -> Curvature {
        var probe = CurvatureProbe(weights: weights, steps: curvatures.count, start: start)
        while let weights = probe.trial {
            let loss = zip(curvatures, weights).reduce(offset) { $0 + Double($1.0 * $1.1 * $1.1) / 2 }
            probe.take(loss: loss, gradient: zip(curvatures, weights).map { Double($0 * $1) })
        }
        return try #require(probe.curvature)
    }

    /// Parameters without a share in the start and in the gradient, as frozen ones, are not looked at.
    @Test func frozenDirectionsAreLeftOut() throws {
        let bowl = try look([1, 0, 10], at: [0, 3, 0], offset: 0.1, start: [1, 0, -0.4])
        #expect(bowl.shape == .minimum && abs(bowl.smallestEigenvalue - 1) < 1e-3)
        #expect(bowl.steps == 2 && bowl.passes == 5)
    }

    @Test func aBowlIsAMinimum() throws {
        let bowl = try look([1, 2, 10], at: [0, 0, 0], offset: 0.1)
        #expect(bowl.shape == .minimum)
        // Gradients are floats: a step of 1e-3 leaves four digits.
        #expect(abs(bowl.smallestEigenvalue - 1) < 1e-3 && abs(bowl.largestEigenvalue - 10) < 1e-3)
        #expect(bowl.passes == 7)
    }

    @Test func oneWayDownMakesASaddle() throws {
        #expect(try look([1, -0.5, 10], at: [0, 0, 0], offset: 1).shape == .saddle)
    }

    @Test func flatnessIsMeasuredByTheLoss() throws {
        #expect(try look([1e-4, -1e-4, 0], at: [0, 0, 0], offset: 2).shape == .plateau)
        #expect(try look([1e-4, -1e-4, 0], at: [0, 0, 0], offset: 1e-6).shape == .saddle)
    }

    @Test func aHighPlaceWithNoWayDownIsAPlateau() {
        func shape(_ share: Double, gradientNorm: Double = 0.01) -> Curvature.Shape {
            Curvature.shape(smallest: 0, largest: 1, gradientNorm: gradientNorm, loss: 2, weightNorm: 5, lossShare: share)
        }
        #expect(shape(0.99) == .plateau)
        #expect(shape(0.1) == .minimum)
        #expect(shape(0.99, gradientNorm: 1) == .minimum)
    }

    @Test func aSlopeIsNoPlateau() throws {
        #expect(try look([1, 1, 1], at: [1, 1, 1], offset: 5).shape == .minimum)
    }
}
