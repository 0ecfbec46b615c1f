internal import Kernels

/// Stages that are computed leaf by leaf.
extension LeafEngine {
    static func makeWorkers(
        _ network: Network, kernels: NetKernels, instructionSet: InstructionSet, leafRows: Int, threads: Int,
        precision: Precision
    ) -> [(any LeafWorker)?] {
        var workers: [(any LeafWorker)?] = []
        let primitives = PrimitiveThreads(count: threads)
        for (index, stage) in network.stages.enumerated() {
            guard case .leafwise(let operation) = stage.kind else {
                workers.append(nil)
                continue
            }
            let context = LeafWorkerContext(
                kernels: kernels, primitives: primitives, leafRows: leafRows,
                needsInputGradient: network.routes.routes[index]?.passed != nil, activation: stage.after.activation,
                channelBlock: instructionSet == .avx512 ? 16 : 8, precision: precision)
            let carrier = stage.source.flatMap { network.stages[$0].carrier }
            workers.append(operation.makeWorker(context, source: carrier.flatMap { workers[$0] }))
        }
        return workers
    }

    func forward<Failure: Error>(
        stage: Int, _ worker: any LeafWorker, _ parametersNeeded: (Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        for leaf in active { worker.prepare(rows: leaf.rows, training: pass.training) }
        if let parameters = network.stages[stage].parameters {
            try parametersNeeded(parameters)
            if !network.runningValues[stage].isEmpty { try parametersNeeded(network.runningValues[stage]) }
            worker.load(parameters: pass.weights[parameters], training: pass.training)
        }
        work = .leafwise(stage: stage, worker)
        pool.run(tasks: active.count, of: self)
    }

    func backward(stage: Int, _ worker: any LeafWorker, _ gradientFinished: (Int, Int) throws -> Void) throws {
        work = .leafwiseGradient(stage: stage, worker)
        pool.run(tasks: active.count, of: self)
        guard let parameters = network.stages[stage].parameters else { return }
        let count = worker.parameterGradientCount
        let needed = count + (programs.map { $0.scratchCount(elements: count) }.max() ?? 0)
        if sums.first.map({ $0.count < needed }) ?? true { sums = (0..<pool.threads).map { _ in FloatBlock(count: needed) } }
        work = .leafwiseSum(stage: stage, worker, parameters)
        pool.run(tasks: programs.count, of: self)
        for node in programs.indices { try gradientFinished(node, parameters.lowerBound) }
    }

    func compute(_ stage: Int, _ worker: any LeafWorker, _ leaf: LeafSlot, thread: Int) {
        let memory = memory[leaf.slot], y = memory.outputs[stage].mutableView
        worker.forward(call(stage, leaf, thread), x: memory.stageInput(stage), y: y)
        let after = network.stages[stage].after
        if !after.isEmpty && !(worker.activates && after.dropout == nil) {
            finish(stage, leaf, x: y.view, bias: nil, wholeOutput(stage, leaf))
        }
    }

    func computeGradient(_ stage: Int, _ worker: any LeafWorker, _ leaf: LeafSlot, thread: Int) {
        let memory = memory[leaf.slot], route = route(stage)
        guard let gradient = memory.parameterGradients[stage] else { return }
        worker.backward(
            call(stage, leaf, thread), x: memory.stageInput(stage), y: memory.outputs[stage].view,
            dy: memory.gradients[route.received].mutableView, dx: route.passed.map { memory.gradients[$0.computed].mutableView },
            gradient: gradient.mutableView)
        if let target = route.passed, let source = network.stages[stage].source {
            passOn(stage, target, leaf, wholeOutput(source, leaf))
        }
    }

    func sumGradients(_ stage: Int, _ worker: any LeafWorker, _ parameters: Range<Int>, node: Int, thread: Int) {
        let count = worker.parameterGradientCount, scratch = sums[thread].mutableView
        let sum = scratch[0..<count]
        programs[node].sum(into: sum, scratch: scratch[count..<scratch.count]) { leaf, block, adds in
            guard let part = memory[active[leaf].slot].parameterGradients[stage]?.view else { return }
            if adds { ElementwiseKernels.add(part, to: block) } else { block.copy(from: part) }
        }
        worker.finish(gradient: sum, into: targets[node][parameters], thread: thread)
    }

    func call(_ stage: Int, _ leaf: LeafSlot, _ thread: Int) -> LeafCall {
        LeafCall(
            rows: leaf.rows, thread: thread, training: pass.training,
            parameters: pass.weights[network.stages[stage].parameters ?? 0..<0], statistics: pass.weights[network.runningValues[stage]],
            notes: memory[leaf.slot].notes[stage])
    }
}
