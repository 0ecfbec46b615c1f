public import Datasets

/// A run file, validated: every value is in its range and goes with the others.
public struct RunConfiguration: Equatable, Sendable {
    /// Names the run folder.
    public var name: String
    /// The only source of randomness.
    public var seed: UInt64
    /// Paths are complete: variables expanded, relative ones joined to the run file's folder.
    public var data: DataSpecification
    /// Whether workers get their rows from the coordinator.
    public var shipsData: Bool
    public var model: ModelSettings
    public var optimizer: OptimizerSettings
    public var training: TrainingSettings
    public var cluster: ClusterSettings
    /// Training accuracy (R² for regression) from which a net counts as fitted.
    public var fittedFrom: Double
    /// Where everything was written; no part of equality.
    public let sourceMap: SourceMap
}

extension RunConfiguration {
    /// Where a layer was written.
    public func place(ofLayer index: Int) -> Place {
        sourceMap.place(of: SettingPath([.key("model"), .key("layers"), .index(index)]))
    }

    /// A problem with a layer that was read without complaint, such as a shape that does not fit.
    /// - Parameter indices: into `model.layers`, then into the layers of residual blocks.
    public func problem(atLayer indices: [Int], _ text: String) -> Problem {
        var path: SettingPath = "model"
        for (depth, index) in indices.enumerated() {
            path = (depth == 0 ? path : path.key("residual")).key("layers").index(index)
        }
        return sourceMap.problem(at: path, text)
    }
}
