public import Kernels

extension LeafEngine {
    /// What the pool's tasks are pieces of.
    enum Work {
        case idle
        /// Tasks are leaves.
        case pointwise(stage: Int)
        case sum(stage: Int, shortcut: Int?)
        case leafwise(stage: Int, any LeafWorker)
        case packRows(stage: Int, Stage.Dense)
        case packColumns(stage: Int, Stage.Dense)
        case loss
        /// Tasks are blocks of units, each over all leaves while its weights are in the cache.
        case product(stage: Int, Stage.Dense, UnitGroup)
        /// Tasks are nodes.
        case biasGradient(Stage.Dense)
        /// Tasks are blocks of units of every node.
        case weightGradient(Stage.Dense, UnitGroup)
        /// Tasks are blocks of input columns, each over all leaves.
        case inputGradient(stage: Int, Stage.Dense)
        /// Tasks are leaves.
        case receive(stage: Int)
        case passPointwise(stage: Int)
        case passSum(stage: Int)
        case leafwiseGradient(stage: Int, any LeafWorker)
        /// Tasks are nodes.
        case leafwiseSum(stage: Int, any LeafWorker, Range<Int>)
        case oneDNN(OneDNNProducts, OneDNNWork)
    }
}

extension LeafEngine: PoolWork {
    public func perform(task: Int, thread: Int) {
        switch work {
        case .idle: break
        case .pointwise(let stage):
            let leaf = active[task]
            finish(
                stage, leaf, x: memory[leaf.slot].stageInput(stage), bias: nil,
                Region(rows: leaf.rows, width: network.stages[stage].outputWidth))
        case .sum(let stage, let shortcut): sum(stage, shortcut, active[task])
        case .leafwise(let stage, let worker): compute(stage, worker, active[task], thread: thread)
        case .packRows(let stage, let dense):
            let leaf = active[task], memory = memory[leaf.slot]
            kernels.packRows(memory.stageInput(stage), rows: leaf.rows, depth: dense.inputs, into: memory.packed.mutableView)
        case .packColumns(let stage, let dense):
            let leaf = active[task], memory = memory[leaf.slot]
            kernels.packColumns(
                memory.stageInput(stage), Region(rows: leaf.rows, width: dense.inputs), into: memory.packed.mutableView)
        case .loss: computeLoss(active[task])
        case .product(let stage, let dense, let group): multiply(stage, dense, group.block(task), scratch[thread].mutableView)
        case .biasGradient(let dense):
            guard let bias = dense.bias else { return }
            kernels.biasGradient(programs[task], gradient: targets[task][bias])
        case .weightGradient(let dense, let group):
            let units = group.block(task % group.blocks), node = task / group.blocks
            let first = dense.weight.lowerBound + units.lowerBound * dense.inputs
            kernels.weightGradient(
                programs[node], units: units, depth: dense.inputs, gradient: targets[node][first..<first + units.count * dense.inputs])
        case .inputGradient(let stage, let dense):
            let first = task * Blocking.gradientColumns
            let columns = first..<min(dense.inputs, first + Blocking.gradientColumns)
            multiplyBack(stage, dense, columns, scratch[thread].mutableView)
        case .receive(let stage): receive(stage, active[task], wholeOutput(stage, active[task]))
        case .passPointwise(let stage):
            if let target = route(stage).passed { passOn(stage, target, active[task], wholeOutput(stage, active[task])) }
        case .passSum(let stage):
            let route = route(stage), leaf = active[task]
            for target in [route.shortcut, route.passed] {
                if let target { passOn(stage, target, leaf, wholeOutput(stage, leaf)) }
            }
        case .leafwiseGradient(let stage, let worker): computeGradient(stage, worker, active[task], thread: thread)
        case .leafwiseSum(let stage, let worker, let parameters): sumGradients(stage, worker, parameters, node: task, thread: thread)
        case .oneDNN(let products, let work): perform(work, by: products, task: task, thread: thread)
        }
    }

    // MARK: Forward

    private func multiply(_ stage: Int, _ dense: Stage.Dense, _ units: Range<Int>, _ scratch: MutableFloatView) {
        let first = dense.weight.lowerBound + units.lowerBound * dense.inputs
        let weights = pass.weights[first..<first + units.count * dense.inputs]
        for leaf in active {
            let memory = memory[leaf.slot], y = memory.outputs[stage].mutableView
            let region = Region(rows: leaf.rows, width: dense.units, first: units.lowerBound, count: units.count)
            kernels.forward(weights: weights, depth: dense.inputs, packed: memory.packed.mutableView, region, y: y, scratch: scratch)
            finish(stage, leaf, x: y.view, bias: dense.bias, region)
        }
    }

