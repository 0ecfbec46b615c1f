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

/// Mean and variance of every channel of one leaf, kept from forward to backward; `ChannelNormalization` normalises with them.
///
/// Sums are double chains over rows and places in ascending order, of differences from the channel's first value, so that a large mean
/// does not swallow the variance; one pass over memory finds both. The bits depend on the values alone, on every processor.
package final class ChannelStatistics {
    let channels: Int
    private let means, variances, first, second: AlignedBlock<Double>
    /// What the means lost when they became floats, in deviations.
    let lost: AlignedBlock<Double>

    /// - Parameter padded: channels of the layouts that come, padding included.
    package init(channels: Int, padded: Int) {
        self.channels = channels
        means = AlignedBlock(count: padded)
        variances = AlignedBlock(count: padded)
        first = AlignedBlock(count: padded)
        second = AlignedBlock(count: padded)
        lost = AlignedBlock(count: padded)
    }

    package func mean(_ channel: Int) -> Double { means[channel] }
    /// Without Bessel's correction.
    package func variance(_ channel: Int) -> Double { variances[channel] }

    /// Takes the leaf's own statistics.
    package func measure(_ x: FloatView, _ layout: ChannelLayout, kernels: NetKernels) {
        precondition(layout.paddedChannels == means.count && x.count >= layout.count, "a tensor smaller than its layout")
        let lanes = layout.lanes, stride = layout.area * lanes
        for channel in 0..<means.count { means[channel] = Double(x[channel / lanes * stride + channel % lanes]) }
        kernels.channelSums(x, layout, center: means, first, second)
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

    /// y = x − mean, of plain rows, rounded once; y's rows have the stride that `ChannelNormalization` wants, and what is between them
    /// stays as it is.
    package func center(_ x: FloatView, rows: Int, into y: MutableFloatView, kernels: NetKernels) {
        kernels.centerChannels(x, rows: rows, width: channels, means: means, stride: ChannelNormalization.stride(ofRows: channels), into: y)
    }
}

extension NetKernels {
    fileprivate func centerChannels(
        _ x: FloatView, rows: Int, width: Int, means: AlignedBlock<Double>, stride: Int, into y: MutableFloatView
    ) {
        precondition(x.count >= rows * width && means.count >= width && y.count >= rows * stride, "a tensor smaller than its layout")
        table.pointee.center_channels(x.floats, rows, width, means.base, stride, y.base)
    }

    fileprivate func channelSums(
        _ x: FloatView, _ layout: ChannelLayout, center: AlignedBlock<Double>, _ a: AlignedBlock<Double>, _ b: AlignedBlock<Double>
    ) {
        var shape = ck_channels(rows: layout.rows, groups: layout.groups, area: layout.area, lanes: layout.lanes)
        table.pointee.channel_sums(x.floats, &shape, center.base, a.base, b.base)
    }
}
