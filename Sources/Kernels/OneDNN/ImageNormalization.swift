internal import COneDNN

/// Normalisation of images channel by channel and its gradients for one number of rows, compiled once; nothing is allocated per call.
///
/// Mean and variance come from outside, so one primitive serves a leaf's own statistics, given ones and inference. oneDNN's own statistics
/// are chains of floats: of 128 · 28 · 28 values around 10 ± 1 they cost the scale's gradient 2e-4 (AVX2) or 4e-5 (AVX-512).
/// - Shapes: x and y `[rows, channels, height, width]` in blocks of channels, their gradients too; per channel as `ChannelOperands`.
package final class ImageNormalization: Sendable {
    package struct Shape: Hashable, Sendable {
        package var rows, channels: Int
        package var image: ImageExtent
        package var epsilon: Double
        /// y is max(y, 0) in the end; the gradients know nothing of it.
        package var hasReLU: Bool

        package init(rows: Int, channels: Int, image: ImageExtent, epsilon: Double, hasReLU: Bool = false) {
            self.rows = rows
            self.channels = channels
            self.image = image
            self.epsilon = epsilon
            self.hasReLU = hasReLU
        }
    }

    package let shape: Shape
    package let layout: TensorLayout
    /// The implementations' names in oneDNN: forward, backward.
    package let implementations: [String]
    private let forwardPass, backwardPass: Primitive
    /// Where the gradient of an input goes that nobody wants; one per thread.
    private let unwanted: [FloatBlock]

    /// - Parameters:
    ///   - ownStatistics: whether in training mean and variance are the leaf's own and so depend on x.
    ///   - needsInputGradient: false for the first layer.
    package init(
        _ shape: Shape, block: Int, ownStatistics: Bool, needsInputGradient: Bool = true, threads: PrimitiveThreads
    ) {
        let layout = TensorLayout(rows: shape.rows, channels: shape.channels, image: shape.image, block: block)
        let epsilon = Float(shape.epsilon)
        let forward = Operation("dnnl_batch_normalization_forward_primitive_desc_create", of: [layout]) {
            od_batch_normalization_forward_describe(&$0, $1, $2, layout.descriptor, epsilon, shape.hasReLU ? 1 : 0)
        }
        let backward = Operation("dnnl_batch_normalization_backward_primitive_desc_create", of: [layout]) {
            od_batch_normalization_backward_describe(&$0, $1, $2, layout.descriptor, epsilon, ownStatistics ? 0 : 1)
        }
        self.shape = shape
        self.layout = layout
        implementations = [forward.implementation, backward.implementation]
        forwardPass = Primitive(
            forward, threads: threads,
            arguments: [DNNL_ARG_SRC_0, DNNL_ARG_DST_0, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE, DNNL_ARG_SCALE, DNNL_ARG_SHIFT])
        backwardPass = Primitive(
            backward, threads: threads,
            arguments: [
                DNNL_ARG_SRC_0, DNNL_ARG_DIFF_DST_0, DNNL_ARG_DIFF_SRC_0, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE, DNNL_ARG_SCALE,
                DNNL_ARG_DIFF_SCALE, DNNL_ARG_DIFF_SHIFT,
            ] + (od_normalization_backward_takes_shift() != 0 ? [DNNL_ARG_SHIFT] : []))
        unwanted = needsInputGradient ? [] : (0..<threads.count).map { _ in FloatBlock(count: layout.count) }
    }

    package func forward(x: FloatView, operands: ChannelOperands, y: MutableFloatView, thread: Int = 0) {
        check(x.count, operands)
        check(y.count, operands)
        forwardPass.run(
            thread: thread, x.base, y.base, operands.mean.view.base, operands.variance.view.base, operands.scale.view.base,
            operands.shift.view.base)
    }

    /// dx, and in `operands` the gradients of scale and shift, from dy.
    /// - Parameter dx: nil only if the input's gradient was not asked for.
    package func backward(x: FloatView, dy: FloatView, operands: ChannelOperands, dx: MutableFloatView?, thread: Int = 0) {
        guard let target = dx ?? (unwanted.isEmpty ? nil : unwanted[thread].mutableView) else {
            preconditionFailure("an input gradient that was asked for has no place")
        }
        check(x.count, operands)
        check(dy.count, operands)
        check(target.count, operands)
        backwardPass.run(
            thread: thread, x.base, dy.base, UnsafeRawPointer(target.base), operands.mean.view.base, operands.variance.view.base,
            operands.scale.view.base, operands.dScale.view.base, operands.dShift.view.base,
            operands.shift.view.base)
    }

    private func check(_ count: Int, _ operands: ChannelOperands) {
        precondition(count >= layout.count, "an image smaller than its layout")
        precondition(operands.mean.count >= shape.channels, "operands of fewer channels")
    }
}

/// What the primitives read and write per channel, padding included.
package final class ChannelOperands {
    let mean, variance, scale, shift, dScale, dShift: FloatBlock

    package init(padded: Int) {
        mean = FloatBlock(count: padded)
        variance = FloatBlock(count: padded)
        scale = FloatBlock(count: padded)
        shift = FloatBlock(count: padded)
        dScale = FloatBlock(count: padded)
        dShift = FloatBlock(count: padded)
    }
}

extension ChannelNormalization {
    /// Hands the statistics over as floats. What the mean loses by that goes into the shift: a large mean costs no digits of y.
    package func write(to operands: ChannelOperands, scale: FloatView, shift: FloatView, epsilon: Double) {
        for channel in 0..<channels {
            let mean = Float(mean(channel)), lost = self.mean(channel) - Double(mean)
            operands.mean.mutableView[channel] = mean
            operands.variance.mutableView[channel] = Float(variance(channel))
            operands.scale.mutableView[channel] = scale[channel]
            operands.shift.mutableView[channel] =
                Float(Double(shift[channel]) - Double(scale[channel]) * (lost * inverseRoot(channel, epsilon)))
        }
    }

    /// Takes the gradients of scale and shift back, the former about the mean as it was before it became a float.
    package func read(from operands: ChannelOperands, epsilon: Double, dScale: MutableFloatView, dShift: MutableFloatView) {
        for channel in 0..<channels {
            let lost = mean(channel) - Double(operands.mean.view[channel]), sum = operands.dShift.view[channel]
            dShift[channel] = sum
            dScale[channel] = Float(Double(operands.dScale.view[channel]) - lost * inverseRoot(channel, epsilon) * Double(sum))
        }
    }

    private func inverseRoot(_ channel: Int, _ epsilon: Double) -> Double { 1 / (variance(channel) + epsilon).squareRoot() }
}