    /// y = dropout(activation(x + bias)) in the region of a stage's output.
    func finish(_ stage: Int, _ leaf: LeafSlot, x: FloatView, bias: Range<Int>?, _ region: Region) {
        let memory = memory[leaf.slot]
        kernels.forward(
            network.stages[stage].after.epilogue(seed: seed, step: pass.step, training: pass.training), x: x,
            bias: bias.map { pass.weights[$0] }, samples: memory.samples, y: memory.outputs[stage].mutableView, keep: memory.masks[stage],
            region)
    }

    private func sum(_ stage: Int, _ shortcut: Int?, _ leaf: LeafSlot) {
        let memory = memory[leaf.slot], region = wholeOutput(stage, leaf), y = memory.outputs[stage].mutableView[0..<region.end]
        y.copy(from: memory.stageInput(stage)[0..<region.end])
        let other = shortcut.map { memory.outputs[$0].view } ?? memory.input.view
        ElementwiseKernels.add(other[0..<region.end], to: y)
        if !network.stages[stage].after.isEmpty { finish(stage, leaf, x: y.view, bias: nil, region) }
    }

    private func computeLoss(_ leaf: LeafSlot) {
        let memory = memory[leaf.slot], width = network.outputCount
        let y = memory.outputs[network.stages.count - 1].view
        let gradient = memory.gradients[route(network.stages.count - 1).received].mutableView
        memory.figures =
            switch network.loss {
            case .softmaxCrossEntropy(let smoothing):
                kernels.softmaxCrossEntropy(
                    logits: y, labels: memory.labels, rows: leaf.rows, classes: width, smoothing: Float(smoothing), gradient: gradient,
                    wanted: pass.training, classified: memory.classified)
            case .binaryCrossEntropy:
                kernels.binaryCrossEntropy(
                    logits: y, targets: memory.targets.view, rows: leaf.rows, gradient: gradient, wanted: pass.training,
                    classified: memory.classified)
            case .meanSquaredError:
                kernels.meanSquaredError(
                    y, targets: memory.targets.view, rows: leaf.rows, width: width, gradient: gradient, wanted: pass.training)
            case .meanAbsoluteError:
                kernels.meanAbsoluteError(
                    y, targets: memory.targets.view, rows: leaf.rows, width: width, gradient: gradient, wanted: pass.training)
            case .huber(let delta):
                kernels.huber(
                    y, targets: memory.targets.view, rows: leaf.rows, width: width, delta: Float(delta), gradient: gradient,
                    wanted: pass.training)
            }
        guard pass.training else { return }
        receive(network.stages.count - 1, leaf, Region(rows: leaf.rows, width: width))
    }

    // MARK: Backward

    /// The gradient of a dense stage's inputs in the given columns, passed on to the stages below.
    private func multiplyBack(_ stage: Int, _ dense: Stage.Dense, _ columns: Range<Int>, _ packed: MutableFloatView) {
        let route = route(stage)
        guard let target = route.passed else { return }
        for unit in stride(from: 0, to: dense.units, by: Blocking.gradientDepth) {
            let units = unit..<min(dense.units, unit + Blocking.gradientDepth)
            let first = dense.weight.lowerBound + unit * dense.inputs
            let weights = pass.weights[first..<first + units.count * dense.inputs]
            kernels.packColumns(
                weights, Region(rows: units.count, width: dense.inputs, first: columns.lowerBound, count: columns.count), into: packed)
            for leaf in active {
                let memory = memory[leaf.slot]
                kernels.product(
                    a: memory.gradients[route.received].view, aWidth: dense.units, columns: units, packed: packed,
                    Region(rows: leaf.rows, width: dense.inputs, first: columns.lowerBound, count: columns.count),
                    c: memory.gradients[target.computed].mutableView, chained: unit > 0)
            }
        }
        for leaf in active {
            passOn(stage, target, leaf, Region(rows: leaf.rows, width: dense.inputs, first: columns.lowerBound, count: columns.count))
        }
    }
}
