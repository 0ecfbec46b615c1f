internal import COneDNN

/// Forward and both gradients of a convolution (cross-correlation) for one number of rows, compiled once.
///
/// y[r, f, p] = bias[f] + Σ w[f, c, q] · x[r, c, stride · p + dilation · q − padding], channels and filters of one group among themselves.
/// Activations lie as `input` and `output` say, their gradients too, so that layers that agree pass them on as they are; a pass that is
/// fast only with another layout copies. Weights are packed once per step for all leaves. Nothing is allocated per call.
/// With operands of 16 bits every pass rounds the images that it multiplies, and packing the weights; sums and results are floats.
/// - Shapes: x `[rows, channels, height, width]`, w `[filters, channels / groups, kernel height, kernel width]`, y `[rows, filters, …]`.
package final class Convolution2D: Sendable {
    package struct Shape: Hashable, Sendable {
        package var rows, channels: Int
        package var image: ImageExtent
        package var filters: Int
        package var window: ImageWindow
        package var groups: Int
        package var hasBias: Bool
        /// y is max(y, 0) in the end; the gradients know nothing of it.
        package var hasReLU: Bool
        /// Of what is multiplied. The bias's gradient sums dy as it was rounded for the weights'.
        package var operands: ElementType

        package init(
            rows: Int, channels: Int, image: ImageExtent, filters: Int, window: ImageWindow, groups: Int = 1, hasBias: Bool = true,
            hasReLU: Bool = false, operands: ElementType = .float
        ) {
            self.rows = rows
            self.channels = channels
            self.image = image
            self.filters = filters
            self.window = window
            self.groups = groups
            self.hasBias = hasBias
            self.hasReLU = hasReLU
            self.operands = operands
        }

        package var output: ImageExtent { window.output(of: image) }
        package var weightCount: Int { filters * (channels / groups) * window.kernel.height * window.kernel.width }

        fileprivate var weightShape: [Int] {
            let kernel = [window.kernel.height, window.kernel.width]
            return groups == 1 ? [filters, channels] + kernel : [groups, filters / groups, channels / groups] + kernel
        }
    }

    package let shape: Shape
    /// Of x and its gradient, of y and its gradient; floats.
    package let input, output: TensorLayout
    /// Of the weights as `forward` and as `backwardInput` read them, and of their gradient.
    package let forwardWeights, backwardWeights, weightGradient: TensorLayout
    /// The implementations' names in oneDNN: forward, input gradient, weight gradient.
    package let implementations: [String]
    /// Images that some pass has to copy into another layout at every call: in floats none between layers of some channels, one below the
    /// first; with operands of 16 bits each that is multiplied.
    package let copiedImages: Int

    private let forwardPass: Forward
    private let inputPass: BackwardInput?
    private let weightPass: BackwardWeights
    private let packForward, packBackward, unpack: Reorder

    /// - Parameters:
    ///   - input: what the layer below gives; nil lets oneDNN choose, as for `output` and `weightGradient`. Operands of 16 bits need it.
    ///   - needsInputGradient: false for the first layer.
    package init(
        _ shape: Shape, input givenInput: TensorLayout? = nil, output givenOutput: TensorLayout? = nil,
        weightGradient givenGradient: TensorLayout? = nil, needsInputGradient: Bool = true, threads: PrimitiveThreads
    ) {
        precondition(shape.rows >= 1 && shape.window.isValid && shape.output.height >= 1 && shape.output.width >= 1, "an empty convolution")
        precondition(
            shape.groups >= 1 && shape.channels % shape.groups == 0 && shape.filters % shape.groups == 0,
            "channels or filters that groups do not divide")
        precondition(shape.operands == .float || givenInput != nil, "operands of 16 bits without a layout of the input")
        self.shape = shape
        let free = FreeLayouts(shape), plain = TensorLayout(shape: shape.weightShape)
        let forward = Operation("dnnl_convolution_forward_primitive_desc_create", of: [free], relu: shape.hasReLU) {
            od_convolution_forward_describe(
                &$0, $1, $2, &free.window, free.x.descriptor, free.weights.descriptor, free.bias?.descriptor, free.y.descriptor)
        }
        let input = givenInput ?? forward.layout(ofRequired: DNNL_ARG_SRC_0)
        let output = givenOutput ?? forward.layout(ofRequired: DNNL_ARG_DST_0)
        forwardPass = Forward(forward, input: input, output: output, hasBias: shape.hasBias, threads: threads)

        let weights = Operation("dnnl_convolution_backward_weights_primitive_desc_create", of: [free, forward]) {
            od_convolution_backward_weights_describe(
                &$0, $1, $2, &free.window, free.x.descriptor, free.dw.descriptor, free.bias?.descriptor, free.dy.descriptor,
                forward.descriptor)
        }
        weightGradient = givenGradient ?? weights.layout(ofRequired: DNNL_ARG_DIFF_WEIGHTS_0)
        weightPass = BackwardWeights(
            weights, input: input, output: output, gradient: weightGradient, hasBias: shape.hasBias, threads: threads)
        unpack = Reorder(from: weightGradient, to: plain, threads: threads)

        let data =
            needsInputGradient
            ? Operation("dnnl_convolution_backward_data_primitive_desc_create", of: [free, forward]) {
                od_convolution_backward_data_describe(
                    &$0, $1, $2, &free.window, free.dx.descriptor, free.weights.descriptor, free.dy.descriptor, forward.descriptor)
            } : nil
        inputPass = data.map { BackwardInput($0, input: input, output: output, threads: threads) }
        backwardWeights = data?.layout(ofRequired: DNNL_ARG_WEIGHTS_0) ?? plain
        packBackward = Reorder(from: plain, to: backwardWeights, threads: threads)

        forwardWeights = forward.layout(ofRequired: DNNL_ARG_WEIGHTS_0)
        packForward = Reorder(from: plain, to: forwardWeights, threads: threads)
        self.input = input
        self.output = output
        implementations = [forward, data, weights].compactMap { $0?.implementation }
        let adapted = [forwardPass.x, forwardPass.y, weightPass.x, weightPass.dy] + (inputPass.map { [$0.dy, $0.dx] } ?? [])
        copiedImages = adapted.count { $0.isCopied }
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
        forwardPass.run(x: x, weights: weights, bias: bias, y: y, thread: thread)
    }

    /// dx from dy; `weights` as `packBackward` gave them.
    package func backwardInput(dy: FloatView, weights: FloatView, dx: MutableFloatView, thread: Int = 0) {
        precondition(dy.count >= output.count && dx.count >= input.count, "an image smaller than its layout")
        precondition(weights.count >= backwardWeights.count, "weights smaller than their layout")
        guard let inputPass else { preconditionFailure("an input gradient that was not asked for") }
        inputPass.run(dy: dy, weights: weights, dx: dx, thread: thread)
    }

    /// The sums over rows for the weights, in `weightGradient`, and for the bias `[filters]`.
    package func backwardWeights(x: FloatView, dy: FloatView, dw: MutableFloatView, db: MutableFloatView?, thread: Int = 0) {
        precondition(x.count >= input.count && dy.count >= output.count, "an image smaller than its layout")
        precondition(dw.count >= weightGradient.count, "a gradient smaller than its layout")
        precondition((db != nil) == shape.hasBias && db.map { $0.count >= shape.filters } ?? true, "a bias of another shape")
        weightPass.run(x: x, dy: dy, dw: dw, db: db, thread: thread)
    }
}

/// Operands of which oneDNN may choose the layouts: told what to take, it may have nothing but a slow reference implementation.
private final class FreeLayouts {
    /// What is multiplied.
    let x, weights, dy: TensorLayout
    /// What results.
    let y, dx, dw: TensorLayout
    let bias: TensorLayout?
    var window: od_window

    init(_ shape: Convolution2D.Shape) {
        let input = [shape.rows, shape.channels, shape.image.height, shape.image.width]
        let output = [shape.rows, shape.filters, shape.output.height, shape.output.width]
        x = TensorLayout(shape: input, strides: nil, type: shape.operands)
        weights = TensorLayout(shape: shape.weightShape, strides: nil, type: shape.operands)
        dy = TensorLayout(shape: output, strides: nil, type: shape.operands)
        y = TensorLayout(shape: output, strides: nil)
        dx = TensorLayout(shape: input, strides: nil)
        dw = TensorLayout(shape: shape.weightShape, strides: nil)
        bias = shape.hasBias ? TensorLayout(shape: [shape.filters]) : nil
        window = shape.window.raw(on: shape.image)
    }
}
