internal import Exactness
public import Kernels

extension LeafEngine {
    /// Computes the outputs of every block, without targets; `outputs` and `probabilities` then give them.
    /// - Parameter mask: nil is inference mode; a number drops units as training does at the step of that number, keyed by sample id.
    public func predict(_ blocks: [LeafSlot], weights: FloatView, mask: UInt64? = nil) {
        for block in blocks { precondition(block.rows >= 1 && block.rows <= leafRows, "a block of \(block.rows) rows") }
        begin(Pass(weights: weights, step: mask ?? 0, training: mask != nil))
        active.append(contentsOf: blocks)
        ComputeThread.withMode { forward { _ in } }
    }

    /// Classes that `probabilities` tells apart: two for a net with one logit.
    public var classCount: Int {
        if case .binaryCrossEntropy = network.loss { 2 } else { network.outputCount }
    }

    /// The class probabilities of the slot's rows in the last pass, `[rows, classCount]`: softmax of the logits, or sigmoid of the one logit.
    ///
    /// For classification only. Exponentials are our own: the same bits on every processor.
    public func probabilities(slot: Int, rows: Int, into p: MutableFloatView) {
        let classes = classCount
        precondition(p.count == rows * classes, "probabilities of another number of rows")
        let logits = outputs(slot: slot, rows: rows)
        if case .binaryCrossEntropy = network.loss {
            // e^−|x| does not overflow.
            for row in 0..<rows { p[row] = -abs(logits[row]) }
            kernels.exponential(p.view[0..<rows], into: p[0..<rows])
            for row in (0..<rows).reversed() {
                let small = p[row] / (1 + p[row]), large = 1 / (1 + p[row])
                p[2 * row] = logits[row] > 0 ? small : large
                p[2 * row + 1] = logits[row] > 0 ? large : small
            }
            return
        }
        for row in 0..<rows {
            var largest = logits[row * classes]
            for column in 1..<max(classes, 1) { largest = max(largest, logits[row * classes + column]) }
            for column in 0..<classes { p[row * classes + column] = logits[row * classes + column] - largest }
        }
        kernels.exponential(p.view, into: p)
        for row in 0..<rows {
            var sum = 0.0
            for column in 0..<classes { sum += Double(p[row * classes + column]) }
            for column in 0..<classes { p[row * classes + column] = Float(Double(p[row * classes + column]) / sum) }
        }
    }
}
