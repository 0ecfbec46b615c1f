internal import Datasets
internal import Exactness
internal import NeuralNet
internal import Optimization
internal import RunConfiguration
internal import Training

extension PreparedRun {
    /// What was understood of a run file: data, net by layer, training, and the effective configuration.
    var overview: String {
        (dataLines + netLines + startLines + trainingLines).joined(separator: "\n") + "\n\n" + configuration.effectiveYAML
    }

    var dataLines: [String] {
        func count(_ part: DataPart?) -> String { part.map { "\($0.rowCount)" } ?? "none" }
        let classes = data.classNames.map { ", \($0.count) classes" } ?? ""
        return [
            "data      \(data.train.rowCount) training rows of \(shape(data.inputShape)), validation \(count(data.validation)), "
                + "test \(count(data.test))\(classes)"
        ]
    }

    private var netLines: [String] {
        var lines = ["net       \(network.layout.count) parameters"]
        for layer in network.layers {
            let parameters = layer.parameterCount > 0 ? "\(layer.parameterCount) parameters" : ""
            lines.append("          \(pad(layer.label, 28)) \(pad(shape(layer.outputShape), 14)) \(parameters)")
        }
        return lines
    }

    /// The net in one line.
    var netLine: String {
        let layers = network.layers.map { $0.parameterCount > 0 ? "\($0.keyword) \(shape($0.outputShape))" : $0.keyword }
        return "net       \(layers.joined(separator: " → ")); \(network.layout.count) parameters"
    }

    /// Which parameters come from a file.
    var startLines: [String] { initialization?.lines ?? [] }

    var trainingLines: [String] {
        let batch =
            "batch \(description.batchSize) = \(description.shardCount) virtual shards × \(description.leafRows) rows"
        guard let limits = updater.rule.closureLimits else {
            return ["training  \(plan.epochs) epochs of \(plan.stepsPerEpoch) steps, \(batch), \(updater.rule.keyword)"] + modeLines
                + groupLines
        }
        let steps = limits.isFullPass ? "1 step" : "\(plan.stepsPerEpoch) steps"
        let pass =
            limits.isFullPass ? "pass over all \(plan.train.rowCount) rows (\(plan.train.stepsPerEpoch) batches)" : "batch"
        return [
            "training  \(plan.epochs) epochs of \(steps), each up to \(limits.maxEvaluations) evaluations of one \(pass); \(batch), "
                + updater.rule.keyword
        ] + groupLines
    }

    /// What belongs to each group: the first one that matches has a parameter.
    private var groupLines: [String] {
        configuration.optimizer.groups.enumerated().map { index, group in
            let members = zip(network.layout.entries, updater.groupOfSegment).filter { $0.1 == index }.map { $0.0 }
            let count = members.reduce(0) { $0 + $1.range.count }
            return "group     \(group.match): \(members.count) entries of \(count) parameters" + (group.isFrozen ? ", frozen" : "")
        }
    }

    private func shape(_ dimensions: [Int]) -> String {
        dimensions.map(String.init).joined(separator: "×")
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
