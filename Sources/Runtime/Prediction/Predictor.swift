internal import Datasets
internal import Exactness
internal import Kernels
internal import NeuralNet

/// One net and the rows it predicts, block by block.
final class Predictor {
    /// Rows of a slot. The last block is filled up, so that a row's answer does not depend on the rows beside it.
    private static let slotRows = 32
    /// Any constant: masks are told apart by their number.
    private static let seed: UInt64 = 1

    let model: SavedModel
    private let rows: FeatureRows
    /// Dropout masks that are averaged; 0 is inference mode.
    private let masks: Int
    private let engine: LeafEngine
    private let probabilities: FloatBlock

    /// What is said of a block's rows.
    struct Answers {
        /// `[rows, classes]`, or `[rows, 1]` of values in original units.
        var values: [Double]
        /// The class of every row; empty for regression.
        var choices: [Int]
    }

    /// Numbers per row in `Answers.values`.
    var width: Int {
        if case .classes(let names) = model.answer { names.count } else { 1 }
    }

    init(_ model: SavedModel, rows: FeatureRows, masks: Int, threads: Int) {
        self.model = model
        self.rows = rows
        self.masks = masks
        engine = LeafEngine(
            network: model.network, tree: ShardTree(shardCount: 1), leafRows: Self.slotRows, seed: Self.seed, threads: threads,
            precision: model.usablePrecision)
        engine.reserve(leaves: 2 * threads)
        probabilities = FloatBlock(count: Self.slotRows * engine.classCount)
    }

    /// Rows that `answers` takes at most.
    static func blockRows(threads: Int) -> Int { 2 * threads * slotRows }

    func answers(for block: Range<Int>) -> Answers {
        var slots: [LeafSlot] = []
        for start in stride(from: block.lowerBound, to: block.upperBound, by: Self.slotRows) {
            let slot = slots.count
            let present = start..<min(start + Self.slotRows, block.upperBound)
            let inputs = engine.inputs(slot: slot, rows: Self.slotRows)
            rows.features.fill(
                present, width: rows.featureCount, preprocessing: model.preprocessing,
                into: UnsafeMutableBufferPointer(start: inputs.base, count: present.count * rows.featureCount))
            inputs[present.count * rows.featureCount..<inputs.count].fill(0)
            engine.setSampleIDs(slot: slot, rows: Self.slotRows) { UInt32(truncatingIfNeeded: start + $0) }
            slots.append(LeafSlot(shard: 0, slot: slot, rows: Self.slotRows))
        }
        guard masks > 0 else {
            engine.predict(slots, weights: model.weights.view)
            var answers = Answers(values: values(of: slots, count: block.count), choices: [])
            if model.answer != .value { answers.choices = choices(of: slots, count: block.count) }
            return answers
        }
        var sums = [Double](repeating: 0, count: block.count * width)
        for mask in 0..<masks {
            engine.predict(slots, weights: model.weights.view, mask: UInt64(mask))
            for (index, value) in values(of: slots, count: block.count).enumerated() { sums[index] += value }
        }
        let means = sums.map { $0 / Double(masks) }
        return Answers(values: means, choices: model.answer == .value ? [] : largest(means, width: width))
    }

    /// Probabilities, or values in original units.
    private func values(of slots: [LeafSlot], count: Int) -> [Double] {
        var values: [Double] = []
        values.reserveCapacity(count * width)
        for slot in slots.indices {
            let present = min(Self.slotRows, count - slot * Self.slotRows)
            if model.answer == .value {
                let outputs = engine.outputs(slot: slot, rows: present)
                for row in 0..<present { values.append(model.targetScaling?.original(Double(outputs[row])) ?? Double(outputs[row])) }
            } else {
                engine.probabilities(slot: slot, rows: Self.slotRows, into: probabilities.mutableView)
                for index in 0..<present * width { values.append(Double(probabilities.view[index])) }
            }
        }
        return values
    }

    /// The class of every row as accuracy counts it: by the logits, which differ where probabilities are rounded to the same.
    private func choices(of slots: [LeafSlot], count: Int) -> [Int] {
        var choices: [Int] = []
        for slot in slots.indices {
            let present = min(Self.slotRows, count - slot * Self.slotRows)
            let logits = engine.outputs(slot: slot, rows: present)
            if model.network.outputCount == 1 {
                for row in 0..<present { choices.append(logits[row] > 0 ? 1 : 0) }
            } else {
                choices += largest((0..<logits.count).map { Double(logits[$0]) }, width: width)
            }
        }
        return choices
    }
}

/// Per row the index of the largest value; the lowest on ties.
func largest(_ values: [Double], width: Int) -> [Int] {
    stride(from: 0, to: values.count, by: width).map { start in
        var best = 0
        for index in 1..<width where values[start + index] > values[start + best] { best = index }
        return best
    }
}
