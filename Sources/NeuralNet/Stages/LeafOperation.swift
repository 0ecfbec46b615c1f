internal import Kernels

/// A layer that is computed leaf by leaf: a description; the engine asks it for the worker that computes.
protocol LeafOperation: Sendable {
    /// Values in one row of the output.
    var outputWidth: Int { get }
    /// Its part of the parameter layout, in one piece.
    var parameters: Range<Int>? { get }
    /// Its running statistics, an index into the layout's.
    var statistics: Int? { get }
    /// Whether it can read images as other leaf operations lay them out; else it gets rows that follow one another.
    var readsImages: Bool { get }
    /// Whether oneDNN computes it, whose bits are those of one processor and version.
    var isPrimitive: Bool { get }
    /// Of its forward product for one row; 0 where it is none.
    var multiplicationsPerRow: Int { get }
    /// Pieces of which one wins each output; 0: there are none.
    var pieces: Int { get }
    /// Whether backward reads the output, so that nothing may change it in place.
    var keepsOutput: Bool { get }
    /// Whether the output is `[rows, outputWidth]`, row-major; else only a leaf operation can read it.
    var hasPlainOutput: Bool { get }

    /// - Parameter source: whose layout the input has; nil: rows that follow one another.
    func makeWorker(_ engine: LeafWorkerContext, source: (any LeafWorker)?) -> any LeafWorker
}

extension LeafOperation {
    var parameters: Range<Int>? { nil }
    var statistics: Int? { nil }
    var isPrimitive: Bool { false }
    var readsImages: Bool { false }
    var multiplicationsPerRow: Int { 0 }
    var pieces: Int { 0 }
    var keepsOutput: Bool { false }
    var hasPlainOutput: Bool { true }
}

/// What all workers of an engine share.
struct LeafWorkerContext {
    let kernels: NetKernels
    /// For primitives; nil before the first one is made.
    let primitives: PrimitiveThreads
    /// Rows of a whole leaf.
    let leafRows: Int
    /// Whether the gradient of the input is needed.
    let needsInputGradient: Bool
    /// What follows on every element; a worker may do it itself.
    let activation: Activation
    /// Channels of images in one block, see `TensorLayout`.
    let channelBlock: Int
    /// What products multiply.
    let precision: Precision
}

/// What computes a leaf operation in one engine: compiled primitives, packed weights, scratch. Tasks of one call run at the same time.
protocol LeafWorker: AnyObject {
    /// Floats of the output of so many rows, padding included.
    func outputCount(rows: Int) -> Int
    /// What one slot keeps from forward to backward; nil: nothing.
    func makeNotes() -> AnyObject?
    /// Floats of one leaf's parameter gradient, in the worker's own order.
    var parameterGradientCount: Int { get }
    /// Whether `forward` does the activation that follows.
    var activates: Bool { get }

    /// Between tasks, before the forward pass of leaves with these row counts; the parameters are there.
    func prepare(rows: Int, training: Bool)
    /// Between tasks, once per pass, after `prepare`: weights may be packed here.
    func load(parameters: FloatView, training: Bool)

    func forward(_ leaf: LeafCall, x: FloatView, y: MutableFloatView)
    /// - Parameters:
    ///   - dx: every element is written; nil: not needed.
    ///   - gradient: every element is written.
    func backward(
        _ leaf: LeafCall, x: FloatView, y: FloatView, dy: MutableFloatView, dx: MutableFloatView?, gradient: MutableFloatView)
    /// What a training pass found of the leaf, rows · value, as `ParameterLayout.RunningStatistics.sums` says.
    func statistics(of leaf: LeafCall) -> AlignedBlock<Double>?
    /// Adds to each piece how many outputs it wins in so many rows of the input.
    func addWins(x: FloatView, rows: Int, to wins: inout [Int])
    /// Brings a sum of leaves' gradients into the order of the layout.
    func finish(gradient sum: MutableFloatView, into target: MutableFloatView, thread: Int)
}

extension LeafWorker {
    func makeNotes() -> AnyObject? { nil }
    var parameterGradientCount: Int { 0 }
    var activates: Bool { false }
    func statistics(of leaf: LeafCall) -> AlignedBlock<Double>? { nil }
    func prepare(rows: Int, training: Bool) {}
    func load(parameters: FloatView, training: Bool) {}
    func addWins(x: FloatView, rows: Int, to wins: inout [Int]) {}
    func finish(gradient sum: MutableFloatView, into target: MutableFloatView, thread: Int) {
        target.copy(from: sum.view)
    }
}

/// One leaf's turn.
struct LeafCall {
    var rows: Int
    var thread: Int
    var training: Bool
    /// The stage's parameters.
    var parameters: FloatView
    /// Its running means, then variances.
    var statistics: FloatView
    /// As `makeNotes` gave it, the slot's own.
    var notes: AnyObject?
}
