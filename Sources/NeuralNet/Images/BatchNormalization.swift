internal import Kernels

/// y = scale · (x − mean) / √(variance + ε) + shift per channel; in training with the leaf's own mean and variance.
///
/// A leaf with one value per channel uses the running values and leaves them alone.
/// - Source: Ioffe and Szegedy, "Batch Normalization", ICML 2015, algorithm 1.
struct BatchNormalization: LeafOperation {
    enum Rows: Sendable {
        /// Every feature is a channel.
        case plain(width: Int)
        case images(ImageShape)
    }

    let rows: Rows
    let epsilon: Double
    /// Scale, then shift.
    let range: Range<Int>
    let statisticsIndex: Int

    var channels: Int { range.count / 2 }
    /// Values of a channel in one row.
    var area: Int { outputWidth / channels }
    var outputWidth: Int {
        switch rows {
        case .plain(let width): width
        case .images(let image): image.width
        }
    }
    /// Of images.
    var extent: ImageExtent? {
        if case .images(let image) = rows { image.extent } else { nil }
    }
    var parameters: Range<Int>? { range }
    var statistics: Int? { statisticsIndex }
    var readsImages: Bool { !hasPlainOutput }
    var isPrimitive: Bool { true }
    var hasPlainOutput: Bool {
        if case .plain = rows { true } else { false }
    }

    func makeWorker(_ engine: LeafWorkerContext, source: (any LeafWorker)?) -> any LeafWorker {
        BatchNormalizationWorker(self, engine)
    }
}

private final class BatchNormalizationWorker: LeafWorker {
    private let operation: BatchNormalization
    private let engine: LeafWorkerContext
    private var compiled = Compiled<ChannelNormalization>()

    init(_ operation: BatchNormalization, _ engine: LeafWorkerContext) {
        self.operation = operation
        self.engine = engine
    }

    /// What a leaf's forward pass leaves to its backward pass, and to the running values.
    private final class Notes {
        let found: ChannelStatistics
        let operands: ChannelOperands
        /// Of plain rows, x about its means.
        let centered: FloatBlock?
        /// As `ParameterLayout.RunningStatistics.sums` says.
        let statistics: AlignedBlock<Double>

        init(channels: Int, padded: Int, centered: FloatBlock?) {
            found = ChannelStatistics(channels: channels, padded: padded)
            operands = ChannelOperands(channels: channels)
            self.centered = centered
            statistics = AlignedBlock(count: 1 + 2 * channels)
        }

        func input(_ x: FloatView) -> FloatView { centered?.view ?? x }
    }

    private func layout(rows: Int) -> ChannelLayout {
        switch operation.rows {
        case .plain(let width): ChannelLayout(rows: rows, features: width)
        case .images(let image):
            ChannelLayout(rows: rows, channels: image.channels, area: operation.area, block: engine.channelBlock)
        }
    }

    func outputCount(rows: Int) -> Int { layout(rows: rows).count }
    func makeNotes() -> AnyObject? {
        let stride = ChannelNormalization.stride(ofRows: operation.channels)
        return Notes(
            channels: operation.channels, padded: layout(rows: 1).paddedChannels,
            centered: operation.hasPlainOutput ? FloatBlock(count: engine.leafRows * stride) : nil)
    }
    var parameterGradientCount: Int { operation.range.count }
    var activates: Bool { engine.activation == .relu }

    private func hasOwnStatistics(rows: Int) -> Bool { rows * operation.area >= 2 }

    func prepare(rows: Int, training: Bool) {
        compiled.prepare(rows) {
            let shape = ChannelNormalization.Shape(
                rows: rows, channels: operation.channels, image: operation.extent, epsilon: operation.epsilon, hasReLU: activates)
            return ChannelNormalization(
                shape, block: engine.channelBlock, ownStatistics: hasOwnStatistics(rows: rows),
                needsInputGradient: engine.needsInputGradient, threads: engine.primitives)
        }
    }

    private func notes(_ leaf: LeafCall) -> Notes {
        guard let notes = leaf.notes as? Notes else { preconditionFailure("a normalization without its notes") }
        return notes
    }

    func statistics(of leaf: LeafCall) -> AlignedBlock<Double>? { notes(leaf).statistics }

    func forward(_ leaf: LeafCall, x: FloatView, y: MutableFloatView) {
        let notes = notes(leaf), channels = operation.channels, layout = layout(rows: leaf.rows)
        let usesOwn = leaf.training && hasOwnStatistics(rows: leaf.rows)
        if usesOwn {
            notes.found.measure(x, layout, kernels: engine.kernels)
        } else {
            notes.found.take(mean: leaf.statistics[0..<channels], variance: leaf.statistics[channels..<2 * channels])
        }
        notes.statistics[0] = usesOwn ? Double(leaf.rows) : 0
        if leaf.training {
            let count = Double(leaf.rows * operation.area), bessel = usesOwn ? count / (count - 1) : 0
            for channel in 0..<channels {
                notes.statistics[1 + channel] = usesOwn ? Double(leaf.rows) * notes.found.mean(channel) : 0
                notes.statistics[1 + channels + channel] =
                    usesOwn ? Double(leaf.rows) * (notes.found.variance(channel) * bessel) : 0
            }
        }
        let scale = leaf.parameters[0..<channels], shift = leaf.parameters[channels..<2 * channels]
        if let centered = notes.centered {
            notes.found.center(x, rows: leaf.rows, into: centered.mutableView, kernels: engine.kernels)
        }
        notes.found.write(
            to: notes.operands, scale: scale, shift: shift, epsilon: operation.epsilon, centered: notes.centered != nil)
        compiled[leaf.rows].forward(x: notes.input(x), operands: notes.operands, y: y, thread: leaf.thread)
    }

    func backward(
        _ leaf: LeafCall, x: FloatView, y: FloatView, dy: MutableFloatView, dx: MutableFloatView?, gradient: MutableFloatView
    ) {
        let channels = operation.channels, notes = notes(leaf)
        compiled[leaf.rows].backward(x: notes.input(x), dy: dy.view, operands: notes.operands, dx: dx, thread: leaf.thread)
        notes.found.read(from: notes.operands, dScale: gradient[0..<channels], dShift: gradient[channels..<2 * channels])
    }
}
