public import NeuralNet

extension ParameterLayout {
    /// The layout as rules see it: a segment per parameter, with its name and shape.
    public var updateSegments: [UpdateSegment] {
        entries.map { UpdateSegment(range: $0.range, isRegularized: $0.isRegularized, name: $0.name, shape: $0.shape) }
    }
}
