import Kernels
import Testing

/// Normalisation of images and of rows by oneDNN against loops in double precision.
@Suite struct OneDNNChannelNormalizationTests {
    /// Relative to the largest value: a few roundings of Float, and chains of at most rows · area of them in the gradients.
    static let tolerance = 4e-6
    /// Of plain rows, which make short chains.
    static let rowTolerance = 1e-6
    static let epsilon = 1e-3

    struct Case: Sendable, CustomTestStringConvertible {
        var rows, channels: Int
        /// nil: plain rows.
        var image: ImageExtent?
        /// About which the values lie.
        var center: Float = 0.5
        var own = true
        var testDescription: String {
            "\(rows)×\(channels)\(image.map { "×\($0.height)×\($0.width)" } ?? "") at \(center), \(own ? "own" : "given") statistics"
        }
        var area: Int { image.map { $0.height * $0.width } ?? 1 }
        var tolerance: Double { image == nil ? rowTolerance : OneDNNChannelNormalizationTests.tolerance }
    }

    static let cases = [
        Case(rows: 2, channels: 1, image: ImageExtent(1)), Case(rows: 1, channels: 16, image: ImageExtent(7)),
        Case(rows: 1, channels: 3, image: ImageExtent(1), own: false), Case(rows: 3, channels: 5, image: ImageExtent(2, 3)),
        Case(rows: 3, channels: 5, image: ImageExtent(2, 3), own: false), Case(rows: 4, channels: 40, image: ImageExtent(3)),
        Case(rows: 16, channels: 32, image: ImageExtent(14)),
        // A mean that is large beside the spread costs no digits.
        Case(rows: 16, channels: 20, image: ImageExtent(14), center: 1_000),
        Case(rows: 2, channels: 1), Case(rows: 5, channels: 7), Case(rows: 9, channels: 16), Case(rows: 4, channels: 43),
        Case(rows: 4, channels: 43, own: false), Case(rows: 1, channels: 3, own: false), Case(rows: 16, channels: 100),
        Case(rows: 32, channels: 1_000), Case(rows: 64, channels: 256), Case(rows: 64, channels: 250),
        Case(rows: 6, channels: 24, own: false),
        Case(rows: 16, channels: 512, center: 1_000), Case(rows: 16, channels: 50, center: 1_000),
    ]
    static let plain = cases.filter { $0.image == nil }

    private struct Outcome {
        var y, dx, dScale, dShift: [Float]
        var implementations: [String]
    }

    private var channelBlock: Int { InstructionSet.effective == .avx512 ? 16 : 8 }

    private func place(_ c: Case, _ row: Int, _ channel: Int, _ pixel: Int) -> Int {
        guard c.image != nil else { return row * c.channels + channel }
        let groups = (c.channels + channelBlock - 1) / channelBlock
        return ((row * groups + channel / channelBlock) * c.area + pixel) * channelBlock + channel % channelBlock
    }

    private func run(_ c: Case, relu: Bool = false, needsInputGradient: Bool = true) -> Outcome {
        let threads = PrimitiveThreads()
        let layout =
            c.image == nil
            ? ChannelLayout(rows: c.rows, features: c.channels)
            : ChannelLayout(rows: c.rows, channels: c.channels, area: c.area, block: channelBlock)
        let primitive = ChannelNormalization(
            .init(rows: c.rows, channels: c.channels, image: c.image, epsilon: Self.epsilon, hasReLU: relu), block: channelBlock,
            ownStatistics: c.own, needsInputGradient: needsInputGradient, threads: threads)
        let x = zeros(layout.count), dy = zeros(layout.count), y = zeros(layout.count), dx = zeros(layout.count)
        let count = c.rows * c.channels * c.area, xs = numbers(count, seed: 1), dys = numbers(count, seed: 2)
        forEach(c) { place, index in
            x.mutableView[place] = xs[index] + c.center
            dy.mutableView[place] = dys[index]
        }
        let statistics = ChannelStatistics(channels: c.channels, padded: layout.paddedChannels)
        if c.own {
            statistics.measure(x.view, layout, kernels: NetKernels(.effective))
        } else {
            statistics.take(
                mean: block([Float](repeating: 0.25, count: c.channels)).view,
                variance: block([Float](repeating: 2, count: c.channels)).view)
        }
        let operands = ChannelOperands(channels: c.channels), dScale = zeros(c.channels), dShift = zeros(c.channels)
        statistics.write(
            to: operands, scale: block(numbers(c.channels, seed: 3)).view, shift: block(numbers(c.channels, seed: 4)).view,
            epsilon: Self.epsilon, centered: c.image == nil)
        let centered = zeros(c.rows * ChannelNormalization.stride(ofRows: c.channels))
        if c.image == nil { statistics.center(x.view, rows: c.rows, into: centered.mutableView, kernels: NetKernels(.effective)) }
        let input = c.image == nil ? centered : x
        primitive.forward(x: input.view, operands: operands, y: y.mutableView)
        primitive.backward(x: input.view, dy: dy.view, operands: operands, dx: needsInputGradient ? dx.mutableView : nil)
        statistics.read(from: operands, dScale: dScale.mutableView, dShift: dShift.mutableView)
        func plain(_ block: FloatBlock) -> [Float] {
            var found = [Float](repeating: 0, count: count)
            forEach(c) { place, index in found[index] = block.view[place] }
            return found
        }
        return Outcome(
            y: plain(y), dx: plain(dx), dScale: (0..<c.channels).map { dScale.view[$0] }, dShift: (0..<c.channels).map { dShift.view[$0] },
            implementations: primitive.implementations)
    }

