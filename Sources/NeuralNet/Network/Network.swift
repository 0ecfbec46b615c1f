public import Kernels

/// A net whose layers are known to fit: shapes, parameters and the stages that compute it. Immutable; memory is passed in.
public struct Network: Sendable {
    public let specification: ModelSpecification
    public let layout: ParameterLayout
    /// One entry per layer of the file, for printing.
    public let layers: [LayerSummary]
    let stages: [Stage]
    let routes: GradientRoutes
    private let initializers: [Initializer]

    /// Values in one row.
    public let inputCount: Int
    /// Values that the net gives for one row.
    public let outputCount: Int

    public var loss: LossSpecification { specification.loss }

    /// How many classes the net tells apart; nil for a regression.
    public var classCount: Int? {
        switch loss {
        case .softmaxCrossEntropy: outputCount
        case .binaryCrossEntropy: 2
        case .meanSquaredError, .meanAbsoluteError, .huber: nil
        }
    }

    public init(_ specification: ModelSpecification) throws(ModelError) {
        let builder = try NetworkBuilder(specification)
        self.specification = specification
        layout = builder.layout
        layers = builder.layers
        stages = builder.stages
        routes = GradientRoutes(builder.stages)
        initializers = builder.initializers
        inputCount = specification.inputShape.reduce(1, *)
        outputCount = builder.layers.last?.outputShape.reduce(1, *) ?? 0
    }

    /// Writes the initial parameters, a pure function of the specification and the seed.
    /// - Parameter weights: as long as the layout.
    public func initialize(into weights: MutableFloatView, seed: UInt64) {
        precondition(weights.count == layout.count, "a block of \(weights.count) for \(layout.count) parameters")
        for (index, entry) in layout.entries.enumerated() {
            initializers[index].fill(weights[entry.range], seed: seed, entry: index)
        }
    }
}

/// One layer of the file as the programs print it.
public struct LayerSummary: Sendable, Equatable {
    /// `layers[3] (dense)`, with the layer's name if it has one.
    public let label: String
    /// `layers.<index or name>`.
    public let name: String
    public let keyword: String
    /// Of one row.
    public let outputShape: [Int]
    public let parameterCount: Int
}
