internal import COneDNN

/// Normalisation row by row and its gradients for one number of rows, compiled once; nothing is allocated per call.
///
/// The moments come from outside. With their own, oneDNN's primitives lose 5e-5 of y at a mean of 1000 ± 1; rows that come about their
/// mean lose nothing, as normalisation does not see by how much a row was moved.
/// - Shapes: x and y `[rows, width]`, their gradients too; scale and shift `[width]`, one behind the other.
package final class RowNormalization: Sendable {
    package struct Shape: Hashable, Sendable {
        package var rows, width: Int
        package var epsilon: Double

        package init(rows: Int, width: Int, epsilon: Double) {
            self.rows = rows
            self.width = width
            self.epsilon = epsilon
        }
    }

    package let shape: Shape
    /// The implementations' names in oneDNN: forward, backward.
    package let implementations: [String]
    private let forwardPass, backwardPass: Primitive
    /// The means of centred rows.
    private let zeros: FloatBlock
    /// Where the gradient of an input goes that nobody wants; one per thread.
    private let unwanted: [FloatBlock]

    /// - Parameter needsInputGradient: false for the first layer.
    package init(_ shape: Shape, needsInputGradient: Bool = true, threads: PrimitiveThreads) {
        let layout = TensorLayout(shape: [shape.rows, shape.width]), moments = TensorLayout(shape: [shape.rows])
        let epsilon = OneDNN.epsilon(shape.epsilon)
        let forward = Operation("dnnl_layer_normalization_forward_primitive_desc_create", of: [layout, moments]) {
            od_layer_normalization_forward_describe(&$0, $1, $2, layout.descriptor, moments.descriptor, epsilon)
        }
        let backward = Operation("dnnl_layer_normalization_backward_primitive_desc_create", of: [layout, moments]) {
            od_layer_normalization_backward_describe(&$0, $1, $2, layout.descriptor, moments.descriptor, epsilon)
        }
        self.shape = shape
        implementations = [forward.implementation, backward.implementation]
        forwardPass = Primitive(forward, threads: threads, arguments: NormalizationArguments.forward)
        backwardPass = Primitive(backward, threads: threads, arguments: NormalizationArguments.backward)
        zeros = FloatBlock(count: shape.rows)
        unwanted = needsInputGradient ? [] : (0..<threads.count).map { _ in FloatBlock(count: layout.count) }
    }

    /// - Parameters:
    ///   - x: as many rows as the shape has.
    ///   - parameters: scale, then shift.
    package func forward(x: CenteredRows, parameters: FloatView, y: MutableFloatView, thread: Int = 0) {
        check(x, parameters, y.count)
        forwardPass.run(
            thread: thread, x.values.view.base, UnsafeRawPointer(y.base), zeros.view.base, x.variances.view.base,
            parameters.base, parameters[shape.width..<2 * shape.width].base)
    }

    /// - Parameters:
    ///   - dx: nil only if the input's gradient was not asked for.
    ///   - gradient: of scale, then shift; written over.
    package func backward(
        x: CenteredRows, dy: FloatView, parameters: FloatView, dx: MutableFloatView?, gradient: MutableFloatView, thread: Int = 0
    ) {
        guard let target = dx ?? (unwanted.isEmpty ? nil : unwanted[thread].mutableView) else {
            preconditionFailure("an input gradient that was asked for has no place")
        }
        check(x, parameters, min(dy.count, target.count))
        precondition(gradient.count == 2 * shape.width, "a layer norm of another width")
        backwardPass.run(
            thread: thread, x.values.view.base, dy.base, UnsafeRawPointer(target.base), zeros.view.base, x.variances.view.base,
            parameters.base, UnsafeRawPointer(gradient.base), UnsafeRawPointer(gradient.base + shape.width),
            parameters[shape.width..<2 * shape.width].base)
    }

    private func check(_ x: CenteredRows, _ parameters: FloatView, _ count: Int) {
        precondition(x.width == shape.width && parameters.count == 2 * shape.width, "a layer norm of another width")
        precondition(x.variances.count >= shape.rows && count >= shape.rows * shape.width, "a layer norm beyond its buffer")
    }
}

/// Rows about their mean with their variances, kept from forward to backward.
package final class CenteredRows {
    let width: Int
    package let values, variances: FloatBlock

    /// - Parameter rows: at most so many.
    package init(rows: Int, width: Int) {
        self.width = width
        values = FloatBlock(count: rows * width)
        variances = FloatBlock(count: rows)
    }

    /// Takes the first `rows` rows of x; sums are double, a row's values are rounded once, when the mean is gone.
    package func take(_ x: FloatView, rows: Int, kernels: NetKernels) {
        precondition(rows <= variances.count, "more rows than there is room for")
        kernels.center(x, rows: rows, width: width, into: values.mutableView, variances: variances.mutableView)
    }
}
