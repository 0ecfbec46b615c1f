internal import Datasets
internal import Kernels
internal import NeuralNet

extension LeafEngine {
    /// Fills a slot with rows of a table, as a worker does that was sent them: the same values to the last bit.
    ///
    /// - Parameter source: numbers of the table's rows.
    func fill(
        slot: Int, with source: [Int], of table: Table, preprocessing: Preprocessing, targetScaling: TargetScaling?, for network: Network
    ) {
        let inputs = inputs(slot: slot, rows: source.count)
        table.features.fill(
            source, width: table.featureCount, preprocessing: preprocessing,
            into: UnsafeMutableBufferPointer(start: inputs.base, count: inputs.count))
        switch (network.loss, table.targets) {
        case (.softmaxCrossEntropy, .classes(let classes, _)):
            setLabels(slot: slot, rows: source.count) { classes[source[$0]] }
        case (_, .classes(let classes, _)):
            let targets = targets(slot: slot, rows: source.count)
            for (row, number) in source.enumerated() { targets[row] = Float(classes[number]) }
        case (_, .values(let values)):
            let targets = targets(slot: slot, rows: source.count)
            let (offset, factor) = (targetScaling?.offset ?? 0, targetScaling?.factor ?? 1)
            for (row, number) in source.enumerated() { targets[row] = (values[number] - offset) * factor }
        }
    }
}
