internal import COneDNN

/// Normalisation channel by channel, of images or of plain rows, and its gradients for one number of rows, compiled once; nothing is
/// allocated per call.
///
/// Mean and variance come from outside, so one primitive serves a leaf's own statistics, given ones and inference. oneDNN's own statistics
/// are chains of floats: of 128 · 28 · 28 values around 10 ± 1 they cost the scale's gradient 2e-4 (AVX2) or 4e-5 (AVX-512).
///
/// Plain rows are one image whose pixels are the rows: the same memory, and oneDNN compiles code for it where `[rows, features]` gets
/// loops that take 8 times as long. It does so for multiples of 4 features, so x comes with features added where there are others, and
/// about the channels' means, see `ChannelStatistics.center`: in a float a mean of 1000 ± 1 costs dx 3e-5. dy, y and dx are copied where
/// they differ.
/// - Shapes: x and y `[rows, channels, height, width]` in blocks of channels, their gradients too; or x `[rows, stride]`, the others
///   `[rows, channels]`; per channel as `ChannelOperands`.
package final class ChannelNormalization: Sendable {
    package struct Shape: Hashable, Sendable {
        package var rows, channels: Int
        /// nil: plain rows, every feature is a channel.
        package var image: ImageExtent?
        package var epsilon: Double
        /// y is max(y, 0) in the end; the gradients know nothing of it.
        package var hasReLU: Bool

        package init(rows: Int, channels: Int, image: ImageExtent?, epsilon: Double, hasReLU: Bool = false) {
            self.rows = rows
            self.channels = channels
            self.image = image
            self.epsilon = epsilon
            self.hasReLU = hasReLU
        }
    }

    package let shape: Shape
    /// The implementations' names in oneDNN: forward, backward.
    package let implementations: [String]
    /// Floats of x and of y, and channels of the operands.
    private let inputCount, count, channels: Int
    private let forwardPass, backwardPass: Primitive
    /// What stands for y, or for dy and dx, where features are added; one per thread.
    private let padded: [PaddedRows]
    /// Where the gradient of an input goes that nobody wants; one per thread.
    private let unwanted: [FloatBlock]

    /// - Parameters:
    ///   - block: channels in one block of an image.
    ///   - ownStatistics: whether in training mean and variance are the leaf's own and so depend on x.
    ///   - needsInputGradient: false for the first layer.
    package init(
        _ shape: Shape, block: Int, ownStatistics: Bool, needsInputGradient: Bool = true, threads: PrimitiveThreads
    ) {
        let layout: TensorLayout
        if let image = shape.image {
            layout = TensorLayout(rows: shape.rows, channels: shape.channels, image: image, block: block)
            channels = shape.channels
            count = layout.count
        } else {
            channels = Self.stride(ofRows: shape.channels)
            layout = TensorLayout(rowsAsPixels: shape.rows, channels: channels)
            count = shape.rows * shape.channels
        }
        inputCount = layout.count
        padded =
            layout.count == count
            ? []
            : (0..<threads.count).map { [channels] _ in PaddedRows(rows: shape.rows, width: shape.channels, stride: channels) }
        let epsilon = OneDNN.epsilon(shape.epsilon)
        let forward = Operation("dnnl_batch_normalization_forward_primitive_desc_create", of: [layout]) {
            od_batch_normalization_forward_describe(&$0, $1, $2, layout.descriptor, epsilon, shape.hasReLU ? 1 : 0)
        }
        let backward = Operation("dnnl_batch_normalization_backward_primitive_desc_create", of: [layout]) {
            od_batch_normalization_backward_describe(&$0, $1, $2, layout.descriptor, epsilon, ownStatistics ? 0 : 1)
        }
        self.shape = shape
        implementations = [forward.implementation, backward.implementation]
        forwardPass = Primitive(forward, threads: threads, arguments: NormalizationArguments.forward)
        backwardPass = Primitive(backward, threads: threads, arguments: NormalizationArguments.backward)
        unwanted = needsInputGradient || !padded.isEmpty ? [] : (0..<threads.count).map { _ in FloatBlock(count: layout.count) }
    }

    /// Floats from one of x's plain rows to the next: compiled code takes 8, 16 or, more slowly, 4 channels at a time.
    package static func stride(ofRows features: Int) -> Int { features % 4 == 0 ? features : (features + 7) / 8 * 8 }

    package func forward(x: FloatView, operands: ChannelOperands, y: MutableFloatView, thread: Int = 0) {
        check(x, y.count, operands)
        let place = padded.isEmpty ? y : padded[thread].view
        forwardPass.run(
            thread: thread, x.base, UnsafeRawPointer(place.base), operands.mean.view.base, operands.variance.view.base,
            operands.scale.view.base, operands.shift.view.base)
        if !padded.isEmpty { padded[thread].copy(to: y) }
    }

    /// dx, and in `operands` the gradients of scale and shift, from dy.
    /// - Parameter dx: nil only if the input's gradient was not asked for.
    package func backward(x: FloatView, dy: FloatView, operands: ChannelOperands, dx: MutableFloatView?, thread: Int = 0) {
        check(x, min(dy.count, dx?.count ?? count), operands)
        guard padded.isEmpty else {
            let place = padded[thread].fill(from: dy)
            differentiate(x, place.view, operands, place, thread)
            if let dx { padded[thread].copy(to: dx) }
            return
        }
        guard let target = dx ?? (unwanted.isEmpty ? nil : unwanted[thread].mutableView) else {
            preconditionFailure("an input gradient that was asked for has no place")
        }
        differentiate(x, dy, operands, target, thread)
    }

    private func differentiate(_ x: FloatView, _ dy: FloatView, _ operands: ChannelOperands, _ dx: MutableFloatView, _ thread: Int) {
        backwardPass.run(
            thread: thread, x.base, dy.base, UnsafeRawPointer(dx.base), operands.mean.view.base, operands.variance.view.base,
            operands.scale.view.base, operands.dScale.view.base, operands.dShift.view.base, operands.shift.view.base)
    }

    private func check(_ x: FloatView, _ given: Int, _ operands: ChannelOperands) {
        precondition(x.count >= inputCount && given >= count, "a tensor smaller than its layout")
        precondition(operands.mean.count >= channels, "operands of fewer channels")
    }
}

