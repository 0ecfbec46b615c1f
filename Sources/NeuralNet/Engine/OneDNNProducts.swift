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
    private let elements: ElementType
    /// In bf16: per stage the weights of the pass, rounded once for all leaves.
    private let roundedWeights: [FloatBlock]

    init(_ network: Network, threads: Int, precision: Precision) {
        self.threads = PrimitiveThreads(count: threads)
        open = (0..<threads).map { _ in FloatBlock(count: 0) }
        elements = precision.operands
        roundedWeights = network.stages.map { stage in
            guard precision == .bf16, case .dense(let dense) = stage.kind else { return FloatBlock(count: 0) }
            return FloatBlock(count: (dense.weight.count + 1) / 2)
        }
    }

    var roundsOperands: Bool { elements == .bfloat16 }

    // MARK: Rounding

    /// Tasks into which a stage's weights are cut for rounding.
    static func roundingTasks(_ dense: Stage.Dense) -> Int { (dense.weight.count + roundingLength - 1) / roundingLength }
    private static let roundingLength = 1 << 16

    func roundWeights(_ dense: Stage.Dense, stage: Int, _ weights: FloatView, task: Int, kernels: NetKernels) {
        let first = task * Self.roundingLength, end = min(first + Self.roundingLength, weights.count)
        let target = roundedWeights[stage].mutableView
        kernels.round(weights[first..<end], intoBF16: target[first / 2..<(end + 1) / 2])
    }

    /// What the products of a stage read: the weights, or what they were rounded to.
    func operand(_ weights: FloatView, stage: Int) -> FloatView {
        roundsOperands ? roundedWeights[stage].view : weights
    }

    /// Units of one panel of the weight gradient: at most 512 KiB up to 2,048 inputs.
    static func panelUnits(_ dense: Stage.Dense) -> Int { dense.inputs <= 1_024 ? 128 : 64 }

    // MARK: Preparing, between tasks

    func prepareForward(_ dense: Stage.Dense, rows: Int) {
        prepare(forwardShape(dense, rows))
    }

    func prepareInputGradient(_ dense: Stage.Dense, rows: Int) {
        prepare(inputGradientShape(dense, rows))
    }

    func prepareWeightGradient(_ dense: Stage.Dense, rows: Int) {
        let panel = min(Self.panelUnits(dense), dense.units), rest = dense.units % panel
        for adds in [false, true] {
            prepare(weightGradientShape(dense, rows, units: panel, adds: adds))
            if rest > 0 { prepare(weightGradientShape(dense, rows, units: rest, adds: adds)) }
        }
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
        product(forwardShape(dense, rows)).run(a: x, b: weights, into: y, thread: thread)
    }

    /// dx = dz · W.
    func inputGradient(_ dense: Stage.Dense, rows: Int, dz: FloatView, weights: FloatView, dx: MutableFloatView, thread: Int) {
        product(inputGradientShape(dense, rows)).run(a: dz, b: weights, into: dx, thread: thread)
    }

    /// Rows `units` of the weight gradient, a panel: the tree sum of the leaves' dzᵀ · x.
    /// - Parameter operands: of a leaf: its rows, dzᵀ `[units, rows]` and x `[rows, inputs]`.
    func weightGradient(
        _ dense: Stage.Dense, units: Range<Int>, _ program: TreeProgram, gradient: MutableFloatView, thread: Int,
        operands: (_ leaf: Int) -> (rows: Int, transposed: FloatView, x: FloatView)
    ) {
        program.sum(into: gradient, scratch: open[thread].mutableView) { leaf, sum, adds in
            let (rows, transposed, x) = operands(leaf)
            // A panel begins at an even element, so that its rounded form begins at a whole float's room.
            let room = (units.lowerBound * rows * elements.byteCount / 4, (units.upperBound * rows * elements.byteCount + 3) / 4)
            product(weightGradientShape(dense, rows, units: units.count, adds: adds)).run(
                a: transposed[room.0..<room.1], b: x, into: sum, thread: thread)
        }
    }

    private func product(_ shape: MatrixProduct.Shape) -> MatrixProduct {
        guard let product = products[shape] else { preconditionFailure("a product that was not prepared") }
        return product
    }

    // MARK: Shapes

    private func forwardShape(_ dense: Stage.Dense, _ rows: Int) -> MatrixProduct.Shape {
        .init(rows: rows, depth: dense.inputs, columns: dense.units, transposesB: true, operands: elements)
    }

    private func inputGradientShape(_ dense: Stage.Dense, _ rows: Int) -> MatrixProduct.Shape {
        .init(rows: rows, depth: dense.units, columns: dense.inputs, operands: elements)
    }

    private func weightGradientShape(_ dense: Stage.Dense, _ rows: Int, units: Int, adds: Bool) -> MatrixProduct.Shape {
        .init(rows: units, depth: rows, columns: dense.inputs, adds: adds, operands: elements)
    }
}
