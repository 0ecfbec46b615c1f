internal import Kernels

/// How gradients go from stage to stage.
extension LeafEngine {
    /// Of a stage that takes part in backward.
    func route(_ stage: Int) -> GradientRoutes.Route {
        guard let route = network.routes.routes[stage] else { preconditionFailure("a gradient that nobody needs") }
        return route
    }

    /// All of a stage's output; where it is not row by row, as one long row.
    func wholeOutput(_ stage: Int, _ leaf: LeafSlot) -> Region {
        if case .leafwise(let operation) = network.stages[stage].kind, !operation.hasPlainOutput, let worker = workers[stage] {
            return Region(rows: 1, width: worker.outputCount(rows: leaf.rows))
        }
        return Region(rows: leaf.rows, width: network.stages[stage].outputWidth)
    }

    /// Brings what `stage` computed for its source, in the region, to where the source finds it.
    func passOn(_ stage: Int, _ target: GradientRoutes.Target, _ leaf: LeafSlot, _ region: Region) {
        let memory = memory[leaf.slot], received = route(stage).received
        let isInPlace = target.spare == nil && network.stages[stage].passesGradientOn
        if target.adds {
            let part = memory.gradients[target.spare ?? received].view
            kernels.add(part, to: memory.gradients[target.buffer].mutableView, region)
        } else if isInPlace && target.buffer != received {
            memory.gradients[target.buffer].mutableView[0..<region.end].copy(from: memory.gradients[received].view[0..<region.end])
        }
        if let source = network.stages[stage].source, !route(source).receivesLater { receive(source, leaf, region) }
    }

    /// Turns the gradient of a stage's output, in the region, into that of its product, and through stages without one further down.
    func receive(_ top: Int, _ leaf: LeafSlot, _ region: Region) {
        let memory = memory[leaf.slot]
        var stage = top
        while true {
            let current = network.stages[stage], gradient = memory.gradients[route(stage).received].mutableView
            if !current.after.isEmpty {
                let seen = current.after.activation.readsInput ? memory.stageInput(stage) : memory.outputs[stage].view
                kernels.backward(
                    current.after.epilogue(seed: seed, step: pass.step, training: true), y: seen, keep: memory.masks[stage],
                    gradient: gradient, region)
            }
            switch current.kind {
            case .dense:
                kernels.transpose(gradient.view, region, into: memory.transposed.mutableView)
                return
            case .pointwise:
                guard let source = current.source, network.routes.routes[source].map({ !$0.receivesLater }) ?? false else { return }
                stage = source
            case .sum, .leafwise: return
            }
        }
    }
}

extension Stage {
    /// Whether what it passes on is what it received.
    var passesGradientOn: Bool {
        switch kind {
        case .dense, .leafwise: false
        case .pointwise, .sum: true
        }
    }
}
