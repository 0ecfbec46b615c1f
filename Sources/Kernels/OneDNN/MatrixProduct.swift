internal import COneDNN

/// c = a · b, or c = max(a · b + bias, 0), of one shape, compiled once.
///
/// The bits of an element depend on the shape, the instruction set and the processor's caches, but not on where the operands lie, nor on
/// threads: shapes that must agree must be equal.
package final class MatrixProduct: Sendable {
    /// a `[rows, depth]`, b `[depth, columns]`, c `[rows, columns]`; distances in floats.
    package struct Shape: Hashable, Sendable {
        package var rows, depth, columns: Int
        /// A transposed operand lies in memory as its transpose: a as `[depth, rows]`, b as `[columns, depth]`.
        package var transposesA, transposesB: Bool
        /// From one row in memory to the next.
        package var strideA, strideB, strideC: Int
        package var hasBias, hasReLU: Bool
        /// Whether the product, itself rounded to floats, is added to what is in c.
        package var adds: Bool
        /// Of a and b; c and the sums are floats.
        package var operands: ElementType

        /// Rows follow one another unless strides say otherwise.
        package init(
            rows: Int, depth: Int, columns: Int, transposesA: Bool = false, transposesB: Bool = false, strideA: Int? = nil,
            strideB: Int? = nil, strideC: Int? = nil, hasBias: Bool = false, hasReLU: Bool = false, adds: Bool = false,
            operands: ElementType = .float
        ) {
            self.rows = rows
            self.depth = depth
            self.columns = columns
            self.transposesA = transposesA
            self.transposesB = transposesB
            self.strideA = strideA ?? (transposesA ? rows : depth)
            self.strideB = strideB ?? (transposesB ? depth : columns)
            self.strideC = strideC ?? columns
            self.hasBias = hasBias
            self.hasReLU = hasReLU
            self.adds = adds
            self.operands = operands
        }

        fileprivate var countA: Int { room(transposesA ? (depth - 1) * strideA + rows : (rows - 1) * strideA + depth) }
        fileprivate var countB: Int { room(transposesB ? (columns - 1) * strideB + depth : (depth - 1) * strideB + columns) }
        fileprivate var countC: Int { (rows - 1) * strideC + columns }

        /// Floats that so many elements of an operand take.
        private func room(_ count: Int) -> Int { (count * operands.byteCount + 3) / 4 }
    }

    package let shape: Shape
    /// The implementation's name in oneDNN.
    package let implementation: String
    private let primitive: Primitive

    package init(_ shape: Shape, threads: PrimitiveThreads) {
        precondition(shape.rows >= 1 && shape.depth >= 1 && shape.columns >= 1, "a product with an empty operand")
        precondition(
            shape.strideA >= (shape.transposesA ? shape.rows : shape.depth)
                && shape.strideB >= (shape.transposesB ? shape.depth : shape.columns) && shape.strideC >= shape.columns,
            "rows of an operand that overlap")
        self.shape = shape
        func layout(_ rows: Int, _ columns: Int, _ stride: Int, transposed: Bool, _ type: ElementType) -> TensorLayout {
            TensorLayout(shape: [rows, columns], strides: transposed ? [1, stride] : [stride, 1], type: type)
        }
        let a = layout(shape.rows, shape.depth, shape.strideA, transposed: shape.transposesA, shape.operands)
        let b = layout(shape.depth, shape.columns, shape.strideB, transposed: shape.transposesB, shape.operands)
        let c = layout(shape.rows, shape.columns, shape.strideC, transposed: false, .float)
        let bias = shape.hasBias ? TensorLayout(shape: [1, shape.columns]) : nil
        let operation = Operation("dnnl_matmul_primitive_desc_create", of: [a, b, bias, c], adds: shape.adds, relu: shape.hasReLU) {
            od_matmul_describe(&$0, $1, $2, a.descriptor, b.descriptor, bias?.descriptor, c.descriptor)
        }
        implementation = operation.implementation
        let arguments = [DNNL_ARG_SRC_0, DNNL_ARG_WEIGHTS_0, DNNL_ARG_DST_0] + (shape.hasBias ? [DNNL_ARG_BIAS] : [])
        primitive = Primitive(operation, threads: threads, arguments: arguments)
    }

    /// - Parameter bias: `[columns]`, to be given if and only if the shape has one.
    package func run(a: FloatView, b: FloatView, bias: FloatView? = nil, into c: MutableFloatView, thread: Int = 0) {
        precondition(a.count >= shape.countA && b.count >= shape.countB && c.count >= shape.countC, "an operand smaller than its shape")
        precondition(
            (bias != nil) == shape.hasBias && bias.map { $0.count >= shape.columns } ?? true, "a bias that the shape does not have")
        primitive.run(thread: thread, a.base, b.base, c.base, bias?.base)
    }
}
