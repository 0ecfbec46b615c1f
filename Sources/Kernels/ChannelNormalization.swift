internal import CKernels

/// How the channels of a tensor lie in memory.
package struct ChannelLayout: Hashable, Sendable {
    let rows, groups, area, lanes: Int

    /// Rows that follow one another; every feature is a channel.
    package init(rows: Int, features: Int) {
        (self.rows, groups, area, lanes) = (rows, 1, 1, features)
    }

    /// Images in blocks of channels, see `TensorLayout`.
    /// - Parameter area: height · width.
    package init(rows: Int, channels: Int, area: Int, block: Int) {
        (self.rows, groups, self.area, lanes) = (rows, (channels + block - 1) / block, area, block)
    }

    /// Floats of the tensor.
    package var count: Int { rows * groups * area * lanes }
    package var paddedChannels: Int { groups * lanes }
    /// Values of one channel.
    var valuesPerChannel: Int { rows * area }
}

/// Batch normalisation of one leaf: its statistics, kept from forward to backward, and for plain rows all the rest. Images are normalised
/// with these statistics by `ImageNormalization`; for plain rows oneDNN has a reference implementation alone, which took 9 times as long.
///
/// Sums are double chains over rows and places in ascending order, of differences from the channel's first value, so that a large mean
/// does not swallow the variance; one pass over memory finds both. Everything else is IEEE Float arithmetic: the bits depend on the values
/// alone, on every processor.
package final class ChannelNormalization {
    let channels: Int
    private let means, variances, first, second: AlignedBlock<Double>
    /// Per channel, padding included, what the loops read.
    private let center, factor, slope, offset: FloatBlock

    /// - Parameter padded: channels of the layouts that come, padding included.
    package init(channels: Int, padded: Int) {
        self.channels = channels
        means = AlignedBlock(count: padded)
        variances = AlignedBlock(count: padded)
        first = AlignedBlock(count: padded)
        second = AlignedBlock(count: padded)
        center = FloatBlock(count: padded)
        factor = FloatBlock(count: padded)
        slope = FloatBlock(count: padded)
        offset = FloatBlock(count: padded)
    }

    package func mean(_ channel: Int) -> Double { means[channel] }
    /// Without Bessel's correction.
    package func variance(_ channel: Int) -> Double { variances[channel] }

    /// Takes the leaf's own statistics.
    package func measure(_ x: FloatView, _ layout: ChannelLayout, kernels: NetKernels) {
        check(x.count, layout)
        let lanes = layout.lanes, stride = layout.area * lanes
        for channel in 0..<means.count { means[channel] = Double(x[channel / lanes * stride + channel % lanes]) }
        kernels.channelSums(x, dy: nil, layout, center: means, first, second)
        let count = Double(layout.valuesPerChannel)
        for channel in 0..<means.count {
            let shift = first[channel] / count
            means[channel] += shift
            variances[channel] = max(0, second[channel] / count - shift * shift)
        }
    }

    /// Takes given statistics.
    package func take(mean: FloatView, variance: FloatView) {
        for channel in 0..<channels {
            means[channel] = Double(mean[channel])
            variances[channel] = Double(variance[channel])
        }
    }

    /// y = scale · (x − mean) / √(variance + ε) + shift, or max(that, 0).
    package func apply(
        _ x: FloatView, _ layout: ChannelLayout, scale: FloatView, shift: FloatView, epsilon: Double, relu: Bool, into y: MutableFloatView,
        kernels: NetKernels
    ) {
        check(x.count, layout)
        check(y.count, layout)
        for channel in 0..<channels {
            center.mutableView[channel] = Float(means[channel])
            factor.mutableView[channel] = Float(Double(scale[channel]) / (variances[channel] + epsilon).squareRoot())
            offset.mutableView[channel] = shift[channel]
        }
        kernels.channelApply(x, layout, center: center, factor: factor, offset: offset, relu: relu, into: y)
    }

    /// The gradients of what `apply` did.
    /// - Parameter ownStatistics: whether mean and variance were the leaf's own and so depend on x.
    package func differentiate(
        _ x: FloatView, _ dy: FloatView, _ layout: ChannelLayout, scale: FloatView, epsilon: Double, ownStatistics: Bool,
        dx: MutableFloatView?, dScale: MutableFloatView, dShift: MutableFloatView, kernels: NetKernels
    ) {
        check(x.count, layout)
        check(dy.count, layout)
        kernels.channelSums(x, dy: dy, layout, center: means, first, second)
        let count = Double(layout.valuesPerChannel)
        for channel in 0..<channels {
            let inverse = 1 / (variances[channel] + epsilon).squareRoot(), straight = Double(scale[channel]) * inverse
            dShift[channel] = Float(first[channel])
            dScale[channel] = Float(second[channel] * inverse)
            factor.mutableView[channel] = Float(straight)
            slope.mutableView[channel] = ownStatistics ? Float(-straight * (inverse * inverse) * (second[channel] / count)) : 0
            offset.mutableView[channel] = ownStatistics ? Float(-straight * (first[channel] / count)) : 0
        }
        guard let dx else { return }
        check(dx.count, layout)
        kernels.channelGradient(x, dy, layout, center: center, factor: factor, slope: slope, offset: offset, into: dx)
    }

    private func check(_ count: Int, _ layout: ChannelLayout) {
        precondition(layout.paddedChannels == means.count && count >= layout.count, "a tensor smaller than its layout")
    }
}

extension NetKernels {
    fileprivate func channelSums(
        _ x: FloatView, dy: FloatView?, _ layout: ChannelLayout, center: AlignedBlock<Double>, _ a: AlignedBlock<Double>,
        _ b: AlignedBlock<Double>
    ) {
        var shape = layout.channels
        table.pointee.channel_sums(x.floats, dy?.floats, &shape, center.base, a.base, b.base)
    }

    fileprivate func channelApply(
        _ x: FloatView, _ layout: ChannelLayout, center: FloatBlock, factor: FloatBlock, offset: FloatBlock, relu: Bool,
        into y: MutableFloatView
    ) {
        var shape = layout.channels
        table.pointee.channel_apply(
            x.floats, &shape, center.view.floats, factor.view.floats, offset.view.floats, relu ? 1 : 0, y.base)
    }

    fileprivate func channelGradient(
        _ x: FloatView, _ dy: FloatView, _ layout: ChannelLayout, center: FloatBlock, factor: FloatBlock, slope: FloatBlock,
        offset: FloatBlock, into dx: MutableFloatView
    ) {
        var shape = layout.channels
        table.pointee.channel_gradient(
            x.floats, dy.floats, &shape, center.view.floats, factor.view.floats, slope.view.floats, offset.view.floats, dx.base)
    }
}

extension ChannelLayout {
    fileprivate var channels: ck_channels {
        ck_channels(rows: rows, groups: groups, area: area, lanes: lanes)
    }
}
