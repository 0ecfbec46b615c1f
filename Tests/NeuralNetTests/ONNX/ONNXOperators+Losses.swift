import NeuralNet

extension ONNXOperators {
    static let losses: [String: ONNXOperator] = ["SoftmaxCrossEntropyLoss": softmaxCrossEntropy]

    /// Every position of the scores `[N, C, …]` is a sample; those of the ignored label are left out, as data would not hold them.
    @Sendable private static func softmaxCrossEntropy(_ call: ONNXCall) throws -> [ONNXTensor?] {
        if call.optional(2) != nil { throw ONNXCase.DoesNotApply("SoftmaxCrossEntropyLoss with weights of classes") }
        let scores = try call.input(0), target = try call.input(1)
        let classes = scores.shape[1], rows = scores.movingLast(1).floats
        let ignored = call.node.attrs["ignore_index"] == nil ? nil : call.node.number("ignore_index", default: 0)
        let kept = target.values.indices.filter { target.values[$0] != ignored }
        let labels = kept.map { Int32(target.values[$0]) }
        let logits = kept.flatMap { rows[$0 * classes..<($0 + 1) * classes] }
        switch call.node.text("reduction", default: "mean") {
        case "none":
            var losses = [Double](repeating: 0, count: target.values.count)
            for (index, position) in kept.enumerated() {
                losses[position] = try ONNXNet.softmaxCrossEntropy(
                    Array(logits[index * classes..<(index + 1) * classes]), classes: classes, labels: [labels[index]])
            }
            return [ONNXTensor(shape: target.shape, losses)]
        case "sum": return [ONNXTensor(shape: [], [try ONNXNet.softmaxCrossEntropy(logits, classes: classes, labels: labels)])]
        default:
            let sum = try ONNXNet.softmaxCrossEntropy(logits, classes: classes, labels: labels)
            return [ONNXTensor(shape: [], [sum / Double(labels.count)])]
        }
    }
}