/// What the primitives read and write per channel; beyond the last channel are zeros up to whole blocks.
package final class ChannelOperands {
    let mean, variance, scale, shift, dScale, dShift: FloatBlock

    package init(channels: Int) {
        let whole = (channels + 15) / 16 * 16
        mean = FloatBlock(count: whole)
        variance = FloatBlock(count: whole)
        scale = FloatBlock(count: whole)
        shift = FloatBlock(count: whole)
        dScale = FloatBlock(count: whole)
        dShift = FloatBlock(count: whole)
    }
}

extension ChannelStatistics {
    /// Hands the statistics over as floats. What the mean loses by that goes into the shift: a large mean costs no digits of y.
    /// - Parameter centered: x comes about its means, so nothing is lost.
    package func write(to operands: ChannelOperands, scale: FloatView, shift: FloatView, epsilon: Double, centered: Bool) {
        for channel in 0..<channels {
            operands.variance.mutableView[channel] = Float(variance(channel))
            operands.scale.mutableView[channel] = scale[channel]
            operands.shift.mutableView[channel] = shift[channel]
        }
        guard !centered else { return }
        for channel in 0..<channels {
            let mean = Float(mean(channel))
            lost[channel] = (self.mean(channel) - Double(mean)) / (variance(channel) + epsilon).squareRoot()
            operands.mean.mutableView[channel] = mean
            operands.shift.mutableView[channel] = Float(Double(shift[channel]) - Double(scale[channel]) * lost[channel])
        }
    }

    /// Takes the gradients of scale and shift back, the former about the mean as it was before it became a float.
    package func read(from operands: ChannelOperands, dScale: MutableFloatView, dShift: MutableFloatView) {
        for channel in 0..<channels {
            let sum = operands.dShift.view[channel]
            dShift[channel] = sum
            dScale[channel] = Float(Double(operands.dScale.view[channel]) - lost[channel] * Double(sum))
        }
    }
}
