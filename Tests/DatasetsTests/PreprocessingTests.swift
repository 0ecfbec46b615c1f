import Foundation
import Testing

@testable import Datasets

@Suite struct PreprocessingTests {
    /// Mean and deviation are sums of 200 doubles, here in another order: far less than one rounding of a Float.
    private static let tolerance = 1e-12

    @Test(arguments: [
        (0.0, 255.0, Float(0), Float(1.0 / 255)), (-1, 1, -1, 0.5), (0.1, 0.3, 0.1, 5),
    ])
    func scaleMapsTheRangeTo01(low: Double, high: Double, offset: Float, factor: Float) throws {
        let preprocessing = try Preprocessing(.scale(low: low, high: high), table: countingTable(rows: 1), rows: [0])
        #expect(preprocessing == .scalar(offset: offset, factor: factor))
    }

    @Test(arguments: [(1.0, 1.0), (2, 1), (.nan, 1), (0, .infinity), (0, 1e-60), (-1e300, 1e300)])
    func anImpossibleRangeIsRefused(low: Double, high: Double) {
        let error = #expect(throws: DatasetError.self) {
            try Preprocessing(.scale(low: low, high: high), table: countingTable(rows: 1), rows: [0])
        }
        guard case .preprocessing(.scale) = error else {
            Issue.record("refused for another reason: \(String(describing: error))")
            return
        }
    }

    @Test(arguments: [true, false])
    func standardizeMeasuresTheGivenRowsOnly(bytes: Bool) throws {
        var generator = FixedGenerator(state: 5)
        let (rows, width) = (300, 3)
        let stored = (0..<rows * width).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let floats = stored.map { bytes ? Float($0) : Float($0) * 1e-3 - 40 }
        let table = Table(
            features: bytes ? .u8(stored) : .f32(floats), targets: .values(Array(repeating: 0, count: rows)), rowShape: [width])
        let chosen = (0..<UInt32(rows)).filter { $0 % 3 != 0 }.shuffled(using: &generator)
        let moments = Moments(of: table, rows: chosen)
        guard case .perFeature(let offset, let factor) = try Preprocessing(.standardize, table: table, rows: chosen) else {
            Issue.record("standardize gives one pair per feature")
            return
        }
        for feature in 0..<width {
            let column = chosen.map { Double(floats[Int($0) * width + feature]) }
            let mean = column.reduce(0, +) / 200
            let deviation = (column.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 200).squareRoot()
            #expect(abs(moments.means[feature] - mean) <= Self.tolerance * abs(mean))
            #expect(abs(moments.deviations[feature] - deviation) <= Self.tolerance * deviation)
            #expect(offset[feature] == Float(moments.means[feature]))
            #expect(factor[feature] == Float(1 / moments.deviations[feature]))
        }
    }

    @Test func momentsDoNotDependOnTheOrderOfTheRows() {
        let table = Table(features: .f32([0.1, 1e7, -3, 0.7, 1e-3]), targets: .values([0, 0, 0, 0, 0]), rowShape: [1])
        let sorted = Moments(of: table, rows: [0, 1, 2, 3, 4])
        let shuffled = Moments(of: table, rows: [4, 1, 0, 3, 2])
        #expect(sorted.means[0].bitPattern == shuffled.means[0].bitPattern)
        #expect(sorted.deviations[0].bitPattern == shuffled.deviations[0].bitPattern)
    }

    /// Ten times 0.1 do not add up to 1: the measured deviation would be tiny instead of 0.
    @Test func aConstantFeatureIsDividedByOne() throws {
        let table = Table(
            features: .f32(Array(repeating: 0.1, count: 10)), targets: .values(Array(repeating: 0, count: 10)), rowShape: [1])
        let preprocessing = try Preprocessing(.standardize, table: table, rows: (0..<10).map { $0 })
        #expect(preprocessing == .perFeature(offset: [0.1], factor: [1]))
    }

    @Test func aSpreadTooSmallForAFloatIsRefused() {
        let table = Table(features: .f32([0, .leastNonzeroMagnitude]), targets: .values([0, 0]), rowShape: [1])
        #expect(throws: DatasetError.self) { try Preprocessing(.standardize, table: table, rows: [0, 1]) }
    }

    @Test func targetScalingHasAWayBack() throws {
        let scaling = try TargetScaling(values: [1, 3, 100, 5], rows: [3, 0, 1])
        // Mean 3, deviation √(8/3) of 1, 3, 5.
        #expect(scaling.offset == 3)
        #expect(scaling.factor == Float(1 / (8.0 / 3).squareRoot()))
        let scaled = (Float(5) - scaling.offset) * scaling.factor
        // One rounding of a Float on the way there.
        #expect(abs(scaling.original(Double(scaled)) - 5) < 1e-6)
        #expect(abs(scaling.originalDifference(1) - (8.0 / 3).squareRoot()) < 1e-6)
    }

    @Test(arguments: [
        (Preprocessing.none, true), (.scalar(offset: 1, factor: 2), true), (.perFeature(offset: [1, 2], factor: [1, 2]), true),
        (.perFeature(offset: [1], factor: [1, 2]), false), (.perFeature(offset: [1, 2], factor: [1]), false),
    ])
    func fitsRowsOfItsWidth(preprocessing: Preprocessing, fits: Bool) throws {
        #expect(preprocessing.fits(featureCount: 2) == fits)
        #expect(try JSONDecoder().decode(Preprocessing.self, from: JSONEncoder().encode(preprocessing)) == preprocessing)
    }
}
