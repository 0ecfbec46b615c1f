import Kernels
import Testing

/// Mean and variance of one leaf's channels against loops in double precision; the same bits on every instruction set and in every layout.
@Suite struct ChannelStatisticsTests {
    /// Double sums in another order; relative.
    static let tolerance = 1e-12

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
        var means, variances: [UInt64]
    }

    /// Values `[row][channel][pixel]` around `center`.
    private func run(_ shape: Shape, _ set: InstructionSet, center: Float = 0.5) -> Outcome {
        let layout = shape.layout, x = zeros(layout.count), xs = numbers(shape.rows * shape.channels * shape.area, seed: 1)
        for row in 0..<shape.rows {
            for channel in 0..<shape.channels {
                for pixel in 0..<shape.area {
                    x.mutableView[shape.place(row, channel, pixel)] =
                        xs[(row * shape.channels + channel) * shape.area + pixel] + center
                }
            }
        }
        let statistics = ChannelStatistics(channels: shape.channels, padded: layout.paddedChannels)
        statistics.measure(x.view, layout, kernels: NetKernels(set))
        return Outcome(
            means: (0..<shape.channels).map { statistics.mean($0).bitPattern },
            variances: (0..<shape.channels).map { statistics.variance($0).bitPattern })
    }

    private func expectDefinition(_ shape: Shape, center: Float) {
        let found = run(shape, .effective, center: center), x = numbers(shape.rows * shape.channels * shape.area, seed: 1)
        for channel in 0..<shape.channels {
            let own = x.indices.filter { $0 / shape.area % shape.channels == channel }.map { Double(x[$0] + center) }
            let mean = own.reduce(0, +) / Double(own.count)
            let variance = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(own.count)
            #expect(abs(Double(bitPattern: found.means[channel]) - mean) <= Self.tolerance * max(1, abs(mean)))
            #expect(abs(Double(bitPattern: found.variances[channel]) / variance - 1) <= Self.tolerance)
        }
    }

    @Test(arguments: shapes)
    func statisticsAreThoseOfTheDefinition(shape: Shape) {
        expectDefinition(shape, center: 0.5)
    }

    @Test(arguments: shapes)
    func bitsAreTheSameOnEveryInstructionSet(shape: Shape) {
        let outcomes = runnableSets.map { run(shape, $0) }
        #expect(outcomes.allSatisfy { $0 == outcomes[0] })
    }

    /// Blocks of 8 and of 16 hold the same images.
    @Test func bitsDoNotDependOnTheLayout() {
        let eight = run(Shape(rows: 3, channels: 21, area: 10, block: 8), .effective)
        #expect(eight == run(Shape(rows: 3, channels: 21, area: 10, block: 16), .effective))
    }

    /// A mean ten thousand deviations away leaves the variance whole: differences are taken from the first value.
    @Test func aLargeMeanDoesNotSwallowTheVariance() {
        expectDefinition(Shape(rows: 64, channels: 3, area: 16, block: 8), center: 8_192)
        expectDefinition(Shape(rows: 64, channels: 19, area: 1), center: 8_192)
    }
}
