import Kernels
import Testing

/// Batch normalisation of one leaf against loops in double precision; the same bits on every instruction set and in every layout.
@Suite struct ChannelNormalizationTests {
    /// Relative to the largest value: a few roundings of Float.
    static let tolerance = 1e-6
    static let epsilon = 1e-3

    struct Shape: Sendable, CustomTestStringConvertible {
        var rows, channels, area: Int
        /// nil: plain rows.
        var block: Int?
        var testDescription: String { "\(rows)×\(channels)×\(area), \(block.map { "blocks of \($0)" } ?? "plain")" }

        var layout: ChannelLayout {
            block.map { ChannelLayout(rows: rows, channels: channels, area: area, block: $0) }
                ?? ChannelLayout(rows: rows, features: channels)
        }

        /// Where a value lies.
        func place(_ row: Int, _ channel: Int, _ pixel: Int) -> Int {
            guard let block else { return row * channels + channel }
            let groups = (channels + block - 1) / block
            return ((row * groups + channel / block) * area + pixel) * block + channel % block
        }
    }

    static let shapes = [
        Shape(rows: 2, channels: 1, area: 1), Shape(rows: 5, channels: 7, area: 1), Shape(rows: 9, channels: 16, area: 1),
        Shape(rows: 4, channels: 43, area: 1), Shape(rows: 3, channels: 5, area: 6, block: 8),
        Shape(rows: 3, channels: 5, area: 6, block: 16),
        Shape(rows: 1, channels: 16, area: 12, block: 16), Shape(rows: 2, channels: 40, area: 9, block: 8),
        Shape(rows: 2, channels: 40, area: 9, block: 16),
    ]

    struct Outcome: Equatable {
        var y, dx, dScale, dShift: [UInt32]
        var means, variances: [UInt64]
    }

    /// Values `[row][channel][pixel]` around `center`.
    private func run(_ shape: Shape, _ set: InstructionSet, center: Float = 0.5, own: Bool = true, relu: Bool = false) -> Outcome {
        let count = shape.rows * shape.channels * shape.area, layout = shape.layout
        let x = zeros(layout.count), dy = zeros(layout.count), y = zeros(layout.count), dx = zeros(layout.count)
        let (xs, dys) = (numbers(count, seed: 1).map { $0 + center }, numbers(count, seed: 2))
        forEach(shape) { place, index in
            x.mutableView[place] = xs[index]
            dy.mutableView[place] = dys[index]
        }
        let scale = block(numbers(shape.channels, seed: 3)), shift = block(numbers(shape.channels, seed: 4))
        let dScale = zeros(shape.channels), dShift = zeros(shape.channels), kernels = NetKernels(set)
        let normalization = ChannelNormalization(channels: shape.channels, padded: layout.paddedChannels)
        if own {
            normalization.measure(x.view, layout, kernels: kernels)
        } else {
            normalization.take(
                mean: block([Float](repeating: 0.25, count: shape.channels)).view,
                variance: block([Float](repeating: 2, count: shape.channels)).view)
        }
        normalization.apply(
            x.view, layout, scale: scale.view, shift: shift.view, epsilon: Self.epsilon, relu: relu, into: y.mutableView, kernels: kernels)
        normalization.differentiate(
            x.view, dy.view, layout, scale: scale.view, epsilon: Self.epsilon, ownStatistics: own, dx: dx.mutableView,
            dScale: dScale.mutableView, dShift: dShift.mutableView, kernels: kernels)
        func plain(_ block: FloatBlock) -> [UInt32] {
            var found = [UInt32](repeating: 0, count: count)
            forEach(shape) { place, index in found[index] = block.view[place].bitPattern }
            return found
        }
        return Outcome(
            y: plain(y), dx: plain(dx), dScale: bits(dScale), dShift: bits(dShift),
            means: (0..<shape.channels).map { normalization.mean($0).bitPattern },
            variances: (0..<shape.channels).map { normalization.variance($0).bitPattern })
    }

    private func forEach(_ shape: Shape, _ body: (_ place: Int, _ index: Int) -> Void) {
        for row in 0..<shape.rows {
            for channel in 0..<shape.channels {
                for pixel in 0..<shape.area {
                    body(shape.place(row, channel, pixel), (row * shape.channels + channel) * shape.area + pixel)
                }
            }
        }
    }

