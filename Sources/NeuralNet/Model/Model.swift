internal import Exactness
public import Kernels

/// A net with its weights and their gradient, for training and use in one process, without a cluster.
///
///     let model = try Model(inputShape: [64], layers: [.dense(units: 32), .relu, .dense(units: 10)], loss: .softmaxCrossEntropy)
///     …
///     optimizer.zeroGradient()
///     try model.forward(batch.features, .training(step: optimizer.stepCount), samples: batch.samples)
///     let loss = try model.loss(classes: batch.classes)
///     try model.backward()
///     try optimizer.step()
///
/// The numbers are those of a run with one virtual shard whose leaf is the batch. One thread at a time may use it.
public final class Model {
    public enum Mode: Equatable, Sendable {
        /// Dropout drops, by masks that depend on the seed, the step and the row's sample number.
        case training(step: UInt64)
        case inference
    }

    public let network: Network
    /// All parameters; `network.layout` says what lies where.
    public let weights: FloatBlock
    /// ∂(mean loss)/∂weights, of the same layout; `backward` adds to it.
    public let gradient: FloatBlock

    private let seed: UInt64
    private let threads: Int
    private let precision: Precision
    /// Whole blocks: the parameters with the running values behind them, and a batch's sums.
    private let block, sum: FloatBlock
    private var engine: LeafEngine
    private var state = State.fresh

    private enum State: Equatable {
        case fresh
        case forward(rows: Int, Mode)
        case loss(rows: Int)
    }

    /// A net with its initial weights, a function of the specification and the seed.
    /// - Parameters:
    ///   - threads: that compute a batch, the calling one included; they do not change a bit.
    ///   - precision: what products multiply.
    public init(_ specification: ModelSpecification, seed: UInt64 = 1, threads: Int = 1, precision: Precision = .f32) throws {
        try precision.checkAvailable()
        network = try Network(specification)
        let block = FloatBlock(count: network.layout.blockLength)
        self.block = block
        weights = FloatBlock(adopting: block.mutableView[0..<network.layout.count]) { withExtendedLifetime(block) {} }
        gradient = FloatBlock(count: network.layout.count)
        sum = FloatBlock(count: network.layout.blockLength)
        self.seed = seed
        self.threads = max(threads, 1)
        self.precision = precision
        engine = Self.engine(network, rows: 1, seed: seed, threads: self.threads, precision: precision)
        network.initialize(into: block.mutableView, seed: seed)
    }

    /// The same from the parts of a specification.
    public convenience init(
        inputShape: [Int], layers: [LayerKind], loss: LossSpecification, initializer: InitializerSpecification? = nil, seed: UInt64 = 1,
        threads: Int = 1, precision: Precision = .f32
    ) throws {
        try self.init(
            ModelSpecification(inputShape: inputShape, layers: layers, loss: loss, initializer: initializer), seed: seed,
            threads: threads, precision: precision)
    }

    /// Runs the net on rows `[rows, network.inputCount]` and gives its outputs `[rows, network.outputCount]`: logits or values.
    /// - Parameter samples: the rows' numbers, which dropout's masks depend on; nil: 0, 1, …
    @discardableResult
    public func forward(_ features: [Float], _ mode: Mode = .inference, samples: [UInt32]? = nil) throws(ModelUseError) -> [Float] {
        let rows = features.count / network.inputCount
        guard rows > 0, features.count == rows * network.inputCount else {
            throw .features(features.count, width: network.inputCount)
        }
        if let samples, samples.count != rows { throw .targets(samples.count, expected: rows, what: "sample numbers") }
        if rows > engine.leafRows {
            engine = Self.engine(network, rows: rows, seed: seed, threads: threads, precision: precision)
        }
        let inputs = engine.inputs(slot: 0, rows: rows)
        for (index, value) in features.enumerated() { inputs[index] = value }
        engine.setSampleIDs(slot: 0, rows: rows) { samples?[$0] ?? UInt32($0) }
        var (step, isTraining) = (UInt64(0), false)
        if case .training(let now) = mode { (step, isTraining) = (now, true) }
        engine.begin(LeafEngine.Pass(weights: block.view, step: step, training: isTraining))
        let leaf = LeafSlot(shard: 0, slot: 0, rows: rows)
        let work = [NodeWork(node: TreeNode(number: 1), gradient: sum.mutableView, slots: [leaf])]
        engine.begin(work)
        ComputeThread.withMode { engine.forward { _ in } }
        if isTraining { updateRunningValues(work) }
        state = .forward(rows: rows, mode)
        let outputs = engine.outputs(slot: 0, rows: rows)
        return (0..<outputs.count).map { outputs[$0] }
    }

