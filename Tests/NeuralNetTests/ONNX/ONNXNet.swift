import Exactness
import Kernels

@testable import NeuralNet

/// Layers by themselves, through the engine: their values are what the last stage, which nobody looks at, reads.
enum ONNXNet {
    /// - Parameters:
    ///   - x: rows of `rowShape`, one after another.
    ///   - parameters: by name, `layers.0.weight`.
    /// - Returns: Rows of `outputShape`.
    static func run(
        _ layers: [LayerKind], rowShape: [Int], _ x: [Float], parameters: [String: [Float]] = [:], training: Bool = false,
        path: ProductPath = .ownKernels
    ) throws -> (values: [Float], rowShape: [Int]) {
        let specification = net(rowShape, layers + [.flatten, .dense(units: 1)], .meanSquaredError)
        let network = try Network(specification)
        let rows = x.count / network.inputCount
        precondition(rows * network.inputCount == x.count)
        let weights = zeros(network.layout.count)
        for (name, values) in parameters {
            guard let entry = network.layout.entry(named: name) else { throw ONNXTensor.Unreadable(text: "no parameter \(name)") }
            weights.mutableView[entry.range].copy(from: block(values).view)
        }
        let leaf = try SingleLeaf(
            specification, Rows(features: x, targets: [Float](repeating: 0, count: rows), count: rows), weights: weights, path: path)
        if training { _ = try leaf.gradient() } else { _ = leaf.evaluate() }
        let shape = network.layers[layers.count - 1].outputShape
        let output = leaf.engine.memory[0].stageInput(network.stages.count - 1)
        return (values(output[0..<rows * shape.reduce(1, *)]), shape)
    }

    /// The loss of rows of logits, summed.
    static func softmaxCrossEntropy(_ logits: [Float], classes: Int, labels: [Int32], path: ProductPath = .ownKernels) throws -> Double {
        // A row's logits are the weights of a dense layer whose input is a unit vector.
        let rows = labels.count
        let unit = (0..<rows * rows).map { $0 / rows == $0 % rows ? Float(1) : 0 }
        let transposed = (0..<classes * rows).map { logits[$0 % rows * classes + $0 / rows] }
        let leaf = try SingleLeaf(
            net([rows], [.dense(units: classes, bias: false)]), Rows(features: unit, labels: labels, count: rows),
            weights: block(transposed), path: path)
        return leaf.evaluate().1.lossSum
    }
}
