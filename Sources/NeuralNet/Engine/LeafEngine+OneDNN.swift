internal import Kernels

extension LeafEngine {
    /// Pieces of the products by oneDNN.
    enum OneDNNWork {
        /// Tasks are leaves.
        case forward(stage: Int, Stage.Dense)
        case inputGradient(stage: Int, Stage.Dense)
        /// Tasks are panels of units of every node.
        case weightGradient(stage: Int, Stage.Dense, UnitGroup)
        /// In bf16. Tasks are pieces of the weights.
        case roundWeights(stage: Int, Stage.Dense)
        /// In bf16. Tasks are leaves: what both gradients read.
        case roundGradients(stage: Int, Stage.Dense)
    }

    /// The whole stage at once: its parameters are asked for in one piece.
    func forward<Failure: Error>(
        _ dense: Stage.Dense, stage: Int, by products: OneDNNProducts, _ parametersNeeded: (Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        for leaf in active { products.prepareForward(dense, rows: leaf.rows) }
        try parametersNeeded(dense.parameters)
        if products.roundsOperands {
            work = .oneDNN(products, .roundWeights(stage: stage, dense))
            pool.run(tasks: OneDNNProducts.roundingTasks(dense), of: self)
        }
        work = .oneDNN(products, .forward(stage: stage, dense))
        pool.run(tasks: active.count, of: self)
    }

    func prepareWeightGradient(_ dense: Stage.Dense, stage: Int, by products: OneDNNProducts) {
        for leaf in active { products.prepareWeightGradient(dense, rows: leaf.rows) }
        for program in programs { products.prepareSums(dense, program) }
        guard products.roundsOperands else { return }
        work = .oneDNN(products, .roundGradients(stage: stage, dense))
        pool.run(tasks: active.count, of: self)
    }

    func inputGradient(_ dense: Stage.Dense, stage: Int, by products: OneDNNProducts) {
        for leaf in active { products.prepareInputGradient(dense, rows: leaf.rows) }
        work = .oneDNN(products, .inputGradient(stage: stage, dense))
        pool.run(tasks: active.count, of: self)
    }

    func perform(_ work: OneDNNWork, by products: OneDNNProducts, task: Int, thread: Int) {
        switch work {
        case .forward(let stage, let dense):
            let leaf = active[task], memory = memory[leaf.slot], y = memory.outputs[stage].mutableView
            if products.roundsOperands {
                kernels.round(memory.stageInput(stage)[0..<leaf.rows * dense.inputs], intoBF16: memory.rounded.x.mutableView)
            }
            products.forward(
                dense, rows: leaf.rows, x: products.roundsOperands ? memory.rounded.x.view : memory.stageInput(stage),
                weights: products.operand(pass.weights[dense.weight], stage: stage), y: y, thread: thread)
            finish(stage, leaf, x: y.view, bias: dense.bias, Region(rows: leaf.rows, width: dense.units))
        case .inputGradient(let stage, let dense):
            let leaf = active[task], memory = memory[leaf.slot], route = route(stage)
            guard let target = route.passed else { return }
            products.inputGradient(
                dense, rows: leaf.rows, dz: products.roundsOperands ? memory.rounded.gradient.view : memory.gradients[route.received].view,
                weights: products.operand(pass.weights[dense.weight], stage: stage), dx: memory.gradients[target.computed].mutableView,
                thread: thread)
            passOn(stage, target, leaf, Region(rows: leaf.rows, width: dense.inputs))
        case .weightGradient(let stage, let dense, let group):
            let units = group.block(task % group.blocks), node = task / group.blocks
            let first = dense.weight.lowerBound + units.lowerBound * dense.inputs
            products.weightGradient(
                dense, units: units, programs[node], gradient: targets[node][first..<first + units.count * dense.inputs], thread: thread
            ) { leaf in
                let memory = memory[active[leaf].slot]
                return products.roundsOperands
                    ? (active[leaf].rows, memory.rounded.transposed.view, memory.rounded.x.view)
                    : (active[leaf].rows, memory.transposed.view, memory.stageInput(stage))
            }
        case .roundWeights(let stage, let dense):
            products.roundWeights(dense, stage: stage, pass.weights[dense.weight], task: task, kernels: kernels)
        case .roundGradients(let stage, let dense):
            let leaf = active[task], memory = memory[leaf.slot], count = leaf.rows * dense.units
            kernels.round(memory.stageInput(stage)[0..<leaf.rows * dense.inputs], intoBF16: memory.rounded.x.mutableView)
            kernels.round(memory.gradients[route(stage).received].view[0..<count], intoBF16: memory.rounded.gradient.mutableView)
            kernels.round(memory.transposed.view[0..<count], intoBF16: memory.rounded.transposed.mutableView)
        }
    }
}