    /// - Parameter terms: what was added up to `expected`; its size counts where they cancel.
    private func distance(_ found: [UInt32], _ expected: [Double], terms: [Double] = []) -> Double {
        let largest = (expected + terms).map { abs($0) }.max() ?? 1
        return (zip(found, expected).map { abs(Double(Float(bitPattern: $0)) - $1) }.max() ?? 0) / max(largest, 1e-30)
    }

    @Test(arguments: shapes, [true, false])
    func valuesAndGradientsAreThoseOfTheDefinition(shape: Shape, own: Bool) {
        let found = run(shape, .effective, own: own)
        let count = shape.rows * shape.channels * shape.area, per = Double(shape.rows * shape.area)
        let x = numbers(count, seed: 1).map { Double($0 + 0.5) }, dy = numbers(count, seed: 2).map(Double.init)
        let scale = numbers(shape.channels, seed: 3).map(Double.init), shift = numbers(shape.channels, seed: 4).map(Double.init)
        var y = x, dx = x, dScale = scale, dShift = shift, straight = x
        for channel in 0..<shape.channels {
            let places = (0..<shape.rows).flatMap { row in
                (0..<shape.area).map { (row * shape.channels + channel) * shape.area + $0 }
            }
            let mean = own ? places.reduce(0) { $0 + x[$1] } / per : 0.25
            let variance = own ? places.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / per : 2
            let root = (variance + Self.epsilon).squareRoot()
            dShift[channel] = places.reduce(0) { $0 + dy[$1] }
            dScale[channel] = places.reduce(0) { $0 + dy[$1] * (x[$1] - mean) / root }
            for place in places {
                let normal = (x[place] - mean) / root
                y[place] = scale[channel] * normal + shift[channel]
                straight[place] = scale[channel] / root * dy[place]
                dx[place] = scale[channel] / root * (dy[place] - (own ? (dShift[channel] + normal * dScale[channel]) / per : 0))
            }
        }
        #expect(distance(found.y, y) <= Self.tolerance)
        // Two values of a channel are always ±1 when normalised: their gradients are what is left of terms that cancel.
        #expect(distance(found.dx, dx, terms: straight) <= Self.tolerance)
        #expect(distance(found.dScale, dScale) <= Self.tolerance)
        #expect(distance(found.dShift, dShift) <= Self.tolerance)
    }

    @Test(arguments: shapes, [true, false])
    func bitsAreTheSameOnEveryInstructionSet(shape: Shape, relu: Bool) {
        let outcomes = runnableSets.map { run(shape, $0, relu: relu) }
        #expect(outcomes.allSatisfy { $0 == outcomes[0] })
    }

    /// Blocks of 8 and of 16 hold the same images.
    @Test func bitsDoNotDependOnTheLayout() {
        let eight = run(Shape(rows: 3, channels: 21, area: 10, block: 8), .effective)
        #expect(eight == run(Shape(rows: 3, channels: 21, area: 10, block: 16), .effective))
    }

    @Test func reluCutsBelowZero() {
        let shape = Shape(rows: 3, channels: 21, area: 10, block: 8)
        let (plain, cut) = (run(shape, .effective), run(shape, .effective, relu: true))
        #expect(zip(plain.y, cut.y).allSatisfy { max(Float(bitPattern: $0), 0) == Float(bitPattern: $1) })
        #expect(plain.y != cut.y)
    }

    /// A mean ten thousand deviations away leaves the variance whole: differences are taken from the first value.
    @Test func aLargeMeanDoesNotSwallowTheVariance() {
        let shape = Shape(rows: 64, channels: 3, area: 16, block: 8), center: Float = 8_192
        let found = run(shape, .effective, center: center)
        let count = shape.rows * shape.channels * shape.area
        let x = numbers(count, seed: 1).map { Double($0 + center) }
        for channel in 0..<shape.channels {
            let own = x.indices.filter { $0 / shape.area % shape.channels == channel }.map { x[$0] }
            let mean = own.reduce(0, +) / Double(own.count)
            let variance = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(own.count)
            #expect(abs(Double(bitPattern: found.variances[channel]) / variance - 1) < 1e-12)
        }
    }
}
