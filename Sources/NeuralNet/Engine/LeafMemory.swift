internal import Kernels

/// The memory of one slot: a leaf's inputs, targets, activations and output gradients.
///
/// Everything is row-major with rows at the width of their stage, so a leaf with fewer rows uses the front of each buffer.
final class LeafMemory {
    let input: FloatBlock
    let labels: AlignedBlock<Int32>
    let targets: FloatBlock
    /// What the loss took the rows for; empty for a regression.
    let classified: AlignedBlock<Int32>
    let samples: AlignedBlock<UInt32>
    /// Per stage: what it gives, and where needed which units dropout kept.
    let outputs: [FloatBlock]
    let masks: [AlignedBlock<UInt8>?]
    /// As `GradientRoutes` numbers them.
    let gradients: [FloatBlock]
    /// The gradient of the dense stage whose turn it is, `[units, rows]`.
    let transposed: FloatBlock
    /// The inputs of the dense stage at work, packed for its product.
    let packed: FloatBlock
    /// In bf16: inputs, gradient and transposed gradient of the dense stage at work.
    let rounded: (x: FloatBlock, gradient: FloatBlock, transposed: FloatBlock)
    /// Per stage what its worker keeps, and its parameter gradient where that is computed leaf by leaf.
    let notes: [AnyObject?]
    let parameterGradients: [FloatBlock?]

    var figures = LossFigures()
    private let sources: [Int?]

    /// - Parameter workers: per stage, nil where it is none of a leaf operation.
    init(_ network: Network, rows: Int, workers: [(any LeafWorker)?], precision: Precision) {
        let stages = network.stages
        func count(_ stage: Int) -> Int { workers[stage]?.outputCount(rows: rows) ?? rows * stages[stage].outputWidth }
        input = FloatBlock(count: rows * network.inputCount)
        labels = AlignedBlock(count: network.loss.takesLabels ? rows : 0)
        targets = FloatBlock(count: network.loss.takesLabels ? 0 : rows * network.outputCount)
        classified = AlignedBlock(count: network.loss.isRegression ? 0 : rows)
        samples = AlignedBlock(count: rows)
        outputs = stages.indices.map { FloatBlock(count: count($0)) }
        masks = stages.map { $0.after.needsMask ? AlignedBlock(count: rows * $0.outputWidth) : nil }
        gradients = network.routes.holders.map { FloatBlock(count: $0.map(count).max() ?? 0) }
        let dense = stages.compactMap { if case .dense(let dense) = $0.kind { dense } else { nil } }
        transposed = FloatBlock(count: rows * (dense.map(\.units).max() ?? 0))
        let packing = dense.map { max(NetKernels.wholePanels(rows) * $0.inputs, rows * NetKernels.wholePanels($0.inputs)) }
        packed = FloatBlock(count: packing.max() ?? 0)
        func room(_ width: Int?) -> FloatBlock { FloatBlock(count: precision == .bf16 ? (rows * (width ?? 0) + 1) / 2 : 0) }
        let units = dense.map(\.units).max()
        rounded = (room(dense.map(\.inputs).max()), room(units), room(units))
        notes = workers.map { $0?.makeNotes() }
        parameterGradients = workers.map { worker in worker.map { FloatBlock(count: $0.parameterGradientCount) } }
        sources = stages.map(\.source)
    }

    /// What stage `index` reads.
    func stageInput(_ index: Int) -> FloatView {
        sources[index].map { outputs[$0].view } ?? input.view
    }
}
