internal import Datasets
internal import Foundation
internal import NeuralNet
internal import RunConfiguration

extension PreparedRun {
    /// What `model.safetensors` holds beside the weights: all that is needed to use the net.
    var modelMetadata: [String: String] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            func json(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
            var metadata = [
                "format": SavedModel.format, "name": configuration.name, "model": try json(network.specification),
                "preprocessing": try json(data.preprocessing), "encoding": try json(data.encoding),
                "precision": description.precision.rawValue, "numerics_version": "\(numericsVersion)",
            ]
            if let scaling = data.targetScaling { metadata["target_scaling"] = try json(scaling) }
            return metadata
        }
    }
}
