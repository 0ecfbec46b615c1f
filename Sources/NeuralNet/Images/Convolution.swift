internal import Kernels

/// y = x ∗ w + b, as `Convolution2D`.
struct Convolution: LeafOperation {
    let image: ImageShape
    let filters: Int
    let window: ImageWindow
    let groups: Int
    /// Ranges of the parameter layout; the bias lies right behind the weight.
    let weight: Range<Int>
    let bias: Range<Int>?

    var output: ImageExtent { window.output(of: image.extent) }
    var outputWidth: Int { filters * output.height * output.width }
    var parameters: Range<Int>? { weight.lowerBound..<(bias ?? weight).upperBound }
    var multiplicationsPerRow: Int { output.height * output.width * weight.count }
    var readsImages: Bool { true }
    var isPrimitive: Bool { true }
    var hasPlainOutput: Bool { false }

    func makeWorker(_ engine: LeafWorkerContext, source: (any LeafWorker)?) -> any LeafWorker {
        ConvolutionWorker(self, engine, readsPlain: source == nil)
    }
}

/// Weights are packed once per pass for all leaves; gradients are summed as oneDNN packs them.
private final class ConvolutionWorker: LeafWorker {
    private let operation: Convolution
    private let engine: LeafWorkerContext
    private let readsPlain: Bool
    private let output: ImageShape
    /// Of whole leaves, whose packed gradient others follow.
    private let whole: Convolution2D
    private var compiled = Compiled<Plan>()
    private var packings: [Packing] = []
    /// Rows of the leaves at work, to load weights for.
    private var isUsed: [Bool] = []

    private struct Plan {
        let convolution: Convolution2D
        /// Plans that want the weights alike share them.
        let packing: Int
    }

    private struct Packing {
        let convolution: Convolution2D
        let forward, backward: FloatBlock
    }

    init(_ operation: Convolution, _ engine: LeafWorkerContext, readsPlain: Bool) {
        self.operation = operation
        self.engine = engine
        self.readsPlain = readsPlain
        output = ImageShape([operation.filters, operation.output.height, operation.output.width])
        whole = Self.compile(operation, engine, readsPlain, output, rows: engine.leafRows, gradient: nil)
        add(whole)
    }

    private static func compile(
        _ operation: Convolution, _ engine: LeafWorkerContext, _ readsPlain: Bool, _ output: ImageShape, rows: Int, gradient: TensorLayout?
    ) -> Convolution2D {
        Convolution2D(
            Convolution2D.Shape(
                rows: rows, channels: operation.image.channels, image: operation.image.extent, filters: operation.filters,
                window: operation.window, groups: operation.groups, hasBias: operation.bias != nil, hasReLU: engine.activation == .relu,
                operands: engine.precision.operands),
            input: operation.image.layout(rows: rows, block: engine.channelBlock, isPlain: readsPlain),
            output: output.layout(rows: rows, block: engine.channelBlock), weightGradient: gradient,
            needsInputGradient: engine.needsInputGradient, threads: engine.primitives)
    }

    private func add(_ convolution: Convolution2D) {
        func isAlike(_ other: Convolution2D) -> Bool {
            other.forwardWeights == convolution.forwardWeights && other.backwardWeights == convolution.backwardWeights
        }
        let packing = packings.firstIndex { isAlike($0.convolution) } ?? packings.count
        if packing == packings.count {
            packings.append(
                Packing(
                    convolution: convolution, forward: FloatBlock(count: convolution.forwardWeights.count),
                    backward: FloatBlock(count: engine.needsInputGradient ? convolution.backwardWeights.count : 0)))
        }
        compiled.prepare(convolution.shape.rows) { Plan(convolution: convolution, packing: packing) }
    }

    var activates: Bool { whole.shape.hasReLU }

    func outputCount(rows: Int) -> Int {
        output.layout(rows: rows, block: engine.channelBlock).count
    }

    /// The packed weights' gradient, then the bias's, on a line of its own.
    private var gradientOfBias: Range<Int> {
        let first = (whole.weightGradient.count + 15) / 16 * 16
        return first..<first + (operation.bias?.count ?? 0)
    }

    var parameterGradientCount: Int { gradientOfBias.upperBound }

    func prepare(rows: Int, training: Bool) {
        if isUsed.count != packings.count { isUsed = packings.map { _ in false } }
        if !compiled.contains(rows) {
            add(Self.compile(operation, engine, readsPlain, output, rows: rows, gradient: whole.weightGradient))
            isUsed = packings.map { _ in true }
        }
        isUsed[compiled[rows].packing] = true
    }

    func load(parameters: FloatView, training: Bool) {
        let weights = parameters[0..<operation.weight.count]
        for (index, packing) in packings.enumerated() where isUsed[index] {
            packing.convolution.packForward(weights, into: packing.forward.mutableView)
            if training && engine.needsInputGradient { packing.convolution.packBackward(weights, into: packing.backward.mutableView) }
            isUsed[index] = false
        }
    }

    func forward(_ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
        let plan = compiled[leaf.rows]
        plan.convolution.forward(
            x: x, weights: packings[plan.packing].forward.view,
            bias: operation.bias.map { _ in leaf.parameters[operation.weight.count..<leaf.parameters.count] }, y: y, thread: leaf.thread)
    }

    func backward(
        _ leaf: LeafCall, x: FloatView, y: FloatView, dy: MutableFloatView, dx: MutableFloatView?, gradient: MutableFloatView
    ) {
        let plan = compiled[leaf.rows]
        plan.convolution.backwardWeights(
            x: x, dy: dy.view, dw: gradient[0..<whole.weightGradient.count],
            db: operation.bias.map { _ in gradient[gradientOfBias] }, thread: leaf.thread)
        if let dx {
            plan.convolution.backwardInput(dy: dy.view, weights: packings[plan.packing].backward.view, dx: dx, thread: leaf.thread)
        }
    }

    func finish(gradient sum: MutableFloatView, into target: MutableFloatView, thread: Int) {
        whole.unpackGradient(sum.view, into: target[0..<operation.weight.count], thread: thread)
        if operation.bias != nil { target[operation.weight.count..<target.count].copy(from: sum[gradientOfBias].view) }
    }
}
