internal import Kernels

/// The memory of one slot: a leaf's inputs, targets, activations and output gradients.
///
/// Everything is row-major with rows at the width of their stage, so a leaf with fewer rows uses the front of each buffer.
final class LeafMemory {
    let input: FloatBlock
    let labels: AlignedBlock<Int32>
    let targets: FloatBlock
    let samples: AlignedBlock<UInt32>
    /// Per stage: what it gives, and where needed which units dropout kept.
    let outputs: [FloatBlock]
    let masks: [AlignedBlock<UInt8>?]
    /// Of the gradient that a stage receives and the one that it passes on.
    let gradients: [FloatBlock]
    /// The received gradient, `[units, rows]`.
    let transposed: FloatBlock
    /// The inputs of the dense stage at work, packed for its product.
    let packed: FloatBlock

    var figures = LossFigures()

    init(_ network: Network, rows: Int) {
        let stages = network.stages
        input = FloatBlock(count: rows * network.inputCount)
        labels = AlignedBlock(count: network.loss == .softmaxCrossEntropy ? rows : 0)
        targets = FloatBlock(count: network.loss == .softmaxCrossEntropy ? 0 : rows * network.outputCount)
        samples = AlignedBlock(count: rows)
        outputs = stages.map { FloatBlock(count: rows * $0.outputWidth) }
        masks = stages.map { $0.after.needsMask ? AlignedBlock(count: rows * $0.outputWidth) : nil }
        let widest = stages.map(\.outputWidth).max() ?? 0
        gradients = [FloatBlock(count: rows * widest), FloatBlock(count: rows * widest)]
        transposed = FloatBlock(count: rows * widest)
        let packing = stages.map { stage in
            switch stage {
            case .dense(let dense): max(NetKernels.wholePanels(rows) * dense.inputs, rows * NetKernels.wholePanels(dense.inputs))
            case .pointwise: 0
            }
        }
        packed = FloatBlock(count: packing.max() ?? 0)
    }

    /// What stage `index` reads.
    func stageInput(_ index: Int) -> FloatView {
        index == 0 ? input.view : outputs[index - 1].view
    }
}
