internal import COneDNN

/// Pooling and its gradient for one number of rows, compiled once; nothing is allocated per call.
///
/// - Shapes: x `[rows, channels, height, width]`, y `[rows, channels, …]`, in the layouts `input` and `output`, their gradients too.
package final class Pooling2D: Sendable {
    package enum Kind: Hashable, Sendable {
        /// The largest element; the first on ties.
        case max
        /// The sum of the window's elements, padding being zeros, divided by the window's size.
        case average
    }

    package struct Shape: Hashable, Sendable {
        package var kind: Kind
        package var rows, channels: Int
        package var image: ImageExtent
        package var window: ImageWindow

        package init(_ kind: Kind, rows: Int, channels: Int, image: ImageExtent, window: ImageWindow) {
            self.kind = kind
            self.rows = rows
            self.channels = channels
            self.image = image
            self.window = window
        }

        /// The mean of a whole image.
        package static func globalAverage(rows: Int, channels: Int, image: ImageExtent) -> Shape {
            Shape(.average, rows: rows, channels: channels, image: image, window: ImageWindow(kernel: image))
        }

        package var output: ImageExtent { window.output(of: image) }
    }

    package let shape: Shape
    package let input, output: TensorLayout
    /// Bytes in which `forward` notes for `backward` which elements won; 0 for averages.
    package let workspaceByteCount: Int
    /// The implementations' names in oneDNN: forward, backward.
    package let implementations: [String]
    private let forwardPass, backwardPass: Primitive

    /// - Parameters:
    ///   - input: what the layer below gives; nil is row-major.
    ///   - output: nil lets oneDNN choose.
    package init(
        _ shape: Shape, input given: TensorLayout? = nil, output givenOutput: TensorLayout? = nil, threads: PrimitiveThreads
    ) {
        precondition(shape.rows >= 1 && shape.channels >= 1 && shape.window.isValid, "an empty pooling")
        precondition(shape.output.height >= 1 && shape.output.width >= 1, "an empty pooling")
        let window = shape.window, reach = window.dilation
        precondition(
            window.padding.height < (window.kernel.height - 1) * reach.height + 1
                && window.padding.width < (window.kernel.width - 1) * reach.width + 1, "a window of nothing but padding")
        self.shape = shape
        let average: Int32 = shape.kind == .average ? 1 : 0
        let input = given ?? TensorLayout(shape: [shape.rows, shape.channels, shape.image.height, shape.image.width])
        let free =
            givenOutput ?? TensorLayout(shape: [shape.rows, shape.channels, shape.output.height, shape.output.width], strides: nil)
        var raw = window.raw(on: shape.image)
        let forward = Operation("dnnl_pooling_forward_primitive_desc_create", of: [input, free]) { operation, engine, attributes in
            od_pooling_forward_describe(&operation, engine, attributes, average, &raw, input.descriptor, free.descriptor)
        }
        let output = forward.layout(ofRequired: DNNL_ARG_DST_0)
        let backward = Operation("dnnl_pooling_backward_primitive_desc_create", of: [input, output, forward]) {
            operation, engine, attributes in
            od_pooling_backward_describe(
                &operation, engine, attributes, average, &raw, input.descriptor, output.descriptor, forward.descriptor)
        }
        self.input = input
        self.output = output
        let workspace = forward.layout(of: DNNL_ARG_WORKSPACE)
        workspaceByteCount = workspace.map { $0.count * MemoryLayout<Float>.stride } ?? 0
        implementations = [forward.implementation, backward.implementation]
        let note = workspace == nil ? [] : [DNNL_ARG_WORKSPACE]
        forwardPass = Primitive(forward, threads: threads, arguments: [DNNL_ARG_SRC_0, DNNL_ARG_DST_0] + note)
        backwardPass = Primitive(backward, threads: threads, arguments: [DNNL_ARG_DIFF_DST_0, DNNL_ARG_DIFF_SRC_0] + note)
    }

    /// - Parameter workspace: at least `workspaceByteCount`.
    package func forward(x: FloatView, y: MutableFloatView, workspace: AlignedBlock<UInt8>, thread: Int = 0) {
        check(x.count, y.count, workspace)
        forwardPass.run(thread: thread, x.base, y.base, UnsafeRawPointer(workspace.base))
    }

    /// dx from dy, with the workspace of the same rows' `forward`.
    package func backward(dy: FloatView, dx: MutableFloatView, workspace: AlignedBlock<UInt8>, thread: Int = 0) {
        check(dx.count, dy.count, workspace)
        backwardPass.run(thread: thread, dy.base, dx.base, UnsafeRawPointer(workspace.base))
    }

    private func check(_ x: Int, _ y: Int, _ workspace: AlignedBlock<UInt8>) {
        precondition(x >= input.count && y >= output.count, "an image smaller than its layout")
        precondition(workspace.count >= workspaceByteCount, "a workspace that is too small")
    }
}
