internal import Kernels

/// y = (x − mean) / √(variance + ε) ⊙ scale + shift, mean and (biased) variance of the whole row.
///
/// Source: Ba et al., "Layer Normalization", 2016, eq. 4. The moments are our own double sums, the rest is oneDNN's, see `RowNormalization`.
/// - Shapes: x and y `[rows, width]`; scale and shift have the shape of a row.
struct LayerNormLayer: LeafOperation {
    var width: Int
    var epsilon: Double
    /// Scale, then shift.
    var range: Range<Int>

    var outputWidth: Int { width }
    var parameters: Range<Int>? { range }
    var isPrimitive: Bool { true }

    func makeWorker(_ engine: LeafWorkerContext, source: (any LeafWorker)?) -> any LeafWorker {
        LayerNormWorker(self, engine)
    }
}

private final class LayerNormWorker: LeafWorker {
    private let operation: LayerNormLayer
    private let engine: LeafWorkerContext
    private var compiled = Compiled<RowNormalization>()

    init(_ operation: LayerNormLayer, _ engine: LeafWorkerContext) {
        self.operation = operation
        self.engine = engine
    }

    func outputCount(rows: Int) -> Int { rows * operation.width }
    /// The rows about their mean: backward reads them instead of x.
    func makeNotes() -> AnyObject? { CenteredRows(rows: engine.leafRows, width: operation.width) }
    var parameterGradientCount: Int { operation.range.count }

    func prepare(rows: Int, training: Bool) {
        compiled.prepare(rows) {
            RowNormalization(
                .init(rows: rows, width: operation.width, epsilon: operation.epsilon), needsInputGradient: engine.needsInputGradient,
                threads: engine.primitives)
        }
    }

    private func centered(_ leaf: LeafCall) -> CenteredRows {
        guard let rows = leaf.notes as? CenteredRows else { preconditionFailure("a layer norm without its notes") }
        return rows
    }

    func forward(_ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
        let centered = centered(leaf)
        centered.take(x, rows: leaf.rows, kernels: engine.kernels)
        compiled[leaf.rows].forward(x: centered, parameters: leaf.parameters, y: y, thread: leaf.thread)
    }

    func backward(
        _ leaf: LeafCall, x: FloatView, y: FloatView, dy: MutableFloatView, dx: MutableFloatView?, gradient: MutableFloatView
    ) {
        compiled[leaf.rows].backward(
            x: centered(leaf), dy: dy.view, parameters: leaf.parameters, dx: dx, gradient: gradient, thread: leaf.thread)
    }
}
