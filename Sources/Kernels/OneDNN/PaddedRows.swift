/// Rows with features added, for a primitive that needs a round number of them. What it finds there is zero or what it wrote itself.
struct PaddedRows: Sendable {
    private let rows, width, stride: Int
    private let block: FloatBlock

    var view: MutableFloatView { block.mutableView }

    init(rows: Int, width: Int, stride: Int) {
        (self.rows, self.width, self.stride) = (rows, width, stride)
        block = FloatBlock(count: rows * stride)
    }

    func fill(from x: FloatView) -> MutableFloatView {
        for row in 0..<rows { view[row * stride..<row * stride + width].copy(from: x[row * width..<(row + 1) * width]) }
        return view
    }

    func copy(to y: MutableFloatView) {
        for row in 0..<rows { y[row * width..<(row + 1) * width].copy(from: view.view[row * stride..<row * stride + width]) }
    }
}
