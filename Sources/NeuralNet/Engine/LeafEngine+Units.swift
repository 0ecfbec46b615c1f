internal import Kernels

extension LeafEngine {
    /// Adds what the units of the observed layers did in the last `evaluate`, for the rows of `blocks`.
    /// - Parameter counts: one per observed layer, in their order; empty before the first call.
    public func addUnits(of blocks: [LeafSlot], to counts: inout [UnitCounts]) {
        let observed = network.observedUnits
        if counts.isEmpty { counts = observed.map(emptyCounts) }
        for (index, units) in observed.enumerated() {
            for block in blocks { add(units, block, to: &counts[index]) }
        }
    }

    private func emptyCounts(_ units: ObservedUnits) -> UnitCounts {
        switch units.question {
        case .alive: .alive(Array(repeating: 0, count: rowLength(units.stage, rows: leafRows)))
        case .outside: .outside(0)
        case .wins(let pieces): .wins(Array(repeating: 0, count: pieces))
        }
    }

    private func add(_ units: ObservedUnits, _ block: LeafSlot, to counts: inout UnitCounts) {
        let length = rowLength(units.stage, rows: block.rows)
        let y = memory[block.slot].outputs[units.stage].view[0..<block.rows * length]
        switch (units.question, counts) {
        case (.alive, .alive(var marks)):
            counts = .outside(0)  // so that the marks are written in place
            // A short block can be laid out otherwise than whole ones; its marks would be of other units.
            if marks.count == length { UnitKernels.markAlive(y, rows: block.rows, rectified: !units.isBeforeRectifier, in: &marks) }
            counts = .alive(marks)
        case (.outside(let range), .outside(let count)):
            counts = .outside(count + UnitKernels.countOutside(range, y))
        case (.wins, .wins(var wins)):
            workers[units.stage]?.addWins(x: memory[block.slot].stageInput(units.stage), rows: block.rows, to: &wins)
            counts = .wins(wins)
        case (.alive, _), (.outside, _), (.wins, _):
            preconditionFailure("counts of another net")
        }
    }

    /// Floats of one row of a stage's output, with what its layout adds: rows lie one behind the other in every layout.
    private func rowLength(_ stage: Int, rows: Int) -> Int {
        workers[stage].map { $0.outputCount(rows: rows) / rows } ?? network.stages[stage].outputWidth
    }
}