    /// The mean loss of the rows of the last forward, whose targets are class numbers.
    public func loss(classes: [Int]) throws(ModelUseError) -> Double {
        let rows = try rowsOfForward()
        guard classes.count == rows else { throw .targets(classes.count, expected: rows, what: "classes") }
        let count = network.loss.takesLabels ? network.outputCount : 2
        if let wrong = classes.first(where: { $0 < 0 || $0 >= count }) { throw .classNumber(wrong, count: count) }
        if network.loss.takesLabels {
            engine.setLabels(slot: 0, rows: rows) { Int32(classes[$0]) }
        } else {
            guard network.outputCount == 1 else { throw .targets(rows, expected: rows * network.outputCount, what: "values") }
            let targets = engine.targets(slot: 0, rows: rows)
            for row in 0..<rows { targets[row] = Float(classes[row]) }
        }
        return computeLoss(rows)
    }

    /// The same with values `[rows, network.outputCount]`.
    public func loss(values: [Float]) throws(ModelUseError) -> Double {
        let rows = try rowsOfForward()
        guard !network.loss.takesLabels else { throw .needsClasses(network.loss.keyword) }
        guard values.count == rows * network.outputCount else {
            throw .targets(values.count, expected: rows * network.outputCount, what: "values")
        }
        let targets = engine.targets(slot: 0, rows: rows)
        for (index, value) in values.enumerated() { targets[index] = value }
        return computeLoss(rows)
    }

    /// Adds the gradient of the last mean loss to `gradient`.
    public func backward() throws(ModelUseError) {
        guard case .loss(let rows) = state else { throw .order("backward", needs: "a loss of a forward in training mode") }
        ComputeThread.withMode {
            do {
                try engine.backward { _, _ in }
            } catch {
                preconditionFailure("nobody interrupts a model's backward: \(error)")
            }
            ElementwiseKernels.add(sum.view[0..<network.layout.count], dividedBy: Float(rows), to: gradient.mutableView)
        }
        state = .fresh
    }

    /// Batch normalisation's running means and variances, in the order of `network.layout.runningStatistics`.
    public var runningValues: [(mean: [Float], variance: [Float])] {
        network.layout.runningStatistics.map { statistics in
            (statistics.mean.range.map { block.view[$0] }, statistics.variance.range.map { block.view[$0] })
        }
    }

    private func updateRunningValues(_ work: [NodeWork]) {
        engine.sumStatistics(work)
        let sums = sum.view[network.layout.count..<network.layout.blockLength]
        for statistics in network.layout.runningStatistics {
            statistics.update(block.view, into: block.mutableView) { sums.double(at: $0) }
        }
    }

    private func rowsOfForward() throws(ModelUseError) -> Int {
        guard case .forward(let rows, _) = state else { throw .order("loss", needs: "a forward before it") }
        return rows
    }

    private func computeLoss(_ rows: Int) -> Double {
        ComputeThread.withMode { engine.run(.loss) }
        if case .forward(_, .training) = state { state = .loss(rows: rows) }
        let figures = engine.figures(of: LeafSlot(shard: 0, slot: 0, rows: rows))
        return figures.lossSum / Double(rows)
    }

    private static func engine(_ network: Network, rows: Int, seed: UInt64, threads: Int, precision: Precision) -> LeafEngine {
        let engine = LeafEngine(
            network: network, tree: ShardTree(shardCount: 1), leafRows: rows, seed: seed, threads: threads, precision: precision)
        engine.reserve(leaves: 1)
        return engine
    }
}
