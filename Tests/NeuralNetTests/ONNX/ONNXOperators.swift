import NeuralNet

/// A node that is to be computed.
struct ONNXCall {
    let node: ONNXCase.Node
    /// Of the operator set.
    let version: Int
    /// nil where an optional one is left out.
    let inputs: [ONNXTensor?]
    /// What the test says, where a part of it is an input for us.
    let expected: [ONNXTensor?]

    func input(_ index: Int) throws -> ONNXTensor {
        guard index < inputs.count, let input = inputs[index] else { throw ONNXCase.DoesNotApply("input \(index) is missing") }
        return input
    }

    func optional(_ index: Int) -> ONNXTensor? { index < inputs.count ? inputs[index] : nil }
}

/// Computes a node by the layers of this package; throws `DoesNotApply` where there is none with that meaning. The outputs that are not
/// ours are left out at the end, or nil.
typealias ONNXOperator = @Sendable (ONNXCall) throws -> [ONNXTensor?]

/// ONNX's operators in terms of our layers. To add some, write a table beside these and merge it here.
enum ONNXOperators {
    static let all: [String: ONNXOperator] = [activations, rows, losses].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    /// Why the others are not here.
    static let foreign: [String: String] = {
        var reasons: [String: String] = [:]
        func set(_ reason: String, _ operators: String) {
            for name in operators.split(separator: " ") { reasons[String(name)] = reason }
        }
        set("arithmetic of tensors, no layer", "Add Sub Mul Div Neg Abs Pow Sqrt Exp Log Sum Max Min Clip Cast MatMulInteger Gradient")
        set("a rearrangement, no layer", "Transpose Reshape Squeeze Unsqueeze Expand Tile Split Slice Concat Gather Pad OneHot Constant")
        set("a reduction, no layer", "ReduceSum ReduceMean ReduceL1 ReduceL2 ReduceSumSquare ArgMax")
        set("an update rule, no layer", "Adam Adagrad Momentum")
        set("an activation that is not offered", "Celu Mish HardSwish Softsign ThresholdedRelu LogSoftmax")
        set("a layer that is not offered", "ConvTranspose GlobalMaxPool LRN InstanceNormalization GroupNormalization")
        set("takes log-probabilities; ours takes logits", "NegativeLogLikelihoodLoss")
        return reasons
    }()
}
