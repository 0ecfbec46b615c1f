public import Kernels

extension LeafEngine {
    /// What the pool's tasks are pieces of.
    enum Work {
        case idle
        /// Tasks are leaves.
        case pointwise(stage: Int)
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
        case oneDNN(OneDNNProducts, OneDNNWork)
    }
}

extension LeafEngine: PoolWork {
    public func perform(task: Int, thread: Int) {
        switch work {
        case .idle: break
        case .pointwise(let stage): activate(stage, active[task])
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
        case .oneDNN(let products, let work): perform(work, by: products, task: task, thread: thread)
        }
    }

    // MARK: Forward

    private func multiply(_ stage: Int, _ dense: Stage.Dense, _ units: Range<Int>, _ scratch: MutableFloatView) {
        let first = dense.weight.lowerBound + units.lowerBound * dense.inputs
        let weights = pass.weights[first..<first + units.count * dense.inputs]
        let bias = dense.bias.map { pass.weights[$0] }
        let epilogue = dense.after.epilogue(seed: seed, step: pass.step, training: pass.training)
        for leaf in active {
            let memory = memory[leaf.slot], y = memory.outputs[stage].mutableView
            let region = Region(rows: leaf.rows, width: dense.units, first: units.lowerBound, count: units.count)
            kernels.forward(weights: weights, depth: dense.inputs, packed: memory.packed.mutableView, region, y: y, scratch: scratch)
            kernels.forward(epilogue, x: y.view, bias: bias, samples: memory.samples, y: y, keep: memory.masks[stage], region)
        }
    }

    private func activate(_ stage: Int, _ leaf: LeafSlot) {
        let memory = memory[leaf.slot]
        kernels.forward(
            network.stages[stage].after.epilogue(seed: seed, step: pass.step, training: pass.training), x: memory.stageInput(stage),
            bias: nil, samples: memory.samples, y: memory.outputs[stage].mutableView, keep: memory.masks[stage],
            Region(rows: leaf.rows, width: network.stages[stage].outputWidth))
    }

    private func computeLoss(_ leaf: LeafSlot) {
        let memory = memory[leaf.slot], width = network.outputCount
        let y = memory.outputs[network.stages.count - 1].view, gradient = memory.gradients[0].mutableView
        memory.figures =
            switch network.loss {
            case .softmaxCrossEntropy:
                kernels.softmaxCrossEntropy(
                    logits: y, labels: memory.labels, rows: leaf.rows, classes: width, gradient: gradient, wanted: pass.training)
            case .binaryCrossEntropy:
                kernels.binaryCrossEntropy(
                    logits: y, targets: memory.targets.view, rows: leaf.rows, gradient: gradient, wanted: pass.training)
            case .meanSquaredError:
                kernels.meanSquaredError(
                    y, targets: memory.targets.view, rows: leaf.rows, width: width, gradient: gradient, wanted: pass.training)
            }
        guard pass.training else { return }
        receive(network.stages.count - 1, leaf, gradient, Region(rows: leaf.rows, width: width))
    }

    // MARK: Backward

    /// The gradient of a dense stage's inputs in the given columns, passed on to the stages below.
    private func multiplyBack(_ stage: Int, _ dense: Stage.Dense, _ columns: Range<Int>, _ packed: MutableFloatView) {
        for unit in stride(from: 0, to: dense.units, by: Blocking.gradientDepth) {
            let units = unit..<min(dense.units, unit + Blocking.gradientDepth)
            let first = dense.weight.lowerBound + unit * dense.inputs
            let weights = pass.weights[first..<first + units.count * dense.inputs]
            kernels.packColumns(
                weights, Region(rows: units.count, width: dense.inputs, first: columns.lowerBound, count: columns.count), into: packed)
            for leaf in active {
                let memory = memory[leaf.slot]
                kernels.product(
                    a: memory.gradients[receiving].view, aWidth: dense.units, columns: units, packed: packed,
                    Region(rows: leaf.rows, width: dense.inputs, first: columns.lowerBound, count: columns.count),
                    c: memory.gradients[1 - receiving].mutableView, chained: unit > 0)
            }
        }
        for leaf in active {
            receive(
                stage - 1, leaf, memory[leaf.slot].gradients[1 - receiving].mutableView,
                Region(rows: leaf.rows, width: dense.inputs, first: columns.lowerBound, count: columns.count))
        }
    }

    /// Turns the gradient of a stage's outputs, in the region, into that of its product, and through stages without one further down.
    func receive(_ top: Int, _ leaf: LeafSlot, _ gradient: MutableFloatView, _ region: Region) {
        let memory = memory[leaf.slot]
        for stage in stride(from: top, through: firstDense, by: -1) {
            let epilogue = network.stages[stage].after.epilogue(seed: seed, step: pass.step, training: true)
            kernels.backward(epilogue, y: memory.outputs[stage].view, keep: memory.masks[stage], gradient: gradient, region)
            switch network.stages[stage] {
            case .pointwise: continue
            case .dense:
                kernels.transpose(gradient.view, region, into: memory.transposed.mutableView)
                return
            }
        }
    }
}
