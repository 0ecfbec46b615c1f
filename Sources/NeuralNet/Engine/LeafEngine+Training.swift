internal import Exactness
public import Kernels

extension LeafEngine {
    /// One step's gradients, per node the tree sum over its leaves of Σ∂loss/∂w over rows.
    ///
    /// Both closures are called on the calling thread. If one throws, the step is given up, gradients hold nothing of use,
    /// and the engine is ready for the next call.
    /// - Parameters:
    ///   - weights: aligned for Float; read only after `parametersNeeded` has returned for the range.
    ///   - parametersNeeded: returns once the range holds this step's values. Layer by layer forwards; inside a layer from the last
    ///     units to the first, the bias with the first call; running values with their layer.
    ///   - gradientFinished: everything from `from` on is final in the gradient of `nodes[node]`. Descending; the last call says 0.
    /// - Returns: Figures per node, losses joined in the order of the tree. The array's memory is used again once the caller has let go of it.
    public func computeGradients(
        step: UInt64, nodes: [NodeWork], weights: FloatView, parametersNeeded: (_ range: Range<Int>) throws -> Void,
        gradientFinished: (_ node: Int, _ from: Int) throws -> Void
    ) throws -> [BlockFigures] {
        begin(Pass(weights: weights, step: step, training: true))
        begin(nodes)
        try ComputeThread.withMode {
            try forward(parametersNeeded)
            sumStatistics(nodes)
            run(.loss)
            try backward(gradientFinished)
        }
        nodeFigures.removeAll(keepingCapacity: true)
        for node in nodes { nodeFigures.append(joinedFigures(node.node, node.slots[...])) }
        return nodeFigures
    }

    /// Forward through all stages, for training or inference.
    func forward<Failure: Error>(_ parametersNeeded: (Range<Int>) throws(Failure) -> Void) throws(Failure) {
        for stage in network.stages.indices {
            switch network.stages[stage].kind {
            case .pointwise: run(.pointwise(stage: stage))
            case .sum(_, let shortcut): run(.sum(stage: stage, shortcut: shortcut))
            case .leafwise:
                if let worker = workers[stage] { try forward(stage: stage, worker, parametersNeeded) }
            case .dense(let dense):
                if let products {
                    try forward(dense, stage: stage, by: products, parametersNeeded)
                    continue
                }
                work = .packRows(stage: stage, dense)
                pool.run(tasks: active.count, of: self)
                for units in UnitGroups(dense, threads: pool.threads) {
                    let last = units.upperBound == dense.units
                    let first = dense.weight.lowerBound + units.lowerBound * dense.inputs
                    try parametersNeeded(
                        first..<(last ? dense.parameters.upperBound : dense.weight.lowerBound + units.upperBound * dense.inputs))
                    work = .product(stage: stage, dense, units)
                    pool.run(tasks: units.blocks, of: self)
                }
            }
        }
    }

    /// Backward through all stages, from the gradient of the loss on.
    func backward(_ gradientFinished: (Int, Int) throws -> Void) throws {
        for stage in network.stages.indices.reversed() {
            guard let route = network.routes.routes[stage] else { continue }
            if route.receivesLater { run(.receive(stage: stage)) }
            switch network.stages[stage].kind {
            case .dense(let dense): try backward(dense, stage: stage, gradientFinished)
            case .pointwise: if route.passed?.adds ?? false { run(.passPointwise(stage: stage)) }
            case .sum: run(.passSum(stage: stage))
            case .leafwise:
                if let worker = workers[stage] { try backward(stage: stage, worker, gradientFinished) }
            }
        }
    }

