internal import Kernels

/// Activations, and layers that look at a row.
extension NetworkBuilder {
    /// An activation joins the stage before it if that has none yet, and if its derivative does not need what was there before.
    mutating func activate(_ activation: Activation) {
        if let last = stages.indices.last, stages[last].takesActivation, !activation.readsInput {
            stages[last].after.activation = activation
        } else {
            stage(.pointwise(width: shape.reduce(1, *)), after: .init(activation: activation))
        }
    }

    mutating func appendLeakyReLU(_ index: Int, slope: Double) throws(ModelError) {
        guard slope >= 0, slope.isFinite else {
            throw error(index, "slope must be a number not below 0, got \(slope)")
        }
        activate(.leakyReLU(slope: Float(slope)))
    }

    mutating func appendELU(_ index: Int, alpha: Double) throws(ModelError) {
        guard alpha >= 0, Float(alpha).isFinite else {
            throw error(index, "alpha must be a number not below 0, got \(alpha)")
        }
        activate(.elu(alpha: Float(alpha)))
    }

    mutating func appendSoftmax(_ index: Int) throws(ModelError) {
        try requireOneDimension(index)
        stage(.leafwise(SoftmaxLayer(width: shape[0])))
    }

    mutating func appendPReLU(_ index: Int, perChannel: Bool) throws(ModelError) {
        let slope = try appendParameter(index, "slope", [perChannel ? shape[0] : 1], isRegularized: false, .constant(0.25))
        stage(.leafwise(PReLULayer(width: shape.reduce(1, *), slope: slope)))
    }

    mutating func appendLayerNorm(_ index: Int, epsilon: Double) throws(ModelError) {
        guard epsilon > 0, epsilon.isFinite else { throw error(index, "epsilon must be greater than 0, got \(epsilon)") }
        let scale = try appendParameter(index, "scale", shape, isRegularized: false, .constant(1))
        let shift = try appendParameter(index, "shift", shape, isRegularized: false, .constant(0))
        let width = shape.reduce(1, *)
        stage(.leafwise(LayerNormLayer(width: width, epsilon: epsilon, range: scale.lowerBound..<shift.upperBound)))
    }

    /// The product of a dense layer, then the selection.
    mutating func appendMaxout(_ index: Int, units: Int, pieces: Int) throws(ModelError) {
        guard units >= 1 else { throw error(index, "units must be at least 1, got \(units)") }
        guard pieces >= 1 else { throw error(index, "pieces must be at least 1, got \(pieces)") }
        let (outputs, overflow) = units.multipliedReportingOverflow(by: pieces)
        guard !overflow, outputs <= Self.largestRow else {
            throw error(index, "\(units) units of \(pieces) pieces are more than a row may have (2^28)")
        }
        try requireOneDimension(index)
        let weight = try appendParameter(
            index, "weight", [outputs, shape[0]], isRegularized: true, specification.initializer ?? .heNormal)
        let bias = try appendParameter(index, "bias", [outputs], isRegularized: false, .constant(0))
        stage(.dense(Stage.Dense(inputs: shape[0], units: outputs, weight: weight, bias: bias)))
        stage(.leafwise(MaxoutSelection(units: units, pieces: pieces)))
        shape = [units]
    }

    func requireOneDimension(_ index: Int) throws(ModelError) {
        guard shape.count != 1 else { return }
        let giver = index == 0 ? "the input" : label(index - 1)
        throw error(index, "takes rows of one dimension, but \(giver) gives \(Self.text(shape)); put \"flatten\" before it")
    }
}
