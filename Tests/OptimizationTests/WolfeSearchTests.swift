import Testing

@testable import Optimization

@Suite struct WolfeSearchTests {
    private struct Outcome {
        var length: Double
        var loss: Double
        var slope: Double
        var tried: [Double]
    }

    /// Searches along a function of one number from 0.
    private func search(
        _ function: (Double) -> (loss: Double, slope: Double), first: Double, flatness: Double = 0.9, most: Int = 25,
        toleranceChange: Double = 1e-9
    ) -> Outcome {
        let start = function(0)
        var search = WolfeSearch<Int>(
            from: .init(length: 0, loss: start.loss, slope: start.slope, payload: 0), firstLength: first, flatness: flatness,
            directionSize: 1, toleranceChange: toleranceChange, mostEvaluations: most)
        var tried = [first]
        while true {
            let value = function(tried[tried.count - 1])
            switch search.take(loss: value.loss, slope: value.slope, payload: tried.count) {
            case .evaluate(let length): tried.append(length)
            case .done(let point):
                #expect(point.payload == 0 || tried[point.payload - 1] == point.length)
                return Outcome(length: point.length, loss: point.loss, slope: point.slope, tried: tried)
            }
        }
    }

    /// −t/(t² + 2), Moré & Thuente's first function: flat far away, minimum at √2.
    private func flattening(_ t: Double) -> (loss: Double, slope: Double) {
        (-t / (t * t + 2), (t * t - 2) / ((t * t + 2) * (t * t + 2)))
    }

    @Test(arguments: [1e-3, 0.1, 1, 10, 1_000], [0.9, 0.1])
    func theLengthMeetsTheStrongWolfeConditions(first: Double, flatness: Double) {
        let found = search(flattening, first: first, flatness: flatness)
        #expect(found.loss <= 1e-4 * found.length * -0.5)
        #expect(abs(found.slope) <= flatness * 0.5)
        #expect(found.tried.count <= 12)
    }

    @Test func aParabolasMinimumIsHitByTheFirstInterpolation() {
        let found = search({ (($0 - 3) * ($0 - 3), 2 * ($0 - 3)) }, first: 8, flatness: 1e-6)
        #expect(found.tried == [8, 3])
    }

    @Test(arguments: [Double.nan, .infinity])
    func whatIsNotFiniteIsTooFar(value: Double) {
        let found = search({ $0 > 2 ? (value, value) : flattening($0) }, first: 64)
        #expect(found.length > 0 && found.length <= 2)
        #expect(found.loss < 0)
    }

    @Test func aLengthInHandIsTakenWhenTheBudgetIsSpent() {
        // Descends for ever: no length is flat enough.
        let endless = search({ (-$0, -1) }, first: 1, most: 4)
        #expect(endless.tried.count == 4)
        #expect(endless.length == endless.tried[3])
        let cut = search(flattening, first: 1_000, flatness: 1e-12, most: 3)
        #expect(cut.tried.count == 3)
        #expect(cut.loss <= 0)
    }

    @Test func nothingBetterThanTheStartIsSaid() {
        // The slope promises what the loss does not keep.
        let found = search({ $0 == 0 ? (0, -1) : (1, -1) }, first: 1)
        #expect(found.length == 0)
    }

    @Test func aBracketThatMovesNoWeightEndsTheSearch() {
        let found = search({ $0 == 0 ? (0, -1) : (1, -1) }, first: 1, most: 1_000, toleranceChange: 0.25)
        #expect(found.tried.count < 5)
    }
}
