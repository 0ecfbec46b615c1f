internal import Kernels

/// The largest element or the mean of every window.
struct Pooling: LeafOperation {
    let kind: Pooling2D.Kind
    let image: ImageShape
    let window: ImageWindow

    var output: ImageExtent { window.output(of: image.extent) }
    var outputWidth: Int { image.channels * output.height * output.width }
    var readsImages: Bool { true }
    var isPrimitive: Bool { true }
    var hasPlainOutput: Bool { false }

    func makeWorker(_ engine: LeafWorkerContext, source: (any LeafWorker)?) -> any LeafWorker {
        PoolingWorker(self, engine)
    }
}

private final class PoolingWorker: LeafWorker {
    private let operation: Pooling
    private let engine: LeafWorkerContext
    private let output: ImageShape
    private var compiled = Compiled<Pooling2D>()

    init(_ operation: Pooling, _ engine: LeafWorkerContext) {
        self.operation = operation
        self.engine = engine
        output = ImageShape([operation.image.channels, operation.output.height, operation.output.width])
    }

    func outputCount(rows: Int) -> Int {
        output.layout(rows: rows, block: engine.channelBlock).count
    }

    func makeNotes() -> AnyObject? {
        prepare(rows: engine.leafRows, training: true)
        return AlignedBlock<UInt8>(count: compiled[engine.leafRows].workspaceByteCount)
    }

    func prepare(rows: Int, training: Bool) {
        compiled.prepare(rows) {
            let shape = Pooling2D.Shape(
                operation.kind, rows: rows, channels: operation.image.channels, image: operation.image.extent, window: operation.window)
            return Pooling2D(
                shape, input: operation.image.layout(rows: rows, block: engine.channelBlock),
                output: output.layout(rows: rows, block: engine.channelBlock), threads: engine.primitives)
        }
    }

    func forward(_ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
        compiled[leaf.rows].forward(x: x, y: y, workspace: workspace(leaf), thread: leaf.thread)
    }

    func backward(
        _ leaf: LeafCall, x: FloatView, y: FloatView, dy: MutableFloatView, dx: MutableFloatView?, gradient: MutableFloatView
    ) {
        if let dx { compiled[leaf.rows].backward(dy: dy.view, dx: dx, workspace: workspace(leaf), thread: leaf.thread) }
    }

    private func workspace(_ leaf: LeafCall) -> AlignedBlock<UInt8> {
        guard let workspace = leaf.notes as? AlignedBlock<UInt8> else { preconditionFailure("a pooling without its workspace") }
        return workspace
    }
}
