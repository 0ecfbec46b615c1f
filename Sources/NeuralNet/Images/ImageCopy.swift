internal import Kernels

/// Images from their own layout into plain rows, or back: where a layer that reads rows follows one that gives images, and before a sum
/// of the two.
struct ImageCopy: LeafOperation {
    let image: ImageShape
    let isToPlain: Bool

    init(shape: [Int], isToPlain: Bool) {
        image = ImageShape(shape)
        self.isToPlain = isToPlain
    }

    var outputWidth: Int { image.width }
    var readsImages: Bool { isToPlain }
    var hasPlainOutput: Bool { isToPlain }

    func makeWorker(_ engine: LeafWorkerContext, source: (any LeafWorker)?) -> any LeafWorker {
        ImageCopyWorker(self, engine)
    }
}

private final class ImageCopyWorker: LeafWorker {
    private let operation: ImageCopy
    private let engine: LeafWorkerContext
    private var compiled = Compiled<(there: Reorder, back: Reorder)>()

    init(_ operation: ImageCopy, _ engine: LeafWorkerContext) {
        self.operation = operation
        self.engine = engine
    }

    private func layout(rows: Int, isPlain: Bool) -> TensorLayout {
        operation.image.layout(rows: rows, block: engine.channelBlock, isPlain: isPlain)
    }

    func outputCount(rows: Int) -> Int {
        layout(rows: rows, isPlain: operation.isToPlain).count
    }

    func prepare(rows: Int, training: Bool) {
        compiled.prepare(rows) {
            let from = layout(rows: rows, isPlain: !operation.isToPlain), to = layout(rows: rows, isPlain: operation.isToPlain)
            return (Reorder(from: from, to: to, threads: engine.primitives), Reorder(from: to, to: from, threads: engine.primitives))
        }
    }

    func forward(_ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
        compiled[leaf.rows].there.run(x, into: y, thread: leaf.thread)
    }

    func backward(
        _ leaf: LeafCall, x: FloatView, y: FloatView, dy: MutableFloatView, dx: MutableFloatView?, gradient: MutableFloatView
    ) {
        if let dx { compiled[leaf.rows].back.run(dy.view, into: dx, thread: leaf.thread) }
    }
}
