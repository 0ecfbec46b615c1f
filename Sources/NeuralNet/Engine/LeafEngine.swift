public import Exactness
public import Kernels

/// Computes leaves: forward, loss, backward, layer by layer over all that it holds.
///
/// A leaf's figures and gradient depend on its rows, the weights, the seed, the step and the product path alone – not on how many leaves
/// are held together, on threads or alignment. Sums over leaves follow the tree of shards. An engine belongs to one thread at a time; its
/// pool brings the other threads. After the first step with given slots nothing is allocated.
public final class LeafEngine {
    public let network: Network
    /// Rows of a whole leaf; a slot holds so many.
    public let leafRows: Int
    let tree: ShardTree
    /// Who computes the products of dense layers.
    public let productPath: ProductPath
    /// What products multiply.
    public let precision: Precision
    let seed: UInt64
    let kernels: NetKernels
    let products: OneDNNProducts?
    let pool: ComputePool
    /// Per stage, nil where it is no leaf operation.
    let workers: [(any LeafWorker)?]

    var memory: [LeafMemory] = []
    /// One per thread: a block of forward outputs, or a block of packed weights.
    let scratch: [FloatBlock]

    // The pass at work; set before tasks are handed to the pool, constant while they run.
    var pass: Pass
    var active: [LeafSlot] = []
    var work = Work.idle
    /// One per thread: open sums of a leaf operation's parameter gradient.
    var sums: [FloatBlock] = []
    var programs: [TreeProgram] = []
    var targets: [MutableFloatView] = []
    var nodeFigures: [BlockFigures] = []
    var blockFigures: [BlockFigures] = []

    /// What is the same for all tasks of a pass.
    struct Pass {
        var weights: FloatView
        var step: UInt64
        var training: Bool
    }

    /// - Parameters:
    ///   - leafRows: batch size / shards.
    ///   - seed: of the run; the key of dropout.
    ///   - threads: the calling one included.
    ///   - productPath: nil is the preferred one of the precision.
    ///   - precision: one without an obstacle on this machine; bf16 products are oneDNN's.
    public init(
        network: Network, tree: ShardTree, leafRows: Int, seed: UInt64, threads: Int = 1, instructionSet: InstructionSet = .effective,
        productPath: ProductPath? = nil, precision: Precision = .f32
    ) {
        precondition(leafRows >= 1, "a leaf has at least one row")
        self.network = network
        self.tree = tree
        self.leafRows = leafRows
        self.seed = seed
        kernels = NetKernels(instructionSet)
        pool = ComputePool(threads: threads)
        self.productPath = productPath ?? .preferred(for: precision)
        self.precision = precision
        precondition(precision == .f32 || precision.obstacle == nil && self.productPath == .oneDNN, "bf16 products where there are none")
        products = self.productPath == .oneDNN ? OneDNNProducts(network, threads: pool.threads, precision: precision) : nil
        workers = Self.makeWorkers(
            network, kernels: kernels, instructionSet: instructionSet, leafRows: leafRows, threads: pool.threads,
            precision: precision)
        let scratchCount = max(
            NetKernels.forwardUnits * NetKernels.wholePanels(leafRows), Blocking.gradientColumns * Blocking.gradientDepth)
        scratch = (0..<pool.threads).map { _ in FloatBlock(count: scratchCount) }
        pass = Pass(weights: FloatView(base: scratch[0].view.base, count: 0), step: 0, training: false)
    }

    // MARK: Slots

    public var slotCount: Int { memory.count }

    /// Makes memory for exactly so many leaves; the contents of slots that stay are kept.
    public func reserve(leaves: Int) {
        precondition(leaves >= 0, "a negative number of leaves")
        if leaves < memory.count { memory.removeLast(memory.count - leaves) }
        while memory.count < leaves { memory.append(LeafMemory(network, rows: leafRows, workers: workers, precision: precision)) }
    }

    /// The slot's features `[rows, inputCount]`, to be written.
    public func inputs(slot: Int, rows: Int) -> MutableFloatView {
        check(rows)
        return memory[slot].input.mutableView[0..<rows * network.inputCount]
    }

    /// Class numbers in 0..<outputCount, for the softmax cross-entropy.
    public func setLabels(slot: Int, rows: Int, _ label: (_ row: Int) -> Int32) {
        check(rows)
        precondition(network.loss.takesLabels, "this loss takes targets, not labels")
        for row in 0..<rows { memory[slot].labels[row] = label(row) }
    }

    /// The slot's targets `[rows, outputCount]`, to be written, for the losses that compare values.
    public func targets(slot: Int, rows: Int) -> MutableFloatView {
        check(rows)
        precondition(!network.loss.takesLabels, "this loss takes labels, not targets")
        return memory[slot].targets.mutableView[0..<rows * network.outputCount]
    }

    /// The rows' numbers in the dataset, which key dropout.
    public func setSampleIDs(slot: Int, rows: Int, _ id: (_ row: Int) -> UInt32) {
        check(rows)
        for row in 0..<rows { memory[slot].samples[row] = id(row) }
    }

    private func check(_ rows: Int) {
        precondition(rows >= 0 && rows <= leafRows, "\(rows) rows in a slot for \(leafRows)")
    }

    // MARK: Inference

    /// Figures of every block in inference mode, in the order given; shards play no part.
    public func evaluate(_ blocks: [LeafSlot], weights: FloatView) -> [BlockFigures] {
        for block in blocks { precondition(block.rows >= 1 && block.rows <= leafRows, "a block of \(block.rows) rows") }
        begin(Pass(weights: weights, step: 0, training: false))
        active.append(contentsOf: blocks)
        ComputeThread.withMode {
            forward { _ in }
            work = .loss
            pool.run(tasks: active.count, of: self)
        }
        blockFigures.removeAll(keepingCapacity: true)
        for leaf in active { blockFigures.append(figures(of: leaf)) }
        return blockFigures
    }

    /// What the net gave for the slot's rows `[rows, outputCount]` in the last pass: logits or values.
    public func outputs(slot: Int, rows: Int) -> FloatView {
        check(rows)
        return memory[slot].outputs[network.stages.count - 1].view[0..<rows * network.outputCount]
    }

    /// The class that the last pass found for a row of the slot: of the largest logit, or whether a single one is above 0.
    public func foundClass(slot: Int, row: Int) -> Int {
        precondition(!network.loss.isRegression, "a regression has no classes")
        return Int(memory[slot].classified[row])
    }

    /// The class that a row of the slot belongs to.
    public func trueClass(slot: Int, row: Int) -> Int {
        precondition(!network.loss.isRegression, "a regression has no classes")
        return network.loss.takesLabels ? Int(memory[slot].labels[row]) : memory[slot].targets.view[row] > 0.5 ? 1 : 0
    }

    // MARK: One pass

    func begin(_ pass: Pass) {
        precondition(pass.weights.count == network.layout.blockLength, "weights of another net")
        precondition(Int(bitPattern: pass.weights.base) % MemoryLayout<Float>.alignment == 0, "weights must be aligned for Float")
        self.pass = pass
        active.removeAll(keepingCapacity: true)
    }

    func figures(of leaf: LeafSlot) -> BlockFigures {
        let figures = memory[leaf.slot].figures
        return BlockFigures(
            rows: leaf.rows, lossSum: figures.loss, correct: figures.correct, topFive: figures.topFive,
            squaredError: figures.squaredError)
    }
}
