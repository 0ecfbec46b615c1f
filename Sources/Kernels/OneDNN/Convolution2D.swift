internal import COneDNN

/// Forward and both gradients of a convolution (cross-correlation) for one number of rows, compiled once.
///
/// y[r, f, p] = bias[f] + Σ w[f, c, q] · x[r, c, stride · p + dilation · q − padding], channels and filters of one group among themselves.
/// Activations lie as `input` and `output` say, their gradients too, so that layers that agree pass them on as they are; weights are
/// packed once per step for all leaves. Nothing is allocated per call.
/// - Shapes: x `[rows, channels, height, width]`, w `[filters, channels / groups, kernel height, kernel width]`, y `[rows, filters, …]`.
package final class Convolution2D: Sendable {
    package struct Shape: Hashable, Sendable {
        package var rows, channels: Int
        package var image: ImageExtent
        package var filters: Int
        package var window: ImageWindow
        package var groups: Int
        package var hasBias: Bool

        package init(
            rows: Int, channels: Int, image: ImageExtent, filters: Int, window: ImageWindow, groups: Int = 1, hasBias: Bool = true
        ) {
            self.rows = rows
            self.channels = channels
            self.image = image
            self.filters = filters
            self.window = window
            self.groups = groups
            self.hasBias = hasBias
        }

        package var output: ImageExtent { window.output(of: image) }
        package var weightCount: Int { filters * (channels / groups) * window.kernel.height * window.kernel.width }

        var inputShape: [Int] { [rows, channels, image.height, image.width] }
        var outputShape: [Int] { [rows, filters, output.height, output.width] }
        var weightShape: [Int] {
            let kernel = [window.kernel.height, window.kernel.width]
            return groups == 1 ? [filters, channels] + kernel : [groups, filters / groups, channels / groups] + kernel
        }
    }

    package let shape: Shape
    /// Of x and its gradient, of y and its gradient.
    package let input, output: TensorLayout
    /// Of the weights as `forward` and as `backwardInput` read them, and of their gradient.
    package let forwardWeights, backwardWeights, weightGradient: TensorLayout
    /// The implementations' names in oneDNN: forward, input gradient, weight gradient.
    package let implementations: [String]

    private let forwardPass, backwardWeightsPass: Primitive
    private let backwardInputPass: Primitive?
    private let packForward, packBackward, unpack: Reorder

    /// - Parameters:
    ///   - input: what the layer below gives; nil lets oneDNN choose.
    ///   - needsInputGradient: false for the first layer.
    package init(_ shape: Shape, input given: TensorLayout? = nil, needsInputGradient: Bool = true, threads: PrimitiveThreads) {
        precondition(shape.rows >= 1 && shape.window.isValid && shape.output.height >= 1 && shape.output.width >= 1, "an empty convolution")
        precondition(
            shape.groups >= 1 && shape.channels % shape.groups == 0 && shape.filters % shape.groups == 0,
            "channels or filters that groups do not divide")
        self.shape = shape
        let free = TensorLayout(shape: shape.weightShape, strides: nil), plain = TensorLayout(shape: shape.weightShape)
        let bias = shape.hasBias ? TensorLayout(shape: [shape.filters]) : nil
        let source = given ?? TensorLayout(shape: shape.inputShape, strides: nil)
        let result = TensorLayout(shape: shape.outputShape, strides: nil)
        var window = shape.window.raw(on: shape.image)

        let forward = Operation("dnnl_convolution_forward_primitive_desc_create", of: [source, free, bias, result]) {
            operation, engine, attributes in
            od_convolution_forward_describe(
                &operation, engine, attributes, &window, source.descriptor, free.descriptor, bias?.descriptor,
                result.descriptor)
        }
        let input = forward.layout(ofRequired: DNNL_ARG_SRC_0), output = forward.layout(ofRequired: DNNL_ARG_DST_0)
        let weightGradient = Operation(
            "dnnl_convolution_backward_weights_primitive_desc_create", of: [input, free, bias, output, forward]
        ) { operation, engine, attributes in
            od_convolution_backward_weights_describe(
                &operation, engine, attributes, &window, input.descriptor, free.descriptor, bias?.descriptor, output.descriptor,
                forward.descriptor)
        }
        let inputGradient =
            needsInputGradient
            ? Operation("dnnl_convolution_backward_data_primitive_desc_create", of: [input, free, output, forward]) {
                operation, engine, attributes in
                od_convolution_backward_data_describe(
                    &operation, engine, attributes, &window, input.descriptor, free.descriptor, output.descriptor, forward.descriptor)
            } : nil

        self.input = input
        self.output = output
        forwardWeights = forward.layout(ofRequired: DNNL_ARG_WEIGHTS_0)
        backwardWeights = inputGradient?.layout(ofRequired: DNNL_ARG_WEIGHTS_0) ?? plain
        self.weightGradient = weightGradient.layout(ofRequired: DNNL_ARG_DIFF_WEIGHTS_0)
        implementations = [forward, inputGradient, weightGradient].compactMap { $0?.implementation }
        packForward = Reorder(from: plain, to: forwardWeights, threads: threads)
        packBackward = Reorder(from: plain, to: backwardWeights, threads: threads)
        unpack = Reorder(from: self.weightGradient, to: plain, threads: threads)
        forwardPass = Primitive(
            forward, threads: threads,
            arguments: [DNNL_ARG_SRC_0, DNNL_ARG_WEIGHTS_0, DNNL_ARG_DST_0] + (shape.hasBias ? [DNNL_ARG_BIAS] : []))
        backwardInputPass = inputGradient.map {
            Primitive($0, threads: threads, arguments: [DNNL_ARG_DIFF_DST_0, DNNL_ARG_WEIGHTS_0, DNNL_ARG_DIFF_SRC_0])
        }
        backwardWeightsPass = Primitive(
            weightGradient, threads: threads,
            arguments: [DNNL_ARG_SRC_0, DNNL_ARG_DIFF_DST_0, DNNL_ARG_DIFF_WEIGHTS_0] + (shape.hasBias ? [DNNL_ARG_DIFF_BIAS] : []))
    }

    // MARK: Weights

    /// Row-major weights into `forwardWeights`.
    package func packForward(_ weights: FloatView, into packed: MutableFloatView, thread: Int = 0) {
        packForward.run(weights, into: packed, thread: thread)
    }

    /// Row-major weights into `backwardWeights`.
    package func packBackward(_ weights: FloatView, into packed: MutableFloatView, thread: Int = 0) {
        packBackward.run(weights, into: packed, thread: thread)
    }

    /// A gradient in `weightGradient`, or a sum of such, into row-major order.
    package func unpackGradient(_ packed: FloatView, into gradient: MutableFloatView, thread: Int = 0) {
        unpack.run(packed, into: gradient, thread: thread)
    }

    // MARK: Passes

    /// - Parameter bias: `[filters]`, to be given if and only if the shape has one.
    package func forward(x: FloatView, weights: FloatView, bias: FloatView?, y: MutableFloatView, thread: Int = 0) {
        precondition(x.count >= input.count && y.count >= output.count, "an image smaller than its layout")
        precondition(weights.count >= forwardWeights.count, "weights smaller than their layout")
        precondition((bias != nil) == shape.hasBias && bias.map { $0.count >= shape.filters } ?? true, "a bias of another shape")
        forwardPass.run(thread: thread, x.base, weights.base, y.base, bias?.base)
    }

    /// dx from dy; `weights` as `packBackward` gave them.
    package func backwardInput(dy: FloatView, weights: FloatView, dx: MutableFloatView, thread: Int = 0) {
        precondition(dy.count >= output.count && dx.count >= input.count, "an image smaller than its layout")
        precondition(weights.count >= backwardWeights.count, "weights smaller than their layout")
        guard let backwardInputPass else { preconditionFailure("an input gradient that was not asked for") }
        backwardInputPass.run(thread: thread, dy.base, weights.base, dx.base)
    }

    /// The sums over rows for the weights, in `weightGradient`, and for the bias `[filters]`.
    package func backwardWeights(x: FloatView, dy: FloatView, dw: MutableFloatView, db: MutableFloatView?, thread: Int = 0) {
        precondition(x.count >= input.count && dy.count >= output.count, "an image smaller than its layout")
        precondition(dw.count >= weightGradient.count, "a gradient smaller than its layout")
        precondition((db != nil) == shape.hasBias && db.map { $0.count >= shape.filters } ?? true, "a bias of another shape")
        backwardWeightsPass.run(thread: thread, x.base, dy.base, dw.base, (db?.base).map { UnsafeRawPointer($0) })
    }
}
