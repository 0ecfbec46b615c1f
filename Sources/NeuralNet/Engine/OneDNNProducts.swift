internal import Kernels

/// The products of dense stages by oneDNN, each of a shape that layer and leaf rows fix.
///
/// Forward and input gradient take a whole leaf; the weight gradient takes panels of units, so that trees are summed in the cache and the
/// ends of large layers leave early. Primitives are made at the first use of a shape, between tasks, and kept.
final class OneDNNProducts {
    private let threads: PrimitiveThreads
    private var products: [MatrixProduct.Shape: MatrixProduct] = [:]
    /// Per thread the open sums of a panel.
    private var open: [FloatBlock]

    init(threads: Int) {
        self.threads = PrimitiveThreads(count: threads)
        open = (0..<threads).map { _ in FloatBlock(count: 0) }
    }

    /// Units of one panel of the weight gradient: at most 512 KiB up to 2,048 inputs.
    static func panelUnits(_ dense: Stage.Dense) -> Int { dense.inputs <= 1_024 ? 128 : 64 }

    // MARK: Preparing, between tasks

    func prepareForward(_ dense: Stage.Dense, rows: Int) {
        prepare(Self.forwardShape(dense, rows))
    }

    func prepareInputGradient(_ dense: Stage.Dense, rows: Int) {
        prepare(Self.inputGradientShape(dense, rows))
    }

    func prepareWeightGradient(_ dense: Stage.Dense, rows: Int) {
        let panel = min(Self.panelUnits(dense), dense.units), rest = dense.units % panel
        prepare(Self.weightGradientShape(dense, rows, units: panel))
        if rest > 0 { prepare(Self.weightGradientShape(dense, rows, units: rest)) }
    }

    /// Room for the open sums of `program`'s panels.
    func prepareSums(_ dense: Stage.Dense, _ program: TreeProgram) {
        let count = program.scratchCount(elements: min(Self.panelUnits(dense), dense.units) * dense.inputs)
        if count > open[0].count { open = open.map { _ in FloatBlock(count: count) } }
    }

    private func prepare(_ shape: MatrixProduct.Shape) {
        if products[shape] == nil { products[shape] = MatrixProduct(shape, threads: threads) }
    }

    // MARK: Products, in tasks

    /// y = x · Wᵀ.
    func forward(_ dense: Stage.Dense, rows: Int, x: FloatView, weights: FloatView, y: MutableFloatView, thread: Int) {
        product(Self.forwardShape(dense, rows)).run(a: x, b: weights, into: y, thread: thread)
    }

    /// dx = dz · W.
    func inputGradient(_ dense: Stage.Dense, rows: Int, dz: FloatView, weights: FloatView, dx: MutableFloatView, thread: Int) {
        product(Self.inputGradientShape(dense, rows)).run(a: dz, b: weights, into: dx, thread: thread)
    }

    /// Rows `units` of the weight gradient, a panel: the tree sum of the leaves' dzᵀ · x.
    /// - Parameter operands: of a leaf: its rows, dzᵀ `[units, rows]` and x `[rows, inputs]`.
    func weightGradient(
        _ dense: Stage.Dense, units: Range<Int>, _ program: TreeProgram, gradient: MutableFloatView, thread: Int,
        operands: (_ leaf: Int) -> (rows: Int, transposed: FloatView, x: FloatView)
    ) {
        program.sum(into: gradient, scratch: open[thread].mutableView) { leaf, sum in
            let (rows, transposed, x) = operands(leaf)
            product(Self.weightGradientShape(dense, rows, units: units.count)).run(
                a: transposed[units.lowerBound * rows..<units.upperBound * rows], b: x, into: sum, thread: thread)
        }
    }

    private func product(_ shape: MatrixProduct.Shape) -> MatrixProduct {
        guard let product = products[shape] else { preconditionFailure("a product that was not prepared") }
        return product
    }

    // MARK: Shapes

    private static func forwardShape(_ dense: Stage.Dense, _ rows: Int) -> MatrixProduct.Shape {
        .init(rows: rows, depth: dense.inputs, columns: dense.units, transposesB: true)
    }

    private static func inputGradientShape(_ dense: Stage.Dense, _ rows: Int) -> MatrixProduct.Shape {
        .init(rows: rows, depth: dense.units, columns: dense.inputs)
    }

    private static func weightGradientShape(_ dense: Stage.Dense, _ rows: Int, units: Int) -> MatrixProduct.Shape {
        .init(rows: units, depth: rows, columns: dense.inputs)
    }
}