    /// Parameter gradients of one stage, then the gradient of its inputs.
    private func backward(_ dense: Stage.Dense, stage: Int, _ gradientFinished: (Int, Int) throws -> Void) throws {
        let received = route(stage).received
        if let products {
            prepareWeightGradient(dense, stage: stage, by: products)
        } else {
            work = .packColumns(stage: stage, dense)
            pool.run(tasks: active.count, of: self)
        }
        for program in programs {
            program.bind { leaf in
                let memory = memory[active[leaf].slot]
                return LeafOperands(
                    rows: active[leaf].rows, units: dense.units, depth: dense.inputs, gradient: memory.gradients[received].mutableView,
                    transposed: memory.transposed.mutableView, packed: memory.packed.mutableView)
            }
        }
        if dense.bias != nil {
            work = .biasGradient(dense)
            pool.run(tasks: programs.count, of: self)
        }
        let blockUnits = products == nil ? NetKernels.forwardUnits : OneDNNProducts.panelUnits(dense)
        for units in UnitGroups(dense, threads: pool.threads, blockUnits: blockUnits) {
            work = products.map { .oneDNN($0, .weightGradient(stage: stage, dense, units)) } ?? .weightGradient(dense, units)
            pool.run(tasks: units.blocks * programs.count, of: self)
            for node in programs.indices {
                try gradientFinished(node, dense.weight.lowerBound + units.lowerBound * dense.inputs)
            }
        }
        guard route(stage).passed != nil else { return }
        if let products {
            inputGradient(dense, stage: stage, by: products)
        } else {
            work = .inputGradient(stage: stage, dense)
            pool.run(tasks: (dense.inputs + Blocking.gradientColumns - 1) / Blocking.gradientColumns, of: self)
        }
    }

    /// Tasks that are leaves.
    func run(_ work: Work) {
        self.work = work
        pool.run(tasks: active.count, of: self)
    }

    // MARK: Nodes

    func begin(_ nodes: [NodeWork]) {
        while programs.count < nodes.count { programs.append(TreeProgram()) }
        if programs.count > nodes.count { programs.removeLast(programs.count - nodes.count) }
        targets.removeAll(keepingCapacity: true)
        for (index, work) in nodes.enumerated() {
            precondition(work.gradient.count == network.layout.blockLength, "a gradient of another net")
            precondition(tree.contains(work.node) && !work.slots.isEmpty, "a node without leaves or of another tree")
            let shards = tree.shards(of: work.node)
            var previous = shards.lowerBound - 1
            for leaf in work.slots {
                precondition(leaf.shard > previous && leaf.shard < shards.upperBound, "leaves out of order or of another node")
                precondition(leaf.rows >= 1 && leaf.rows <= leafRows, "a leaf of \(leaf.rows) rows")
                previous = leaf.shard
            }
            targets.append(work.gradient)
            programs[index].removeAll()
            append(work.node, work.slots[...], firstLeaf: active.count, level: 0, to: programs[index])
            active.append(contentsOf: work.slots)
        }
    }

    /// The sum of the leaves below `node`, at `level` of the stack. A leaf alone is its subtree's sum: nothing is added.
    private func append(_ node: TreeNode, _ leaves: ArraySlice<LeafSlot>, firstLeaf: Int, level: Int, to program: TreeProgram) {
        guard leaves.count > 1 else {
            program.append(leaf: firstLeaf + leaves.startIndex, level: level, adds: false)
            if tree.roundsNodes { program.appendRounding(level: level) }
            return
        }
        let (left, right) = split(leaves, below: node)
        guard !left.isEmpty, !right.isEmpty else {
            append(left.isEmpty ? node.right : node.left, leaves, firstLeaf: firstLeaf, level: level, to: program)
            return
        }
        append(node.left, left, firstLeaf: firstLeaf, level: level, to: program)
        if right.count == 1 && !tree.roundsNodes {
            program.append(leaf: firstLeaf + right.startIndex, level: level, adds: true)
        } else {
            append(node.right, right, firstLeaf: firstLeaf, level: level + 1, to: program)
            program.appendMerge(level: level)
        }
        if tree.rounds(node) { program.appendRounding(level: level) }
    }

    private func joinedFigures(_ node: TreeNode, _ leaves: ArraySlice<LeafSlot>) -> BlockFigures {
        guard leaves.count > 1 else { return figures(of: leaves[leaves.startIndex]) }
        let (left, right) = split(leaves, below: node)
        if left.isEmpty { return joinedFigures(node.right, leaves) }
        if right.isEmpty { return joinedFigures(node.left, leaves) }
        return joinedFigures(node.left, left) + joinedFigures(node.right, right)
    }

    func split(
        _ leaves: ArraySlice<LeafSlot>, below node: TreeNode
    ) -> (left: ArraySlice<LeafSlot>, right: ArraySlice<LeafSlot>) {
        let middle = tree.shards(of: node.right).lowerBound
        var index = leaves.startIndex
        while index < leaves.endIndex, leaves[index].shard < middle { index += 1 }
        return (leaves[..<index], leaves[index...])
    }
}