    private func forEach(_ c: Case, _ body: (_ place: Int, _ index: Int) -> Void) {
        for row in 0..<c.rows {
            for channel in 0..<c.channels {
                for pixel in 0..<c.area { body(place(c, row, channel, pixel), (row * c.channels + channel) * c.area + pixel) }
            }
        }
    }

    /// - Parameter terms: what was added up to `expected`; its size counts where they cancel.
    private func distance(_ found: [Float], _ expected: [Double], terms: [Double] = []) -> Double {
        let largest = (expected + terms).map { abs($0) }.max() ?? 1
        return (zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 0) / max(largest, 1e-30)
    }

    @Test(arguments: cases)
    func valuesAndGradientsAreThoseOfTheDefinition(c: Case) {
        let found = run(c)
        let count = c.rows * c.channels * c.area, per = Double(c.rows * c.area)
        let x = numbers(count, seed: 1).map { Double($0 + c.center) }, dy = numbers(count, seed: 2).map(Double.init)
        let scale = numbers(c.channels, seed: 3).map(Double.init), shift = numbers(c.channels, seed: 4).map(Double.init)
        var y = x, dx = x, dScale = scale, dShift = shift, straight = x, parts = scale
        for channel in 0..<c.channels {
            let places = (0..<c.rows).flatMap { row in (0..<c.area).map { (row * c.channels + channel) * c.area + $0 } }
            let mean = c.own ? places.reduce(0) { $0 + x[$1] } / per : 0.25
            let variance = c.own ? places.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / per : 2
            let root = (variance + Self.epsilon).squareRoot()
            dShift[channel] = places.reduce(0) { $0 + dy[$1] }
            dScale[channel] = places.reduce(0) { $0 + dy[$1] * (x[$1] - mean) / root }
            parts[channel] = places.map { abs(dy[$0]) }.max() ?? 0
            for place in places {
                let normal = (x[place] - mean) / root
                y[place] = scale[channel] * normal + shift[channel]
                straight[place] = scale[channel] / root * dy[place]
                dx[place] = straight[place] - (c.own ? scale[channel] / root * (dShift[channel] + normal * dScale[channel]) / per : 0)
            }
        }
        #expect(distance(found.y, y) <= c.tolerance)
        // Two values of a channel are always ±1 when normalised: their gradients are what is left of terms that cancel.
        #expect(distance(found.dx, dx, terms: straight) <= c.tolerance)
        #expect(distance(found.dScale, dScale, terms: c.image == nil ? [] : parts) <= c.tolerance)
        #expect(distance(found.dShift, dShift, terms: c.image == nil ? [] : parts) <= c.tolerance)
    }

    static let cutCases = [cases[5]] + plain.filter { $0.channels > 3 }

    @Test(arguments: cutCases)
    func theMaximumIsTakenOnTheWayOut(c: Case) {
        let plain = run(c), cut = run(c, relu: true)
        #expect(plain.y.contains { $0 < 0 })
        #expect(cut.y == plain.y.map { max($0, 0) })
    }

    @Test(arguments: cutCases)
    func withoutAnInputGradientTheParametersHaveTheSameBits(c: Case) {
        let with = run(c), without = run(c, needsInputGradient: false)
        #expect(with.dScale.map(\.bitPattern) == without.dScale.map(\.bitPattern))
        #expect(with.dShift.map(\.bitPattern) == without.dShift.map(\.bitPattern))
    }

    @Test(.enabled(if: InstructionSet.effective != .baseline), arguments: [cases[6]] + plain)
    func compiledCodeRuns(c: Case) {
        #expect(run(c).implementations.allSatisfy { $0.contains("jit") })
    }
}
