public import Kernels

/// A net whose layers are known to fit: shapes, parameters and the stages that compute it. Immutable; memory is passed in.
public struct Network: Sendable {
    public let specification: ModelSpecification
    public let layout: ParameterLayout
    /// One entry per layer of the file, a residual block's own before those inside it, for printing.
    public let layers: [LayerSummary]
    /// Layers whose units are looked at in validations, in the order of the net.
    public let observedUnits: [ObservedUnits]
    let stages: [Stage]
    let routes: GradientRoutes
    let stageStatistics: [StageStatistics]
    /// Per stage where in a block of weights its running values lie; empty for most.
    let runningValues: [Range<Int>]
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
        observedUnits = builder.observedUnits
        routes = GradientRoutes(builder.stages)
        stageStatistics = StageStatistics.all(builder.stages, builder.layout)
        var runningValues = builder.stages.map { _ in 0..<0 }
        for statistics in stageStatistics { runningValues[statistics.stage] = statistics.values }
        self.runningValues = runningValues
        initializers = builder.initializers
        inputCount = specification.inputShape.reduce(1, *)
        outputCount = builder.layers.last?.outputShape.reduce(1, *) ?? 0
    }

    /// Writes the initial parameters, a pure function of the specification and the seed, and running means of 0, variances of 1.
    /// - Parameter weights: a whole block of the layout.
    public func initialize(into weights: MutableFloatView, seed: UInt64) {
        precondition(weights.count == layout.blockLength, "a block of \(weights.count) for \(layout.blockLength) elements")
        weights[layout.count..<layout.blockLength].fill(0)
        for statistics in layout.runningStatistics { weights[statistics.variance.range].fill(1) }
        for (index, entry) in layout.entries.enumerated() {
            initializers[index].fill(weights[entry.range], seed: seed, entry: index)
        }
    }
}

/// Which stage keeps which running statistics.
struct StageStatistics: Sendable {
    let stage: Int
    /// Of a block of weights: means, then variances.
    let values: Range<Int>
    /// Of a gradient's tail, in doubles.
    let sums: Range<Int>

    static func all(_ stages: [Stage], _ layout: ParameterLayout) -> [StageStatistics] {
        let statistics = layout.runningStatistics
        return stages.enumerated().compactMap { index, stage in
            guard case .leafwise(let operation) = stage.kind, let own = operation.statistics.map({ statistics[$0] }) else { return nil }
            return StageStatistics(
                stage: index, values: own.mean.range.lowerBound..<own.variance.range.upperBound, sums: own.sums)
        }
    }
}

/// One layer of the file as the programs print it.
public struct LayerSummary: Sendable, Equatable {
    /// `layers[3] (dense)`, with the layer's name if it has one; `layers[3].layers[0] (dense)` inside a residual block.
    public let label: String
    /// `layers.<index or name>`, as in the names of its parameters.
    public let name: String
    public let keyword: String
    /// Of one row.
    public let outputShape: [Int]
    /// Of a residual block, those of its projection.
    public let parameterCount: Int
}
